import { CausewayError, type Scalar, type ScalarKind, utf8Decode, utf8Encode } from "causeway/adapter";

export const VALUE_TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint24",
  "int24",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "bytes",
] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** How a value lies in bytes. */
export interface ValueFormat {
  readonly type: ValueType;
  /** Little unless given, as in everything that Bluetooth itself defines. */
  readonly order?: "little" | "big";
  /** `magnitude`: the highest bit is the sign, the others are the amount. */
  readonly sign?: "magnitude";
  /** Of an unsigned number; `at` 0 is the lowest bit. */
  readonly bits?: { readonly at: number; readonly width?: number };
}

interface NumberLayout {
  readonly size: number;
  readonly signed: boolean;
}

const NUMBERS: Partial<Record<ValueType, NumberLayout>> = {
  uint8: { size: 1, signed: false },
  int8: { size: 1, signed: true },
  uint16: { size: 2, signed: false },
  int16: { size: 2, signed: true },
  uint24: { size: 3, signed: false },
  int24: { size: 3, signed: true },
  uint32: { size: 4, signed: false },
  int32: { size: 4, signed: true },
};

export function kindOfType(type: ValueType): ScalarKind {
  if (type === "bool") return "boolean";
  return type === "string" || type === "bytes" ? type : "number";
}

/** Text and bytes take all that is left. */
export function sizeOfType(type: ValueType): number | undefined {
  if (type === "bool") return 1;
  return type === "float32" ? 4 : NUMBERS[type]?.size;
}

/** What contradicts itself in the format. */
export function formatProblem({ type, sign, bits, order }: ValueFormat): string | undefined {
  const layout = NUMBERS[type];
  if (bits !== undefined) {
    if (layout === undefined || layout.signed) return `'bits' need an unsigned type, not ${type}`;
    if (bits.at + (bits.width ?? 1) > 8 * layout.size) return `'bits' reach beyond a ${type}`;
  }
  if (sign !== undefined && (layout?.signed !== true || bits !== undefined)) {
    return "'sign: magnitude' needs a signed type, without bits";
  }
  const size = sizeOfType(type);
  return order !== undefined && (size === undefined || size === 1) ? `a ${type} has no 'order'` : undefined;
}

/** Undefined when the bytes end before the value does. Text that is no UTF-8 is undefined too. */
export function readValue(bytes: Uint8Array, at: number, format: ValueFormat): Scalar | undefined {
  const { type } = format;
  if (at > bytes.length) return undefined;
  if (type === "bytes") return bytes.slice(at);
  if (type === "string") return utf8Decode(bytes.subarray(at))?.replace(/\0+$/, "");
  const size = sizeOfType(type) ?? 0;
  if (at + size > bytes.length) return undefined;
  if (type === "bool") return bytes[at] !== 0;
  if (type === "float32") return viewOf(bytes).getFloat32(at, format.order !== "big");
  return signedValue(readUnsigned(bytes, at, size, format.order), size, format);
}

export function readUnsigned(bytes: Uint8Array, at: number, size: number, order: ValueFormat["order"]): number {
  let value = 0;
  for (let index = 0; index < size; index++) {
    value = value * 256 + (bytes[order === "big" ? at + index : at + size - 1 - index] ?? 0);
  }
  return value;
}

function signedValue(raw: number, size: number, { type, sign, bits }: ValueFormat): number {
  if (bits !== undefined) return Math.floor(raw / 2 ** bits.at) % 2 ** (bits.width ?? 1);
  const half = 2 ** (8 * size - 1);
  if (NUMBERS[type]?.signed !== true || raw < half) return raw;
  return sign === "magnitude" ? -(raw - half) : raw - 2 * half;
}

/** The value as it will stand in the bytes. Throws VALUE_INVALID when they cannot hold it. */
export function fitToFormat(value: Scalar, format: ValueFormat, place: string): Scalar {
  const { type } = format;
  const kind = kindOfType(type);
  const plain = typeof value === "bigint" ? Number(value) : value;
  const matches = kind === "bytes" ? plain instanceof Uint8Array : typeof plain === kind;
  if (!matches) throw new CausewayError("VALUE_INVALID", `${place} takes a ${type}`);
  if (typeof plain !== "number") return plain;
  if (type === "float32") return Math.fround(plain);
  const layout = NUMBERS[type];
  if (layout === undefined) return plain;
  const whole = Math.round(plain);
  const [min, max] = rangeOf(layout, format);
  if (whole >= min && whole <= max) return whole;
  throw new CausewayError("VALUE_INVALID", `${place}: ${plain} is not within ${min} to ${max}`);
}

function rangeOf({ size, signed }: NumberLayout, { sign }: ValueFormat): readonly [number, number] {
  const all = 2 ** (8 * size);
  if (!signed) return [0, all - 1];
  return sign === "magnitude" ? [1 - all / 2, all / 2 - 1] : [-all / 2, all / 2 - 1];
}

/** The bytes of a value that `fitToFormat` gave. */
export function writeValue(value: Scalar, { type, order, sign }: ValueFormat): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return utf8Encode(value);
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  const size = sizeOfType(type) ?? 0;
  const bytes = new Uint8Array(size);
  if (type === "float32") {
    viewOf(bytes).setFloat32(0, Number(value), order !== "big");
    return bytes;
  }
  let rest = Number(value);
  if (rest < 0) rest = sign === "magnitude" ? 2 ** (8 * size - 1) - rest : rest + 2 ** (8 * size);
  for (let index = 0; index < size; index++) {
    bytes[order === "big" ? size - 1 - index : index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
