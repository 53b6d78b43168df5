import { concatBytes, utf8Decode } from "../../base/bytes.js";
import { CausewayError } from "../../base/errors.js";
import { halfToNumber } from "./half-float.js";

/** `undefined` is CBOR's own; integers beyond 2^53 are bigint. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly CborValue[]
  | CborMap
  | CborTag;

/** Keys may be of any kind, so pairs are kept as they come; duplicate keys are up to the reader. */
export class CborMap {
  readonly pairs: readonly (readonly [CborValue, CborValue])[];

  constructor(pairs: readonly (readonly [CborValue, CborValue])[]) {
    this.pairs = pairs;
  }
}

export class CborTag {
  readonly tag: number | bigint;
  readonly value: CborValue;

  constructor(tag: number | bigint, value: CborValue) {
    this.tag = tag;
    this.value = value;
  }
}

const MAX_DEPTH = 16;
const INDEFINITE = 31;
const BREAK = Symbol("break");

/** Reads exactly one data item (RFC 8949); throws LWM2M_DECODE on anything not well-formed and on bytes after it. */
export function decodeCbor(payload: Uint8Array): CborValue {
  const reader = new CborReader(payload);
  const value = reader.value(0);
  if (reader.offset !== payload.length) throw reader.error("bytes after the end");
  return value;
}

class CborReader {
  offset = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  error(what: string): CausewayError {
    return new CausewayError("LWM2M_DECODE", `CBOR at byte ${this.offset}: ${what}`);
  }

  value(depth: number): CborValue {
    const item = this.#item(depth);
    if (item === BREAK) throw this.error("break outside of an indefinite item");
    return item;
  }

  #item(depth: number): CborValue | typeof BREAK {
    if (depth > MAX_DEPTH) throw this.error("nested too deeply");
    const initial = this.#take(1);
    const byte = this.#bytes[initial] ?? 0;
    const [major, info] = [byte >> 5, byte & 0x1f];
    if (info > 27 && info !== INDEFINITE) throw this.error("reserved length");
    switch (major) {
      case 0:
        return this.#argument(info);
      case 1:
        return negative(this.#argument(info));
      case 2:
        // A copy: what is kept must not keep the datagram, nor change with its buffer.
        return new Uint8Array(this.#string(info, 2));
      case 3:
        return this.#text(info);
      case 4:
        return this.#items(info, depth);
      case 5:
        return this.#map(info, depth);
      case 6:
        return new CborTag(this.#argument(info), this.value(depth + 1));
      default:
        return this.#simple(info);
    }
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#view.getUint8(this.#take(1));
      case 25:
        return this.#view.getUint16(this.#take(2));
      case 26:
        return this.#view.getUint32(this.#take(4));
      case 27: {
        const wide = this.#view.getBigUint64(this.#take(8));
        return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
      }
      default:
        throw this.error("indefinite length is not for this type");
    }
  }

  /** A count or length; never more than the bytes that are left, as every item takes at least one. */
  #count(info: number): number {
    const count = this.#argument(info);
    if (count > this.#bytes.length - this.offset) throw this.error("cut short");
    return Number(count);
  }

  #string(info: number, major: 2 | 3): Uint8Array {
    if (info !== INDEFINITE) {
      const length = this.#count(info);
      const start = this.#take(length);
      return this.#bytes.subarray(start, start + length);
    }
    const chunks: Uint8Array[] = [];
    for (;;) {
      const byte = this.#bytes[this.#take(1)];
      if (byte === 0xff) return concatBytes(chunks);
      if (byte === undefined || byte >> 5 !== major || (byte & 0x1f) > 27)
        throw this.error("not a chunk of the string");
      chunks.push(this.#string(byte & 0x1f, major));
    }
  }

  #text(info: number): string {
    const text = utf8Decode(this.#string(info, 3));
    if (text === undefined) throw this.error("text is not UTF-8");
    return text;
  }

  #items(info: number, depth: number): CborValue[] {
    const items: CborValue[] = [];
    const count = info === INDEFINITE ? Number.POSITIVE_INFINITY : this.#count(info);
    while (items.length < count) {
      const item = this.#item(depth + 1);
      if (item === BREAK) {
        if (info === INDEFINITE) return items;
        throw this.error("break in a definite array");
      }
      items.push(item);
    }
    return items;
  }

  #map(info: number, depth: number): CborMap {
    const pairs: [CborValue, CborValue][] = [];
    const count = info === INDEFINITE ? Number.POSITIVE_INFINITY : this.#count(info);
    while (pairs.length < count) {
      const key = this.#item(depth + 1);
      if (key === BREAK) {
        if (info === INDEFINITE) break;
        throw this.error("break in a definite map");
      }
      pairs.push([key, this.value(depth + 1)]);
    }
    return new CborMap(pairs);
  }

  #simple(info: number): CborValue | typeof BREAK {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 25:
        return halfToNumber(this.#view.getUint16(this.#take(2)));
      case 26:
        return this.#view.getFloat32(this.#take(4));
      case 27:
        return this.#view.getFloat64(this.#take(8));
      case INDEFINITE:
        return BREAK;
      default:
        throw this.error("unassigned simple value");
    }
  }

  /** Offset of the next `count` bytes, which are then behind. */
  #take(count: number): number {
    const start = this.offset;
    if (start + count > this.#bytes.length) throw this.error("cut short");
    this.offset = start + count;
    return start;
  }
}

function negative(argument: number | bigint): number | bigint {
  if (typeof argument === "number" && argument < Number.MAX_SAFE_INTEGER) return -1 - argument;
  return -1n - BigInt(argument);
}
