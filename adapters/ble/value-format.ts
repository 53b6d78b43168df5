import {
  BYTE_TYPES,
  type ByteFormat,
  byteCount,
  byteFormatProblem,
  CausewayError,
  decodeByteValue,
  encodeByteValue,
  isByteType,
  type Scalar,
  type ScalarKind,
  utf8Decode,
  utf8Encode,
} from "causeway/adapter";

export const VALUE_TYPES = [...BYTE_TYPES, "bool", "string", "bytes"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** How a value lies in bytes: little-endian unless said otherwise, as in everything that Bluetooth itself defines. */
export interface ValueFormat extends Omit<ByteFormat, "type"> {
  readonly type: ValueType;
}

export function kindOfType(type: ValueType): ScalarKind {
  if (type === "bool") return "boolean";
  return type === "string" || type === "bytes" ? type : "number";
}

/** Text and bytes take all that is left. */
export function sizeOfType(type: ValueType): number | undefined {
  if (type === "bool") return 1;
  return isByteType(type) ? byteCount({ type }) : undefined;
}

/** Most formats are one of these; a packet with many objects need not make them anew. */
const LITTLE: ReadonlyMap<ValueType, ByteFormat> = new Map(
  BYTE_TYPES.map((type) => [type, { type, order: "little" } as const]),
);

/** The format of a number; undefined for other types. */
export function numberFormat(format: ValueFormat): ByteFormat | undefined {
  const { order, bits, sign } = format;
  if (order === undefined && bits === undefined && sign === undefined) return LITTLE.get(format.type);
  if (!isNumberFormat(format)) return undefined;
  return order === undefined ? { ...format, order: "little" } : format;
}

function isNumberFormat(format: ValueFormat): format is ByteFormat {
  return LITTLE.has(format.type);
}

/** What contradicts itself in the format. */
export function formatProblem(format: ValueFormat): string | undefined {
  const { type, sign, bits, order } = format;
  const size = sizeOfType(type);
  if (order !== undefined && (size === undefined || size === 1)) return `a ${type} has no 'order'`;
  const number = numberFormat(format);
  if (number !== undefined) return byteFormatProblem(number);
  if (bits !== undefined) return `a ${type} has no 'bits'`;
  return sign === undefined ? undefined : `a ${type} has no 'sign'`;
}

/** Undefined when the bytes end before the value does. Text that is no UTF-8 is undefined too. */
export function readValue(bytes: Uint8Array, at: number, format: ValueFormat): Scalar | undefined {
  const number = numberFormat(format);
  if (number !== undefined) {
    return at + byteCount(number) > bytes.length ? undefined : decodeByteValue(bytes, at, number);
  }
  const { type } = format;
  if (at > bytes.length) return undefined;
  if (type === "bytes") return bytes.slice(at);
  if (type === "string") return utf8Decode(bytes.subarray(at))?.replace(/\0+$/, "");
  return at === bytes.length ? undefined : bytes[at] !== 0;
}

/** The value as it will stand in the bytes. Throws VALUE_INVALID when they cannot hold it. */
export function fitToFormat(value: Scalar, format: ValueFormat, place: string): Scalar {
  const number = numberFormat(format);
  const bytes = writeValue(value, format, place);
  return number === undefined ? value : decodeByteValue(bytes, 0, number);
}

/** The bytes of a value. Throws VALUE_INVALID when the type cannot hold it. */
export function writeValue(value: Scalar, format: ValueFormat, place: string): Uint8Array {
  const { type } = format;
  const kind = kindOfType(type);
  if (kind === "bytes" && value instanceof Uint8Array) return value;
  if (kind === "string" && typeof value === "string") return utf8Encode(value);
  if (kind === "boolean" && typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  const number = numberFormat(format);
  if (number === undefined || (typeof value !== "number" && typeof value !== "bigint")) {
    throw new CausewayError("VALUE_INVALID", `${place} takes a ${type}`);
  }
  try {
    return encodeByteValue(value, number);
  } catch (error) {
    if (error instanceof CausewayError)
      throw new CausewayError(error.code, `${place}: ${error.message}`, { cause: error });
    throw error;
  }
}
