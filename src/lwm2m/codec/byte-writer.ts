import { Buffer } from "node:buffer";
import { utf8Write } from "../../base/bytes.js";

const FIRST_CAPACITY = 64;

/** Bytes that grow as they are written, numbers in network order. */
export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  uint8(value: number): void {
    const at = this.#claim(1);
    this.#buffer[at] = value;
  }

  uint16(value: number): void {
    const at = this.#claim(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  uint24(value: number): void {
    const at = this.#claim(3);
    this.#buffer.writeUIntBE(value, at, 3);
  }

  uint32(value: number): void {
    const at = this.#claim(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  /** The lowest 64 bits, so signed values too. */
  uint64(value: bigint): void {
    const at = this.#claim(8);
    this.#buffer.writeBigUInt64BE(BigInt.asUintN(64, value), at);
  }

  float32(value: number): void {
    const at = this.#claim(4);
    this.#buffer.writeFloatBE(value, at);
  }

  float64(value: number): void {
    const at = this.#claim(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** `byteLength` is what `utf8Length` says of the text. */
  text(text: string, byteLength: number): void {
    const at = this.#claim(byteLength);
    utf8Write(text, byteLength, this.#buffer, at);
  }

  /** What was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #claim(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    return at;
  }
}
