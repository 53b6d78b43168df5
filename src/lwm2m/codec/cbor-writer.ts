import { utf8Length } from "../../base/bytes.js";
import { ByteWriter } from "./byte-writer.js";
import { exactHalf } from "./half-float.js";

const MAJOR = { unsigned: 0x00, negative: 0x20, bytes: 0x40, text: 0x60, array: 0x80, map: 0xa0, tag: 0xc0 } as const;

/** Writes CBOR in preferred serialization, definite lengths (RFC 8949 §4.1). */
export class CborWriter {
  readonly #out = new ByteWriter();

  /** A whole number of 64 bits or fewer. */
  integer(value: number | bigint): this {
    if (value >= 0) this.#head(MAJOR.unsigned, value);
    else this.#head(MAJOR.negative, typeof value === "bigint" ? -1n - value : -1 - value);
    return this;
  }

  /** In the shortest of half, single and double precision that is exact. */
  float(value: number): this {
    const fitsSingle = Object.is(Math.fround(value), value);
    const half = fitsSingle ? exactHalf(value) : undefined;
    if (half !== undefined) {
      this.#out.uint8(0xf9);
      this.#out.uint16(half);
    } else if (fitsSingle) {
      this.#out.uint8(0xfa);
      this.#out.float32(value);
    } else {
      this.#out.uint8(0xfb);
      this.#out.float64(value);
    }
    return this;
  }

  text(text: string): this {
    const byteLength = utf8Length(text);
    this.#head(MAJOR.text, byteLength);
    this.#out.text(text, byteLength);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#head(MAJOR.bytes, bytes.length);
    this.#out.bytes(bytes);
    return this;
  }

  boolean(value: boolean): this {
    this.#out.uint8(value ? 0xf5 : 0xf4);
    return this;
  }

  null(): this {
    this.#out.uint8(0xf6);
    return this;
  }

  /** `length` items follow. */
  array(length: number): this {
    this.#head(MAJOR.array, length);
    return this;
  }

  /** `length` pairs of key and value follow. */
  map(length: number): this {
    this.#head(MAJOR.map, length);
    return this;
  }

  /** One item follows. */
  tag(tag: number): this {
    this.#head(MAJOR.tag, tag);
    return this;
  }

  finish(): Uint8Array {
    return this.#out.finish();
  }

  #head(major: number, argument: number | bigint): void {
    const out = this.#out;
    const number = typeof argument === "number" ? argument : Number(argument);
    if (number < 24) {
      out.uint8(major | number);
    } else if (number < 0x100) {
      out.uint8(major | 24);
      out.uint8(number);
    } else if (number < 0x1_0000) {
      out.uint8(major | 25);
      out.uint16(number);
    } else if (number < 0x1_0000_0000) {
      out.uint8(major | 26);
      out.uint32(number);
    } else {
      out.uint8(major | 27);
      out.uint64(BigInt(argument));
    }
  }
}
