import { type Clock, concatBytes, type Line, NO_BYTES, sleep } from "causeway/adapter";
import type { Framing } from "./framing.js";
import type { Timing } from "./timing.js";

/** A station that was heard: `damaged` is noise where an answer should be. */
export interface Heard {
  readonly unit: number;
  readonly answer: "value" | "damaged" | number;
}

/** Read Holding Registers, the first one: whatever comes back, somebody is there. */
const QUESTION = Uint8Array.of(3, 0, 0, 0, 1);
/** What the slowest stations take to begin, beside the time of some characters. */
const LATENCY_MS = 100;
const LATENCY_CHARACTERS = 16;
/** When nothing came for so long, the answer is over. */
const END_MS = 30;
const LONGEST_ANSWER_MS = 500;
/** An answer that comes late is that of one of the units asked before. */
const REMEMBERED = 4;

/** Time for a station to begin its answer: short, for most addresses have nobody. */
export function probeTimeoutMs(characterMs: number): number {
  return LATENCY_MS + LATENCY_CHARACTERS * characterMs;
}

/** Time that asking an address where nobody is takes. */
export function probeMs({ characterMs, frameCharacters, charactersPerByte }: Timing, timeoutMs: number): number {
  return (frameCharacters + charactersPerByte * QUESTION.length) * characterMs + timeoutMs;
}

/** Asks one unit after the other on a serial line whether somebody is there. */
export class SerialProber {
  readonly #line: Line;
  readonly #framing: Framing;
  readonly #timing: Timing;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #asked: number[] = [];
  #received: Uint8Array = NO_BYTES;
  #onByte: () => void = () => undefined;

  constructor(line: Line, framing: Framing, timing: Timing, timeoutMs: number, clock: Clock) {
    this.#line = line;
    this.#framing = framing;
    this.#timing = timing;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Who was heard; more than one when another answers late. Rejects with LINK_* or the signal. */
  async probe(unit: number, signal: AbortSignal): Promise<readonly Heard[]> {
    this.#asked.unshift(unit);
    this.#asked.length = Math.min(this.#asked.length, REMEMBERED);
    const first = this.#whoAnswered(await this.#ask(unit, signal), unit);
    if (first.every(({ answer }) => answer !== "damaged")) return first;
    // Noise comes without a question, a damaged answer only with one: what is heard twice is there.
    return this.#whoAnswered(await this.#ask(unit, signal), unit);
  }

  async #ask(unit: number, signal: AbortSignal): Promise<Uint8Array> {
    const frame = this.#framing.encode(unit, QUESTION);
    this.#received = NO_BYTES;
    this.#line.listen((bytes) => {
      this.#received = concatBytes([this.#received, bytes]);
      this.#onByte();
    });
    this.#line.write(frame);
    const sentMs = frame.length * this.#timing.characterMs;
    const untilMs = this.#clock.monotonicMs() + sentMs + this.#timeoutMs;
    while (this.#received.length === 0 && this.#clock.monotonicMs() < untilMs) {
      await this.#firstByte(untilMs, signal);
      if (this.#received.length > 0) await this.#untilQuiet(signal);
      this.#dropEcho(frame);
    }
    return this.#received;
  }

  async #firstByte(untilMs: number, signal: AbortSignal): Promise<void> {
    const heard = new AbortController();
    this.#onByte = () => heard.abort();
    const either = AbortSignal.any([signal, heard.signal]);
    await sleep(this.#clock, untilMs - this.#clock.monotonicMs(), either).catch(() => undefined);
    this.#onByte = () => undefined;
    signal.throwIfAborted();
  }

  async #untilQuiet(signal: AbortSignal): Promise<void> {
    const endMs = Math.max(END_MS, this.#timing.silenceMs) + LATENCY_CHARACTERS * this.#timing.characterMs;
    for (let waitedMs = 0, length = -1; length !== this.#received.length && waitedMs < LONGEST_ANSWER_MS; ) {
      length = this.#received.length;
      await sleep(this.#clock, endMs, signal);
      waitedMs += endMs;
    }
  }

  #dropEcho(frame: Uint8Array): void {
    const isEcho = frame.every((byte, index) => byte === this.#received[index]);
    if (isEcho) this.#received = this.#received.subarray(frame.length);
  }

  #whoAnswered(received: Uint8Array, unit: number): readonly Heard[] {
    if (received.length === 0) return [];
    const heard = this.#asked.flatMap((asked): Heard[] => {
      const request = { unit: asked, pdu: QUESTION, responseTimeoutMs: 0, gapMs: 0 };
      const found = this.#framing.find(request, received);
      if (found === undefined) return [];
      return [{ unit: asked, answer: found.pdu[0] === QUESTION[0] ? "value" : (found.pdu[1] ?? 0) }];
    });
    return heard.length > 0 ? heard : [{ unit, answer: "damaged" }];
  }
}
