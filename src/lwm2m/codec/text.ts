import { utf8Decode, utf8Encode } from "../../base/bytes.js";
import { formatPath } from "../path.js";
import type { ResourceType, Value } from "../value.js";
import type { Codec } from "./codec.js";
import {
  decodeBase64,
  decodeError,
  encodeBase64,
  formatLink,
  numberValue,
  parseLink,
  singleEntry,
  typeAt,
  wholeValue,
} from "./convert.js";

/** Plain text: one value (OMA LwM2M Core 1.2 §7.5.1, Appendix C). */
export const textCodec: Codec = {
  contentFormat: 0,
  name: "text/plain",
  encode(entries) {
    return utf8Encode(formatText(singleEntry(entries, "text/plain").value));
  },
  decode(payload, context) {
    const path = context.target;
    const type = typeAt(path, context);
    if (type === undefined) return [];
    const text = utf8Decode(payload);
    if (text === undefined) throw decodeError(`${formatPath(path)}: text is not UTF-8`);
    const value = parseText(type, text);
    if (value === undefined) throw decodeError(`${formatPath(path)} takes ${type}, not '${text.slice(0, 64)}'`);
    return [{ path, value }];
  },
};

/** A value as plain text: decimal numbers, 0 or 1, padded base64, `object:instance`. */
export function formatText(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatDecimal(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? encodeBase64(value, "base64") : formatLink(value);
}

/** Undefined when the text is not of the type. */
export function parseText(type: ResourceType, text: string): Value | undefined {
  switch (type) {
    case "string":
    case "corelnk":
      return text;
    case "boolean":
      return text === "1" ? true : text === "0" ? false : undefined;
    case "opaque":
      return decodeBase64(text);
    case "objlnk":
      return parseLink(text);
    case "float":
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
    default:
      // The longest number of 64 bits has 20 digits; more would only cost time.
      return /^[+-]?\d{1,20}$/.test(text) ? numberValue(type, wholeValue(BigInt(text.replace("+", "")))) : undefined;
  }
}

/** Without exponent, as the standard asks for, and with every digit that the number needs. */
function formatDecimal(value: number): string {
  const text = String(value);
  const exponentAt = text.indexOf("e");
  if (exponentAt < 0) return text;
  const mantissa = text.slice(0, exponentAt);
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const exponent = Number(text.slice(exponentAt + 1));
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${whole}${fraction}`;
  return `${sign}${whole}${fraction.padEnd(exponent, "0")}`;
}
