import { type Clock, concatBytes, decodeByteValue, NO_BYTES, type Timer } from "causeway/adapter";
import { type Checksum, isIntact } from "./checksum.js";

export interface LengthField {
  readonly offset: number;
  readonly type: "uint8" | "uint16";
  readonly order?: "big" | "little";
  /** Length of the whole frame less what the field says; 0 unless given. */
  readonly add?: number;
}

/** How frames stand in the stream of bytes; exactly one of end, length, lengthField and gapMs says where they end. */
export interface Framing {
  readonly start?: Uint8Array;
  /** With a length: what must stand at the end of an intact frame. */
  readonly end?: Uint8Array;
  /** Bytes that follow the end mark; 0 unless given. */
  readonly tail?: number;
  readonly length?: number;
  readonly lengthField?: LengthField;
  /** Silence that ends a frame. */
  readonly gapMs?: number;
  /** The byte after this one is taken out of its meaning by being inverted (Kamstrup KMP). */
  readonly escape?: number;
  /** A frame that grows beyond is none; 4096 unless given. */
  readonly maxLength?: number;
}

/** Bytes as they came, start and end marks included, escapes undone. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly state: "intact" | "damaged";
}

const MAX_LENGTH = 4096;

/**
 * Cuts frames out of what comes in, in any pieces. What belongs to no frame is dropped; after a damaged frame it looks
 * for the next start within it, so that half a frame does not cost the whole one behind it.
 */
export class Framer {
  readonly #framing: Framing;
  readonly #checksum: Checksum | undefined;
  readonly #clock: Clock;
  readonly #onFrame: (frame: Frame) => void;
  #received: Uint8Array = NO_BYTES;
  #gap: Timer | undefined;

  constructor(framing: Framing, checksum: Checksum | undefined, clock: Clock, onFrame: (frame: Frame) => void) {
    this.#framing = framing;
    this.#checksum = checksum;
    this.#clock = clock;
    this.#onFrame = onFrame;
  }

  /** Drops what has come of a frame so far. */
  clear(): void {
    this.#received = NO_BYTES;
    this.#gap?.cancel();
  }

  push(bytes: Uint8Array): void {
    const { gapMs, maxLength = MAX_LENGTH } = this.#framing;
    this.#received = concatBytes([this.#received, bytes]);
    if (gapMs === undefined) {
      this.#cut(maxLength);
      return;
    }
    this.#received = this.#received.slice(-maxLength);
    this.#gap?.cancel();
    this.#gap = this.#clock.schedule(gapMs, () => {
      const whole = this.#received;
      this.#received = NO_BYTES;
      const from = this.#startIn(whole, 0);
      if (from >= 0 && whole.length > 0) this.#emit(whole.subarray(from));
    });
  }

  #cut(maxLength: number): void {
    for (;;) {
      const from = this.#startIn(this.#received, 0);
      if (from < 0) {
        // The last bytes may be the first ones of a start mark.
        const kept = (this.#framing.start?.length ?? 1) - 1;
        this.#received = kept === 0 ? NO_BYTES : this.#received.slice(-kept);
        return;
      }
      if (from > 0) this.#received = this.#received.slice(from);
      const length = this.#frameLength(this.#received);
      if (length === undefined && this.#received.length <= maxLength) return;
      if (length === undefined || length > maxLength) this.#skip();
      else if (this.#received.length < length) return;
      else if (this.#restart(length) > 0) this.#received = this.#received.slice(this.#restart(length));
      else if (this.#emit(this.#received.subarray(0, length)) === "intact" || this.#framing.start === undefined) {
        this.#received = this.#received.slice(length);
      } else this.#skip();
    }
  }

  /** On to what may be the next start. */
  #skip(): void {
    this.#received = this.#framing.start === undefined ? NO_BYTES : this.#received.slice(1);
  }

  #startIn(bytes: Uint8Array, from: number): number {
    const { start } = this.#framing;
    if (start === undefined) return bytes.length > 0 ? from : -1;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(start, from);
  }

  /** Undefined as long as it cannot be told. */
  #frameLength(bytes: Uint8Array): number | undefined {
    const { start = NO_BYTES, end, tail = 0, length, lengthField } = this.#framing;
    if (length !== undefined) return length;
    if (lengthField !== undefined) {
      const { offset, type, order = "big", add = 0 } = lengthField;
      if (bytes.length < offset + (type === "uint8" ? 1 : 2)) return undefined;
      return Math.max(1, Number(decodeByteValue(bytes, offset, { type, order })) + add);
    }
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = view.indexOf(end ?? NO_BYTES, start.length);
    return at < 0 ? undefined : at + (end?.length ?? 0) + tail;
  }

  /**
   * Where a start mark stands within a frame that ends with a mark: the frame before it was cut short. In others it may
   * be data.
   */
  #restart(length: number): number {
    const { start, end, tail } = this.#framing;
    if (start === undefined || end === undefined || tail !== undefined || this.#isCounted) return -1;
    return Buffer.from(this.#received.buffer, this.#received.byteOffset, length).lastIndexOf(start);
  }

  get #isCounted(): boolean {
    return this.#framing.length !== undefined || this.#framing.lengthField !== undefined;
  }

  #endsWell(bytes: Uint8Array): boolean {
    const { end = NO_BYTES, tail = 0 } = this.#framing;
    const from = bytes.length - tail - end.length;
    return end.every((byte, index) => bytes[from + index] === byte);
  }

  #emit(raw: Uint8Array): Frame["state"] {
    const { escape: mark } = this.#framing;
    const bytes = mark === undefined ? raw.slice() : unescaped(raw, mark);
    const isWhole = this.#checksum === undefined || isIntact(bytes, this.#checksum);
    const state = isWhole && this.#endsWell(bytes) ? "intact" : "damaged";
    this.#onFrame({ bytes, state });
    return state;
  }
}

function unescaped(bytes: Uint8Array, mark: number): Uint8Array {
  const plain: number[] = [];
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte !== mark) plain.push(byte);
    else plain.push(~(bytes[++index] ?? 0) & 0xff);
  }
  return Uint8Array.from(plain);
}
