import {
  abortable,
  CausewayError,
  type Clock,
  concatBytes,
  type Line,
  NO_BYTES,
  type Timer,
  utf8Encode,
  withinTime,
} from "causeway/adapter";
import { checksumOf } from "./checksum.js";
import { FrameText } from "./extract.js";

const STX = 0x02;
const ETX = 0x03;
const ACK = 0x06;
/** By the baud rate characters 0 to 6 of mode C, A to F of mode B (IEC 62056-21 §6.3.14). */
const RATES = [300, 600, 1200, 2400, 4800, 9600, 19_200] as const;
/** A meter begins to answer within 1.5 s, and makes no longer pause between two characters (§6.4.2). */
const REACTION_MS = 2500;
const PAUSE_MS = 2000;
/** Of a whole read-out; at 300 Bd a meter would take longer for what it may say. */
const LONGEST_MS = 50_000;
const LONGEST_BYTES = 65_536;

/**
 * Readout by IEC 62056-21: sign on, identification, in mode C acknowledgement with change of the baud rate, data block.
 * Modes A and B need no acknowledgement.
 */
export class Iec62056Session {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #baudRate: number;
  readonly #write: (bytes: Uint8Array) => void;
  #received: Uint8Array = NO_BYTES;
  #look: () => void = () => undefined;

  /** `baudRate` is that of the sign on, usually 300; `write` puts bytes on the line. */
  constructor(line: Line, baudRate: number, clock: Clock, write: (bytes: Uint8Array) => void) {
    this.#line = line;
    this.#baudRate = baudRate;
    this.#clock = clock;
    this.#write = write;
  }

  push(bytes: Uint8Array): void {
    // Where the line does not check the parity bit, it still comes.
    this.#received = concatBytes([this.#received, bytes.map((byte) => byte & 0x7f)]);
    this.#look();
  }

  /** The data block. Rejects with FIELD_TIMEOUT, FIELD_GARBLED or the signal's reason. */
  async readout(device: string, signal: AbortSignal): Promise<FrameText> {
    const late = (): Error => new CausewayError("FIELD_TIMEOUT", `the readout did not end within ${LONGEST_MS} ms`);
    try {
      return await withinTime(this.#readout(device, signal), LONGEST_MS, late, this.#clock, signal);
    } finally {
      await this.#line.setBaudRate?.(this.#baudRate);
    }
  }

  async #readout(device: string, signal: AbortSignal): Promise<FrameText> {
    this.#received = NO_BYTES;
    this.#write(utf8Encode(`/?${device}!\r\n`));
    await this.#acknowledge(await this.#identification(signal));
    return await this.#dataBlock(signal);
  }

  /** Optical heads give back what is sent: that line begins with `/?`. */
  async #identification(signal: AbortSignal): Promise<string> {
    for (;;) {
      const line = await this.#take((bytes) => lengthUpTo(bytes, "\r\n"), "no identification", signal);
      const text = Buffer.from(line).toString("latin1");
      const start = text.lastIndexOf("/");
      if (start >= 0 && text[start + 1] !== "?" && text.length - start >= 6) return text.slice(start).trimEnd();
    }
  }

  async #acknowledge(identification: string): Promise<void> {
    const mark = identification[4] ?? "";
    const mode = /[0-6]/.test(mark) ? "C" : /[A-F]/.test(mark) ? "B" : "A";
    if (mode === "A") return;
    const canChange = this.#line.setBaudRate !== undefined;
    const wanted = mode === "C" ? Number(mark) : mark.charCodeAt(0) - 0x40;
    if (mode === "C") {
      this.#write(concatBytes([Uint8Array.of(ACK), utf8Encode(`0${canChange ? wanted : 0}0\r\n`)]));
      if (!canChange) return;
    }
    await this.#line.setBaudRate?.(RATES[wanted] ?? this.#baudRate);
  }

  async #dataBlock(signal: AbortSignal): Promise<FrameText> {
    const bytes = await this.#take(blockLength, "no data block", signal);
    const start = bytes.indexOf(STX);
    const end = bytes.indexOf(ETX, start);
    if (start < 0) return new FrameText(bytes);
    if (checksumOf(bytes.subarray(start + 1, end + 1), "xor") !== bytes[end + 1]) {
      throw new CausewayError("FIELD_GARBLED", "the data block has a wrong block check character");
    }
    return new FrameText(bytes.slice(start + 1, end));
  }

  /** Waits until `lengthOf` finds the end of what is expected, and takes it. */
  async #take(
    lengthOf: (bytes: Uint8Array) => number | undefined,
    what: string,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    let silence: Timer | undefined;
    try {
      const found = new Promise<number>((resolve, reject) => {
        const listen = (pauseMs: number): void => {
          silence?.cancel();
          silence = this.#clock.schedule(pauseMs, () => reject(new CausewayError("FIELD_TIMEOUT", what)));
        };
        listen(REACTION_MS);
        this.#look = () => {
          listen(PAUSE_MS);
          const length = lengthOf(this.#received);
          if (length !== undefined) resolve(length);
          else if (this.#received.length > LONGEST_BYTES)
            reject(new CausewayError("FIELD_GARBLED", `${what}, but much else`));
        };
        if (this.#received.length > 0) this.#look();
      });
      const length = await abortable(found, signal);
      const taken = this.#received.slice(0, length);
      this.#received = this.#received.slice(length);
      return taken;
    } finally {
      silence?.cancel();
      this.#look = () => undefined;
    }
  }
}

function lengthUpTo(bytes: Uint8Array, end: string): number | undefined {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(end);
  return at < 0 ? undefined : at + end.length;
}

/** STX … ETX BCC; in mode A some meters leave out the marks and end with `!`. */
function blockLength(bytes: Uint8Array): number | undefined {
  const start = bytes.indexOf(STX);
  if (start < 0) return lengthUpTo(bytes, "!\r\n");
  const end = bytes.indexOf(ETX, start);
  return end < 0 || end + 1 >= bytes.length ? undefined : end + 2;
}
