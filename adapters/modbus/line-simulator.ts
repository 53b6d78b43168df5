import { CausewayError, type Clock, concatBytes, type Line, type Timer } from "causeway/adapter";
import { asciiContent, asciiFrame } from "./ascii-framing.js";
import { hasGoodCrc, rtuFrame } from "./crc.js";
import { mbapFrame } from "./mbap-transport.js";
import type { SlaveUnit } from "./slave.js";

/** What goes wrong with the answer to one request. */
export type LineFault =
  | { readonly kind: "silent" | "bad-checksum" | "wrong-unit" | "wrong-function" | "wrong-byte-count" | "cut" }
  | { readonly kind: "late"; readonly afterMs: number }
  | { readonly kind: "fragments"; readonly gapMs: number }
  | { readonly kind: "noise-before" | "noise-behind"; readonly noise: Uint8Array }
  | { readonly kind: "twice" }
  | { readonly kind: "exception"; readonly code: number }
  | { readonly kind: "lost" };

/** A station on the line. `settings` is any text, e.g. `9600 8N1`: who has other ones than the master hears noise. */
export interface LineStation {
  readonly unit: SlaveUnit;
  readonly settings: string;
  /** From the end of a request to the first character of its answer. */
  readonly latencyMs: number;
}

export interface SimulatedLineOptions {
  readonly framing: "rtu" | "ascii" | "mbap";
  /** Of the master. */
  readonly settings: string;
  /** Time of one character; 0 where there is no wire. */
  readonly characterMs: number;
  readonly clock: Clock;
  readonly stations: ReadonlyMap<number, LineStation>;
  /** Asked for each request that reaches a station. */
  readonly fault?: (unit: number, pdu: Uint8Array) => LineFault | undefined;
  /** The interface gives back what is sent, as many of two wires do. */
  readonly echo?: "yes" | "no";
}

interface Addressed {
  readonly unit: number;
  readonly pdu: Uint8Array;
  wrap(unit: number, pdu: Uint8Array): Uint8Array;
}

/** Characters of silence that end a frame of RTU (Modbus over Serial Line V1.02 §2.5.1.1). */
const FRAME_GAP_CHARACTERS = 3.5;
const FIXED_FRAME_GAP_MS = 1.75;
/** So little may be missing from a silence by rounding. */
const ROUNDING_MS = 0.001;

/**
 * The master's end of a line with stations, which keeps the time that characters take on the wire. It counts what the
 * wire was used for, and requests that came too soon after the characters before, which stations would not understand.
 */
export class SimulatedLine implements Line {
  readonly closed: Promise<CausewayError>;
  readonly #options: SimulatedLineOptions;
  readonly #timers = new Set<Timer>();
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #close: (reason: CausewayError) => void = () => undefined;
  #busyUntilMs = Number.NEGATIVE_INFINITY;
  /** When the master last had to do with a character. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #answeringUntilMs = Number.NEGATIVE_INFINITY;
  /** How often two spoke at once. */
  collisions = 0;
  requests = 0;
  /** Characters in both directions. */
  characters = 0;
  tooSoon = 0;

  constructor(options: SimulatedLineOptions) {
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  listen(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  write(bytes: Uint8Array): void {
    const { clock, characterMs, framing, echo } = this.#options;
    const nowMs = clock.monotonicMs();
    const gapMs = framing === "rtu" ? Math.min(FRAME_GAP_CHARACTERS * characterMs, this.#gapLimitMs()) : 0;
    if (nowMs + ROUNDING_MS < this.#heardAtMs + gapMs) this.tooSoon++;
    const isCollision = this.#occupy(bytes.length);
    const frame = isCollision ? damaged(bytes) : bytes.slice();
    this.requests++;
    this.#heardAtMs = this.#busyUntilMs;
    this.#at(this.#busyUntilMs, () => {
      if (echo === "yes") this.#receive(frame);
      this.#serve(frame);
    });
  }

  /** Unplugs it. */
  break(reason = new CausewayError("LINK_FAILED", "the line was unplugged")): void {
    for (const timer of this.#timers) timer.cancel();
    this.#receive = () => undefined;
    this.#close(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.break(new CausewayError("LINK_CLOSED", "the line was closed"));
  }

  // Above 19200 Bd the silence is fixed; what is shorter than this is such a line.
  #gapLimitMs(): number {
    const fastest = 1000 * (10 / 19200) + ROUNDING_MS;
    return this.#options.characterMs < fastest ? FIXED_FRAME_GAP_MS : Number.POSITIVE_INFINITY;
  }

  /** Whether somebody else is speaking. */
  #occupy(characters: number): boolean {
    const { clock, characterMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const isCollision = nowMs + ROUNDING_MS < this.#busyUntilMs;
    if (isCollision) this.collisions++;
    this.characters += characters;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs + characters * characterMs);
    return isCollision;
  }

  #serve(frame: Uint8Array): void {
    const { stations, settings, fault: faultOf } = this.#options;
    const request = this.#understand(frame);
    if (request === undefined) return;
    if (request.unit === 0 && this.#options.framing !== "mbap") {
      for (const station of stations.values()) if (station.settings === settings) station.unit.respond(request.pdu);
      return;
    }
    const station = stations.get(request.unit);
    if (station === undefined || station.settings !== settings) return;
    const fault = faultOf?.(request.unit, request.pdu);
    if (fault?.kind === "lost") {
      this.break();
      return;
    }
    const code = request.pdu[0] ?? 0;
    const answer =
      fault?.kind === "exception" ? Uint8Array.of(code | 0x80, fault.code) : station.unit.respond(request.pdu);
    const pieces = piecesOf(answer, request, fault);
    const beginMs = this.#answerAtMs(station.latencyMs);
    for (const { afterMs, bytes } of pieces) this.#at(beginMs + afterMs, () => this.#send(bytes));
    this.#answeringUntilMs = Math.max(this.#answeringUntilMs, beginMs + (pieces.at(-1)?.afterMs ?? 0));
  }

  /** A server on TCP sends one answer after the other; stations on a wire know nothing of each other. */
  #answerAtMs(latencyMs: number): number {
    const atMs = this.#options.clock.monotonicMs() + latencyMs;
    return this.#options.framing === "mbap" ? Math.max(atMs, this.#answeringUntilMs) : atMs;
  }

  #send(bytes: Uint8Array): void {
    const isCollision = this.#occupy(bytes.length);
    const { collisions } = this;
    this.#at(this.#busyUntilMs, () => {
      this.#heardAtMs = this.#options.clock.monotonicMs();
      this.#receive(isCollision || this.collisions > collisions ? damaged(bytes) : bytes);
    });
  }

  #understand(frame: Uint8Array): Addressed | undefined {
    switch (this.#options.framing) {
      case "rtu":
        if (!hasGoodCrc(frame, 0, frame.length)) return undefined;
        return { unit: frame[0] ?? 0, pdu: frame.slice(1, -2), wrap: rtuFrame };
      case "ascii": {
        const content = asciiContent(frame.subarray(0, -2));
        return content === undefined ? undefined : { unit: content[0] ?? 0, pdu: content.slice(1), wrap: asciiFrame };
      }
      case "mbap": {
        const transactionId = ((frame[0] ?? 0) << 8) | (frame[1] ?? 0);
        const wrap = (unit: number, pdu: Uint8Array): Uint8Array => mbapFrame(transactionId, unit, pdu);
        return { unit: frame[6] ?? 0, pdu: frame.slice(7), wrap };
      }
    }
  }

  #at(timeMs: number, act: () => void): void {
    const { clock } = this.#options;
    const timer = clock.schedule(timeMs - clock.monotonicMs(), () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }
}

/** What is heard of two who speak at once. */
function damaged(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => (index % 3 === 1 ? byte ^ 0x2a : byte));
}

interface Piece {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

function piecesOf(answer: Uint8Array, { unit, wrap }: Addressed, fault: LineFault | undefined): readonly Piece[] {
  const whole = wrap(unit, answer);
  switch (fault?.kind) {
    case "silent":
    case "lost":
      return [];
    case "late":
      return [{ afterMs: fault.afterMs, bytes: whole }];
    case "fragments":
      return thirds(whole).map((bytes, index) => ({ afterMs: index * fault.gapMs, bytes }));
    case "noise-before":
      return [{ afterMs: 0, bytes: concatBytes([fault.noise, whole]) }];
    case "noise-behind":
      return [{ afterMs: 0, bytes: concatBytes([whole, fault.noise]) }];
    case "twice":
      return [{ afterMs: 0, bytes: concatBytes([whole, whole]) }];
    case "cut":
      return [{ afterMs: 0, bytes: whole.subarray(0, whole.length >> 1) }];
    case "bad-checksum":
      return [{ afterMs: 0, bytes: whole.map((byte, index) => (index === whole.length >> 1 ? byte ^ 0x04 : byte)) }];
    case "wrong-unit":
      return [{ afterMs: 0, bytes: wrap(unit ^ 0x40, answer) }];
    case "wrong-function":
      return [
        {
          afterMs: 0,
          bytes: wrap(
            unit,
            answer.map((byte, index) => (index === 0 ? byte ^ 0x07 : byte)),
          ),
        },
      ];
    case "wrong-byte-count":
      return [
        {
          afterMs: 0,
          bytes: wrap(
            unit,
            answer.map((byte, index) => (index === 1 ? byte ^ 0x02 : byte)),
          ),
        },
      ];
    default:
      return [{ afterMs: 0, bytes: whole }];
  }
}

function thirds(bytes: Uint8Array): readonly Uint8Array[] {
  const third = Math.max(1, Math.floor(bytes.length / 3));
  return [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)];
}
