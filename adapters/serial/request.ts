import {
  CausewayError,
  concatBytes,
  encodeByteValue,
  fillTemplate,
  fromHex,
  type Scalar,
  toHex,
  type Variables,
} from "causeway/adapter";
import { type Checksum, checksumBytes } from "./checksum.js";
import { byteFormatOf, type Match, type SerialPoint, type SerialWrite, type Template } from "./options.js";

const CHECKSUM = "{checksum}";

/**
 * The bytes of a request. `{checksum}`, which only may stand at the end or before end marks, is reckoned over what is
 * before it, from the first byte that the checksum of frames covers.
 */
export function requestBytes(template: Template, variables: Variables, checksum?: Checksum): Uint8Array {
  const source = "hex" in template ? template.hex : template.text;
  const [before = "", after] = source.split(CHECKSUM);
  const bytesOf = (part: string): Uint8Array =>
    "hex" in template ? fromHex(fillTemplate(part, inHex(variables))) : textBytes(fillTemplate(part, variables));
  const head = bytesOf(before);
  if (after === undefined || checksum === undefined) return head;
  return concatBytes([head, checksumBytes(head.subarray(checksum.from ?? 0), checksum), bytesOf(after)]);
}

/** The request that writes a value; throws VALUE_INVALID. */
export function writeRequest(
  point: SerialPoint,
  { request, map }: SerialWrite,
  value: Scalar,
  variables: Variables,
  checksum?: Checksum,
): Uint8Array {
  const word = wordOf(point, value, map, "hex" in request ? "hex" : "text");
  return requestBytes(request, new Map([...variables, ["value", word]]), checksum);
}

function wordOf(point: SerialPoint, value: Scalar, map: SerialWrite["map"], form: "hex" | "text"): string {
  if (map !== undefined) {
    const word = map.get(String(value));
    if (word !== undefined) return word;
    throw new CausewayError("VALUE_INVALID", `${String(value)} is not one of ${[...map.keys()].join(" | ")}`);
  }
  if (form === "text") {
    if (typeof value === "string" && /\p{Cc}/u.test(value)) {
      throw new CausewayError("VALUE_INVALID", "a text for a serial line has no control characters");
    }
    return value instanceof Uint8Array ? toHex(value) : String(value);
  }
  const format = byteFormatOf(point);
  if (format !== undefined) return toHex(encodeByteValue(value, format));
  return value instanceof Uint8Array ? toHex(value) : toHex(textBytes(String(value)));
}

/** A field of the address that is a number up to 255 becomes its byte, two hexadecimal digits. */
function inHex(variables: Variables): Variables {
  return new Map(
    [...variables].map(([name, value]) => {
      const number = Number(value);
      const isByte = name !== "value" && Number.isInteger(number) && number >= 0 && number <= 255;
      return [name, isByte ? number.toString(16).padStart(2, "0") : value];
    }),
  );
}

function textBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function matches(frame: Uint8Array, match: Match | undefined, text: string): boolean {
  if (match === undefined) return true;
  if ("text" in match) return new RegExp(match.text).test(text);
  return match.start.every((byte, index) => frame[index] === byte);
}
