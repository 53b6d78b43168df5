import { CausewayError, type Clock } from "causeway/adapter";
import { FrameText } from "./extract.js";
import { type Frame, Framer } from "./framer.js";
import type { Match, SerialProtocol } from "./options.js";
import { matches } from "./request.js";

/** Bytes may still come from before the request; a frame that does not match is somebody else's. */
export interface Answer {
  readonly match: Match | undefined;
  readonly timeoutMs: number;
}

/** What comes over a line, as the frames of one protocol. */
export class Channel {
  readonly #framer: Framer;
  readonly #clock: Clock;
  readonly #listeners = new Set<(frame: FrameText, state: Frame["state"]) => void>();

  constructor({ framing, checksum }: SerialProtocol, clock: Clock) {
    this.#clock = clock;
    this.#framer = new Framer(framing ?? {}, checksum, clock, ({ bytes, state }) => {
      const frame = new FrameText(bytes);
      for (const listener of [...this.#listeners]) listener(frame, state);
    });
  }

  push(bytes: Uint8Array): void {
    this.#framer.push(bytes);
  }

  /** Drops what has come of a frame so far. */
  clear(): void {
    this.#framer.clear();
  }

  listen(listener: (frame: FrameText, state: Frame["state"]) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** The next frame that matches. Rejects with FIELD_TIMEOUT, FIELD_GARBLED or the signal's reason. */
  answer({ match, timeoutMs }: Answer, station: string, signal: AbortSignal): Promise<FrameText> {
    return new Promise((resolve, reject) => {
      let damaged = 0;
      const listening = this.listen((frame, state) => {
        if (state === "damaged") damaged++;
        else if (matches(frame.bytes, match, frame.text)) end(() => resolve(frame));
      });
      const onAbort = (): void => end(() => reject(signal.reason));
      const timer = this.#clock.schedule(timeoutMs, () => end(() => reject(silence(station, timeoutMs, damaged))));
      const end = (settle: () => void): void => {
        listening[Symbol.dispose]();
        timer.cancel();
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }
}

function silence(station: string, timeoutMs: number, damaged: number): CausewayError {
  if (damaged > 0) return new CausewayError("FIELD_GARBLED", `${station}: the answer has a wrong checksum`);
  return new CausewayError("FIELD_TIMEOUT", `${station} did not answer within ${timeoutMs} ms`);
}
