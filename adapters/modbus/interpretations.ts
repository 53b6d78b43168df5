import { decodeRegisters, REGISTER_ORDERS, type RegisterFormat, registerCount, type Scalar } from "causeway/adapter";
import type { RegisterBytes } from "./register-bytes.js";

/** What the bytes from one register on could mean. */
export interface Interpretation {
  /** As on the wire, counted from 0. */
  readonly register: number;
  /** Type and order, as a profile says them: `float32 ABCD`. */
  readonly as: string;
  readonly value: string;
  readonly isPlausible: boolean;
}

/** Measured values as devices send them lie within these; beyond there are times, serial numbers and other types. */
const SMALLEST_FLOAT = 1e-4;
const LARGEST_FLOAT = 1e8;
const LARGEST_WORD = 10_000;
const LARGEST_INTEGER = 1e8;
const SMALLEST_INTEGER = -1e6;
const SHORTEST_TEXT = 4;

const FORMATS: readonly RegisterFormat[] = [
  { type: "uint16" },
  { type: "int16" },
  ...REGISTER_ORDERS.flatMap((order): RegisterFormat[] => [
    { type: "uint32", order },
    { type: "int32", order },
    { type: "float32", order },
  ]),
  { type: "uint64" },
  { type: "uint64", order: "CDAB" },
  { type: "float64" },
  { type: "float64", order: "CDAB" },
];

/** All meanings of registers that were read together, from each register on. Pure. */
export function interpretRegisters(
  bytes: Uint8Array,
  first: number,
  registerBytes: RegisterBytes = 2,
): readonly Interpretation[] {
  if (registerBytes === 4) return fourByteMeanings(bytes, first);
  const rows = meaningsOf(bytes, first);
  const floats = rows.filter(({ as, isPlausible: is }) => is && as.startsWith("float32"));
  // What is half of a plausible float32 is hardly a number of its own, nor are its four bytes a text.
  const isHalf = ({ register, as }: Interpretation): boolean =>
    (as.endsWith("int16") || as === "string of 2") &&
    floats.some((float) => register === float.register || register === float.register + 1);
  return rows.map((row) => (isHalf(row) ? { ...row, isPlausible: false } : row));
}

function meaningsOf(bytes: Uint8Array, first: number): Interpretation[] {
  const rows: Interpretation[] = [];
  for (let offset = 0; 2 * offset < bytes.length; offset++) {
    for (const format of FORMATS) {
      if (2 * (offset + registerCount(format)) > bytes.length) continue;
      const value = decodeRegisters(bytes, 2 * offset, format);
      if (isTwin(value, format)) continue;
      const as = registerCount(format) === 1 ? format.type : `${format.type} ${format.order ?? "ABCD"}`;
      rows.push({ register: first + offset, as, value: shown(value, format), isPlausible: isPlausible(value, format) });
    }
    rows.push({ register: first + offset, as: "bits", value: bitsOf(bytes, offset), isPlausible: false });
  }
  const text = textOf(bytes);
  if (text !== undefined) {
    rows.push({ register: first, as: `string of ${bytes.length / 2}`, value: text, isPlausible: true });
  }
  return rows;
}

/** Of registers of four bytes: as two ordinary ones are read, where one begins. */
function fourByteMeanings(bytes: Uint8Array, first: number): Interpretation[] {
  return meaningsOf(bytes, 0)
    .filter(({ register, as }) => register % 2 === 0 && !/^u?int16$|^string/.test(as))
    .map(({ register, as, value, isPlausible: is }) => ({
      register: first + register / 2,
      as,
      value: as === "bits" ? `${value} ${bitsOf(bytes, register + 1)}` : value,
      isPlausible: is,
    }));
}

/** Whether a measuring device could mean this value. Zero is in every format the same and says nothing. Pure. */
export function isPlausible(value: Scalar, { type }: Pick<RegisterFormat, "type">): boolean {
  const number = Number(value);
  if (!Number.isFinite(number) || number === 0) return false;
  const size = Math.abs(number);
  switch (type) {
    case "float32":
    case "float64":
      return size >= SMALLEST_FLOAT && size <= LARGEST_FLOAT;
    case "uint16":
    case "int16":
      return size <= LARGEST_WORD;
    case "uint32":
    case "uint64":
      return number <= LARGEST_INTEGER && number % 65536 !== 0;
    case "int32":
      return number >= SMALLEST_INTEGER && number < 0;
    default:
      return false;
  }
}

/** A signed number that is not negative says the same as the unsigned one. */
function isTwin(value: Scalar, { type }: RegisterFormat): boolean {
  return type.startsWith("int") && Number(value) >= 0;
}

/** A float32 has hardly more than seven digits. */
function shown(value: Scalar, { type }: RegisterFormat): string {
  return type === "float32" ? String(Number(Number(value).toPrecision(7))) : String(value);
}

function bitsOf(bytes: Uint8Array, offset: number): string {
  const word = ((bytes[2 * offset] ?? 0) << 8) | (bytes[2 * offset + 1] ?? 0);
  return word
    .toString(2)
    .padStart(16, "0")
    .replace(/(.{4})(?=.)/g, "$1 ");
}

function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/[\0 ]+$/, "");
  return text.length >= SHORTEST_TEXT && /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}
