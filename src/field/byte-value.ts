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
export type ByteOrder = (typeof BYTE_ORDERS)[number];

/** A number that stands in a frame at any byte, unlike the values of registers. */
export interface ByteFormat {
  readonly type: ByteType;
  /** Big unless given: the most significant byte first. */
  readonly order?: ByteOrder;
  /** `magnitude`: the highest bit is the sign, the others are the amount; two's complement unless given. */
  readonly sign?: "magnitude";
  /** A field of a whole number: `at` counts from the least significant bit, `width` is 1 unless given. */
  readonly bits?: { readonly at: number; readonly width?: number };
}

interface Layout {
  /** In bytes. */
  readonly size: number;
  readonly as: "unsigned" | "signed" | "float";
}

const LAYOUTS: Readonly<Record<ByteType, Layout>> = {
  uint8: { size: 1, as: "unsigned" },
  int8: { size: 1, as: "signed" },
  uint16: { size: 2, as: "unsigned" },
  int16: { size: 2, as: "signed" },
  uint24: { size: 3, as: "unsigned" },
  int24: { size: 3, as: "signed" },
  uint32: { size: 4, as: "unsigned" },
  int32: { size: 4, as: "signed" },
  uint64: { size: 8, as: "unsigned" },
  int64: { size: 8, as: "signed" },
  float32: { size: 4, as: "float" },
  float64: { size: 8, as: "float" },
};

export function isByteType(type: string): type is ByteType {
  return Object.hasOwn(LAYOUTS, type);
}

/** Bytes that a value takes. */
export function byteCount({ type }: Pick<ByteFormat, "type">): number {
  return LAYOUTS[type].size;
}

/** What is wrong with the combination of fields; undefined when it makes sense. */
export function byteFormatProblem({ type, bits, sign }: ByteFormat): string | undefined {
  const { size, as } = LAYOUTS[type];
  if (sign !== undefined && (as !== "signed" || bits !== undefined)) {
    return "'sign: magnitude' needs a signed type, without bits";
  }
  if (bits === undefined) return undefined;
  if (as === "float") return `${type} has no bits`;
  return bits.at + (bits.width ?? 1) > 8 * size ? `${type} has only ${8 * size} bits` : undefined;
}

/** Reads a value at byte `offset`; RangeError when the bytes end too soon. Beyond ±2^53 it is a bigint. */
export function decodeByteValue(bytes: Uint8Array, offset: number, format: ByteFormat): number | bigint {
  const { type, order, sign, bits } = format;
  const { size, as } = LAYOUTS[type];
  if (offset < 0 || offset + size > bytes.length) throw new RangeError("the bytes end within a value");
  if (size === 8 || as === "float") return decodeWide(bytes, offset, format);
  const raw = readUnsigned(bytes, offset, size, order);
  if (bits !== undefined) return Math.floor(raw / 2 ** bits.at) % 2 ** (bits.width ?? 1);
  const half = 2 ** (8 * size - 1);
  if (as === "unsigned" || raw < half) return raw;
  return sign === "magnitude" ? half - raw : raw - 2 * half;
}

/** A whole number of up to 6 bytes; those beyond the end count as 0. */
export function readUnsigned(bytes: Uint8Array, offset: number, size: number, order: ByteOrder = "big"): number {
  let value = 0;
  for (let index = 0; index < size; index++) {
    value = value * 256 + (bytes[order === "big" ? offset + index : offset + size - 1 - index] ?? 0);
  }
  return value;
}

/** What JavaScript's own numbers do not hold, or hold anyway. */
function decodeWide(bytes: Uint8Array, offset: number, { type, order, sign, bits }: ByteFormat): number | bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const isLittle = order === "little";
  if (type === "float32") return view.getFloat32(0, isLittle);
  if (type === "float64") return view.getFloat64(0, isLittle);
  const raw = view.getBigUint64(0, isLittle);
  if (bits !== undefined) return narrow(BigInt.asUintN(bits.width ?? 1, raw >> BigInt(bits.at)));
  const half = 1n << 63n;
  if (type === "uint64" || raw < half) return narrow(raw);
  return narrow(sign === "magnitude" ? half - raw : raw - 2n * half);
}

/** The bytes of a value, 0 in bits beside its own. Throws as `putByteValue`. */
export function encodeByteValue(value: Scalar, format: ByteFormat): Uint8Array {
  const bytes = new Uint8Array(byteCount(format));
  putByteValue(bytes, 0, value, format);
  return bytes;
}

/**
 * Writes a value at byte `offset`; bits beside its own stay as they are. Fractions of whole numbers are rounded. Throws
 * VALUE_INVALID when the type cannot hold it, RangeError when the bytes end too soon.
 */
export function putByteValue(bytes: Uint8Array, offset: number, value: Scalar, format: ByteFormat): void {
  const { type, order } = format;
  const { size, as } = LAYOUTS[type];
  const number = typeof value === "boolean" ? Number(value) : value;
  const isNumber = typeof number === "bigint" || (typeof number === "number" && Number.isFinite(number));
  if (!isNumber) throw misfit(value, format);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, size);
  if (as === "float") {
    const isSingle = type === "float32";
    if (isSingle && !Number.isFinite(Math.fround(Number(number)))) throw misfit(value, format);
    if (isSingle) view.setFloat32(0, Number(number), order === "little");
    else view.setFloat64(0, Number(number), order === "little");
    return;
  }
  const whole = typeof number === "bigint" ? number : BigInt(Math.round(number));
  const placed = placedBits(whole, format);
  if (placed === undefined) throw misfit(value, format);
  const [mask, own] = placed;
  for (let index = 0; index < size; index++) {
    const at = order === "little" ? index : size - 1 - index;
    const kept = view.getUint8(at) & ~byteOf(mask, index);
    view.setUint8(at, kept | byteOf(own, index));
  }
}

/** The bits that a value has for itself, and what they become; undefined when they cannot hold it. */
function placedBits(whole: bigint, { type, sign, bits }: ByteFormat): readonly [mask: bigint, own: bigint] | undefined {
  const { size, as } = LAYOUTS[type];
  const width = bits === undefined ? 8 * size : (bits.width ?? 1);
  const all = 1n << BigInt(width);
  const at = BigInt(bits?.at ?? 0);
  if (as === "unsigned" || bits !== undefined) {
    return whole < 0n || whole >= all ? undefined : [(all - 1n) << at, whole << at];
  }
  const half = all / 2n;
  const least = sign === "magnitude" ? 1n - half : -half;
  if (whole < least || whole >= half) return undefined;
  if (whole >= 0n) return [all - 1n, whole];
  return [all - 1n, sign === "magnitude" ? half - whole : whole + all];
}

function byteOf(value: bigint, index: number): number {
  return Number((value >> BigInt(8 * index)) & 0xffn);
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function misfit(value: Scalar, { type, bits }: ByteFormat): CausewayError {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  const place = bits === undefined ? type : `${bits.width ?? 1} bits of ${type}`;
  return new CausewayError("VALUE_INVALID", `${shown} does not fit ${place}`);
}
