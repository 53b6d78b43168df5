import { formatPath } from "../path.js";
import type { ResourceType, Value } from "../value.js";
import { CborTag, type CborValue, decodeCbor } from "./cbor-reader.js";
import { CborWriter } from "./cbor-writer.js";
import type { Codec } from "./codec.js";
import { decodeError, formatLink, numberValue, parseLink, singleEntry, typeAt } from "./convert.js";

const TAG_DATE_TIME = 0;
const TAG_EPOCH = 1;
const TAG_DECIMAL_FRACTION = 4;

/** One value as a CBOR data item (OMA LwM2M Core 1.2 §7.5.3, Appendix C). */
export const cborCodec: Codec = {
  contentFormat: 60,
  name: "application/cbor",
  encode(entries) {
    const { type, value } = singleEntry(entries, "application/cbor");
    const writer = new CborWriter();
    writeValue(writer, type, value);
    return writer.finish();
  },
  decode(payload, context) {
    const path = context.target;
    const type = typeAt(path, context);
    if (type === undefined) return [];
    const value = fromCbor(type, decodeCbor(payload));
    if (value === undefined) throw decodeError(`${formatPath(path)} takes ${type}`);
    return [{ path, value }];
  },
};

/** A value of the type as the data item that all CBOR-based formats but SenML use. */
export function writeValue(writer: CborWriter, type: ResourceType, value: Value): void {
  if (typeof value === "string") writer.text(value);
  else if (typeof value === "boolean") writer.boolean(value);
  else if (typeof value === "number" && type === "float") writer.float(value);
  else if (typeof value === "number" || typeof value === "bigint") writer.integer(value);
  else if (value instanceof Uint8Array) writer.bytes(value);
  else writer.text(formatLink(value));
}

/** Undefined when the item is not of the type. Times may be tagged, links may end in NUL. */
export function fromCbor(type: ResourceType, item: CborValue): Value | undefined {
  switch (type) {
    case "string":
    case "corelnk":
      return typeof item === "string" ? item : undefined;
    case "boolean":
      return typeof item === "boolean" ? item : undefined;
    case "opaque":
      return item instanceof Uint8Array ? item : undefined;
    case "objlnk":
      return typeof item === "string" ? parseLink(item) : undefined;
    case "time":
      return timeValue(item);
    default: {
      const number = cborNumber(item);
      return number === undefined ? undefined : numberValue(type, number);
    }
  }
}

function timeValue(item: CborValue): Value | undefined {
  if (item instanceof CborTag && item.tag === TAG_DATE_TIME && typeof item.value === "string") {
    const atMs = Date.parse(item.value.replace(/\0$/, ""));
    return Number.isNaN(atMs) ? undefined : Math.floor(atMs / 1000);
  }
  const number = cborNumber(item);
  return number === undefined ? undefined : numberValue("time", number);
}

/** A plain number, an epoch time (tag 1) or a decimal fraction (tag 4, RFC 8949 §3.4.4). */
export function cborNumber(item: CborValue): number | bigint | undefined {
  if (typeof item === "number" || typeof item === "bigint") return item;
  if (!(item instanceof CborTag)) return undefined;
  if (item.tag === TAG_EPOCH) {
    return typeof item.value === "number" || typeof item.value === "bigint" ? item.value : undefined;
  }
  if (item.tag !== TAG_DECIMAL_FRACTION || !Array.isArray(item.value) || item.value.length !== 2) return undefined;
  const [exponent, mantissa]: readonly CborValue[] = item.value;
  const digits = typeof mantissa === "number" || typeof mantissa === "bigint";
  // Through text, because 1721380258.001 is not exactly 1721380258001 × 10^-3 in binary.
  return typeof exponent === "number" && Number.isInteger(exponent) && digits
    ? Number(`${mantissa}e${exponent}`)
    : undefined;
}
