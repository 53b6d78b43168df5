import { CausewayError } from "../base/errors.js";
import type { Scalar } from "./reading.js";

export const BYTE_TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint24",
  "int24",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "float32",
  "float64",
] as const;
export type ByteType = (typeof BYTE_TYPES)[number];

export const BYTE_ORDERS = ["big", "little"] as const;

/** A number that stands in a frame at any byte, unlike the values of registers. */
export interface ByteFormat {
  readonly type: ByteType;
  /** Big unless given: the most significant byte first. */
  readonly order?: (typeof BYTE_ORDERS)[number];
  /** A field of a whole number: `at` counts from the least significant bit, `width` is 1 unless given. */
  readonly bits?: { readonly at: number; readonly width?: number };
}

const BITS_OF_TYPE = /\d+$/;

/** Bytes that a value takes. */
export function byteCount({ type }: ByteFormat): number {
  return Number(BITS_OF_TYPE.exec(type)?.[0]) / 8;
}

/** What is wrong with the combination of fields; undefined when it makes sense. */
export function byteFormatProblem(format: ByteFormat): string | undefined {
  const { type, bits } = format;
  if (bits === undefined) return undefined;
  if (type.startsWith("float")) return `${type} has no bits`;
  const size = 8 * byteCount(format);
  return bits.at + (bits.width ?? 1) > size ? `${type} has only ${size} bits` : undefined;
}

/** Reads a value at byte `offset`; RangeError when the bytes end too soon. Beyond ±2^53 it is a bigint. */
export function decodeByteValue(bytes: Uint8Array, offset: number, format: ByteFormat): number | bigint {
  const size = byteCount(format);
  if (offset < 0 || offset + size > bytes.length) throw new RangeError("the bytes end within a value");
  const ordered = bytes.slice(offset, offset + size);
  if (format.order === "little") ordered.reverse();
  const view = new DataView(ordered.buffer);
  if (format.type === "float32") return view.getFloat32(0);
  if (format.type === "float64") return view.getFloat64(0);
  let whole = 0n;
  for (const byte of ordered) whole = (whole << 8n) | BigInt(byte);
  if (format.bits !== undefined) {
    const { at, width = 1 } = format.bits;
    return narrow(BigInt.asUintN(width, whole >> BigInt(at)));
  }
  return narrow(format.type.startsWith("int") ? BigInt.asIntN(8 * size, whole) : whole);
}

/** The bytes of a value; throws VALUE_INVALID when the type cannot hold it. Fractions of whole numbers are rounded. */
export function encodeByteValue(value: Scalar, format: ByteFormat): Uint8Array {
  const size = byteCount(format);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const number = typeof value === "number" || typeof value === "boolean" ? Number(value) : value;
  if (typeof number !== "bigint" && (typeof number !== "number" || !Number.isFinite(number))) {
    throw misfit(value, format.type);
  }
  if (format.type === "float32") view.setFloat32(0, Number(number));
  else if (format.type === "float64") view.setFloat64(0, Number(number));
  else {
    const whole = typeof number === "bigint" ? number : BigInt(Math.round(number));
    const placed = format.bits === undefined ? whole : whole << BigInt(format.bits.at);
    const held = format.type.startsWith("u") ? BigInt.asUintN(8 * size, placed) : BigInt.asIntN(8 * size, placed);
    if (held !== placed) throw misfit(value, format.type);
    for (let index = 0; index < size; index++) bytes[size - 1 - index] = Number((held >> BigInt(8 * index)) & 0xffn);
  }
  if (format.type === "float32" && !Number.isFinite(view.getFloat32(0))) throw misfit(value, format.type);
  return format.order === "little" ? bytes.reverse() : bytes;
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function misfit(value: Scalar, type: string): CausewayError {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  return new CausewayError("VALUE_INVALID", `${shown} does not fit ${type}`);
}
