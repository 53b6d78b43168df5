import { utf8Decode, utf8Encode } from "../base/bytes.js";
import { CausewayError } from "../base/errors.js";
import type { Scalar } from "./reading.js";

export const REGISTER_TYPES = [
  "bool",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float32",
  "float64",
  "string",
] as const;
export type RegisterType = (typeof REGISTER_TYPES)[number];

/**
 * Where the bytes of a big-endian 32-bit value ABCD stand on the wire. 64-bit values expand by word (CDAB: the low word
 * first); 16-bit values and text know only the order within the word.
 */
export const REGISTER_ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type RegisterOrder = (typeof REGISTER_ORDERS)[number];

export interface RegisterFormat {
  readonly type: RegisterType;
  /** ABCD unless given. */
  readonly order?: RegisterOrder;
  /** A field of a whole number: `at` counts from the least significant bit, `width` is 1 unless given. */
  readonly bits?: { readonly at: number; readonly width?: number };
  /** Of a string: registers, each two bytes. */
  readonly length?: number;
}

const REGISTERS: Record<Exclude<RegisterType, "string">, number> = {
  bool: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  int64: 4,
  uint64: 4,
  float32: 2,
  float64: 4,
};

const INTEGER_BITS: Partial<Record<RegisterType, number>> = {
  bool: 16,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
};

/** How many 16-bit registers a value takes. */
export function registerCount(format: RegisterFormat): number {
  return format.type === "string" ? (format.length ?? 1) : REGISTERS[format.type];
}

/** What is wrong with the combination of fields; undefined when it makes sense. */
export function registerFormatProblem(format: RegisterFormat): string | undefined {
  const { type, bits, length } = format;
  if (type === "string" && length === undefined) return "a string needs 'length' (in registers)";
  if (type !== "string" && length !== undefined) return "only a string has 'length'";
  if (bits === undefined) return undefined;
  const size = INTEGER_BITS[type];
  if (size === undefined) return `${type} has no bits`;
  if (type === "bool" && (bits.width ?? 1) !== 1) return "a bool is one bit wide";
  return bits.at + (bits.width ?? 1) > size ? `${type} has only ${size} bits` : undefined;
}

/** Reads a value at byte `offset`; RangeError when the bytes end too soon. 64-bit values beyond ±2^53 are bigint. */
export function decodeRegisters(bytes: Uint8Array, offset: number, format: RegisterFormat): Scalar {
  const word = plainWord(bytes, offset, format);
  if (word !== undefined) return format.type === "int16" ? (word << 16) >> 16 : word;
  const ordered = inOrder(bytes.subarray(offset, offset + 2 * registerCount(format)), format);
  if (ordered.length < 2 * registerCount(format)) throw new RangeError("registers end within a value");
  if (format.type === "string") return decodeText(ordered);
  const view = new DataView(ordered.buffer, ordered.byteOffset, ordered.byteLength);
  if (format.bits !== undefined) {
    const { at, width = 1 } = format.bits;
    const field = narrow(BigInt.asUintN(width, unsignedOf(view) >> BigInt(at)));
    return format.type === "bool" ? field !== 0 : field;
  }
  switch (format.type) {
    case "bool":
      return view.getUint16(0) !== 0;
    case "int16":
      return view.getInt16(0);
    case "uint16":
      return view.getUint16(0);
    case "int32":
      return view.getInt32(0);
    case "uint32":
      return view.getUint32(0);
    case "int64":
      return narrow(view.getBigInt64(0));
    case "uint64":
      return narrow(view.getBigUint64(0));
    case "float32":
      return view.getFloat32(0);
    case "float64":
      return view.getFloat64(0);
  }
}

/** Most values are one word in the usual order, of which thousands are read each second. */
function plainWord(bytes: Uint8Array, offset: number, { type, order, bits }: RegisterFormat): number | undefined {
  const isPlain = (type === "uint16" || type === "int16") && order === undefined && bits === undefined;
  const [high, low] = [bytes[offset], bytes[offset + 1]];
  return isPlain && high !== undefined && low !== undefined ? (high << 8) | low : undefined;
}

/**
 * The bytes of a value as registers. A field of bits gives only that field, all other bits 0: join it with what the
 * register holds by `mergeBits`. Throws VALUE_INVALID when the type cannot hold the value; fractions are rounded.
 */
export function encodeRegisters(value: Scalar, format: RegisterFormat): Uint8Array {
  const bytes = new Uint8Array(2 * registerCount(format));
  if (format.type === "string") {
    bytes.set(encodeText(value, bytes.length));
    return inOrder(bytes, format);
  }
  const view = new DataView(bytes.buffer);
  if (format.type === "float32") view.setFloat32(0, finite(value, format.type));
  else if (format.type === "float64") view.setFloat64(0, finite(value, format.type));
  else setUnsigned(view, encodeInteger(value, format));
  if (format.type === "float32" && !Number.isFinite(view.getFloat32(0))) throw misfit(value, format.type);
  return inOrder(bytes, format);
}

/** Puts a field of bits, as `encodeRegisters` gave it, into the present content of its registers. */
export function mergeBits(present: Uint8Array, encoded: Uint8Array, format: RegisterFormat): Uint8Array {
  if (format.bits === undefined) return encoded;
  const { at, width = 1 } = format.bits;
  const mask = new Uint8Array(present.length);
  setUnsigned(new DataView(mask.buffer), ((1n << BigInt(width)) - 1n) << BigInt(at));
  const ordered = inOrder(mask, format);
  return present.map((byte, index) => (byte & ~(ordered[index] ?? 0)) | (encoded[index] ?? 0));
}

// Its own inverse: swapping bytes and reversing words twice gives the input again.
function inOrder(bytes: Uint8Array, { type, order = "ABCD" }: RegisterFormat): Uint8Array {
  if (order === "ABCD") return bytes;
  const swapBytes = order === "BADC" || order === "DCBA";
  const reverseWords = type !== "string" && (order === "CDAB" || order === "DCBA");
  const result = new Uint8Array(bytes.length);
  for (let index = 0; index < bytes.length; index++) {
    const word = reverseWords ? bytes.length - 2 - (index & ~1) : index & ~1;
    result[index] = bytes[word + ((index & 1) ^ (swapBytes ? 1 : 0))] ?? 0;
  }
  return result;
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function unsignedOf(view: DataView): bigint {
  if (view.byteLength === 8) return view.getBigUint64(0);
  return BigInt(view.byteLength === 4 ? view.getUint32(0) : view.getUint16(0));
}

function setUnsigned(view: DataView, value: bigint): void {
  if (view.byteLength === 8) view.setBigUint64(0, value);
  else if (view.byteLength === 4) view.setUint32(0, Number(value));
  else view.setUint16(0, Number(value));
}

function encodeInteger(value: Scalar, format: RegisterFormat): bigint {
  const { type, bits } = format;
  const whole = wholeOf(value, type);
  if (bits !== undefined) {
    const { at, width = 1 } = bits;
    if (whole < 0n || whole >> BigInt(width) !== 0n) throw misfit(value, `${width} bits`);
    return whole << BigInt(at);
  }
  if (type === "bool") return whole === 0n ? 0n : 1n;
  const size = INTEGER_BITS[type] ?? 64;
  const held = type.startsWith("u") ? BigInt.asUintN(size, whole) : BigInt.asIntN(size, whole);
  if (held !== whole) throw misfit(value, type);
  return BigInt.asUintN(size, whole);
}

function wholeOf(value: Scalar, type: RegisterType): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  return BigInt(Math.round(finite(value, type)));
}

function finite(value: Scalar, type: RegisterType): number {
  const number = typeof value === "bigint" || typeof value === "boolean" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) throw misfit(value, type);
  return number;
}

// Devices pad text with NUL or spaces; ISO 8859-1 is what is meant where it is not UTF-8.
function decodeText(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  const used = nul < 0 ? bytes : bytes.subarray(0, nul);
  return (utf8Decode(used) ?? Buffer.from(used).toString("latin1")).trimEnd();
}

function encodeText(value: Scalar, room: number): Uint8Array {
  if (typeof value !== "string") throw misfit(value, "string");
  const bytes = utf8Encode(value);
  if (bytes.length > room) throw misfit(value, `string of ${room} bytes`);
  return bytes;
}

function misfit(value: Scalar, what: string): CausewayError {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  return new CausewayError("VALUE_INVALID", `${shown} does not fit ${what}`);
}
