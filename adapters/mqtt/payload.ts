import {
  CausewayError,
  decodeByteValue,
  encodeByteValue,
  fillTemplate,
  isByteType,
  type JsonPath,
  type Point,
  parseJsonPath,
  type Scalar,
  toError,
  utf8Decode,
  utf8Encode,
  type Variables,
  valueAt,
  valueFromText,
  withValueAt,
} from "causeway/adapter";
import { byteFormatOf, kindOf, type MqttPoint } from "./options.js";

/** Larger ones are refused as a whole: no device has so much to say of itself. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;

export type Decoded =
  | { readonly quality: "good"; readonly value: Scalar }
  | { readonly quality: "invalid"; readonly reason: string };

/** Undefined when the message says nothing of the point. */
export type Decode = (message: Message) => Decoded | undefined;

/** What was published; text and JSON are made once, however many points look at them. */
export class Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The broker kept it: it was published before the subscription. */
  readonly origin: "live" | "retained";
  #text: string | undefined;
  #document: { readonly value: unknown } | { readonly problem: string } | undefined;

  constructor(topic: string, payload: Uint8Array, origin: "live" | "retained") {
    this.topic = topic;
    this.payload = payload;
    this.origin = origin;
  }

  /** Bytes that are no UTF-8 are replaced. */
  get text(): string {
    this.#text ??= utf8Decode(this.payload) ?? Buffer.from(this.payload).toString();
    return this.#text;
  }

  get document(): { readonly value: unknown } | { readonly problem: string } {
    this.#document ??= parseJson(this.text);
    return this.#document;
  }
}

function parseJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `not JSON: ${toError(error).message}` };
  }
}

export function decoderOf(point: MqttPoint, variables: Variables): Decode {
  const { at, type } = point;
  const format = byteFormatOf(point);
  if (format !== undefined) {
    return ({ payload }) => bytesAt(payload, at.offset ?? 0, format);
  }
  const kind = type === undefined || isByteType(type) ? undefined : type;
  const path = at.json === undefined ? undefined : (parseJsonPath(fillTemplate(at.json, variables)) ?? []);
  const pattern = at.match === undefined ? undefined : new RegExp(at.match);
  return (message) => {
    const found = path === undefined ? good(message.text) : fromDocument(message, path);
    const matched = found === undefined || pattern === undefined ? found : matching(found, pattern);
    return matched?.quality === "good" && kind !== undefined ? valueFromText(matched.value, kind) : matched;
  };
}

function good(value: Scalar): Decoded {
  return { quality: "good", value };
}

function invalid(reason: string): Decoded {
  return { quality: "invalid", reason };
}

function bytesAt(payload: Uint8Array, offset: number, format: Parameters<typeof decodeByteValue>[2]): Decoded {
  try {
    const value = decodeByteValue(payload, offset, format);
    return typeof value === "bigint" || Number.isFinite(value) ? good(value) : invalid(`${value} is not a number`);
  } catch (error) {
    if (error instanceof RangeError) return invalid(`the payload has only ${payload.length} bytes`);
    throw error;
  }
}

/** A document without the key says nothing of the point: many devices send each time only what changed. */
function fromDocument(message: Message, path: JsonPath): Decoded | undefined {
  const { document } = message;
  if ("problem" in document) return invalid(document.problem);
  const value = valueAt(document.value, path);
  if (value === undefined) return undefined;
  if (value === null) return invalid("the device has no value (null)");
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") return good(value);
  return invalid(Array.isArray(value) ? "a list, not a value" : "a map, not a value");
}

function matching(found: Decoded, pattern: RegExp): Decoded | undefined {
  if (found.quality !== "good") return found;
  const [, group] = pattern.exec(String(found.value)) ?? [];
  return group === undefined ? undefined : good(group);
}

/** What the payload will carry; throws VALUE_INVALID. */
export function fitValue({ name, address }: Point<MqttPoint>, value: Scalar): Scalar {
  const kind = kindOf(address);
  const format = byteFormatOf(address);
  if (format !== undefined) return decodeByteValue(encodeByteValue(value, format), 0, format);
  if (kind === undefined || typeof value === kind) return value;
  const decoded = value instanceof Uint8Array || kind === "bytes" ? invalid("bytes") : valueFromText(value, kind);
  if (decoded.quality === "good") return decoded.value;
  throw new CausewayError("VALUE_INVALID", `${name} takes a ${kind}: ${decoded.reason}`);
}

/** The payload of a command; throws VALUE_INVALID. */
export function encodeCommand(point: MqttPoint, told: Scalar, variables: Variables): Uint8Array {
  const { json, payload, map } = point.write ?? { ...point.at, payload: undefined, map: undefined };
  const value = map === undefined ? told : wordOf(told, map);
  if (payload !== undefined)
    return utf8Encode(fillTemplate(payload, new Map([...variables, ["value", textOf(value)]])));
  if (json !== undefined) {
    const path = parseJsonPath(fillTemplate(json, variables)) ?? [];
    return utf8Encode(JSON.stringify(withValueAt(undefined, path, jsonOf(value))));
  }
  const format = byteFormatOf(point);
  if (format !== undefined) return encodeByteValue(value, format);
  return value instanceof Uint8Array ? value : utf8Encode(textOf(value));
}

function wordOf(value: Scalar, map: ReadonlyMap<string, string>): string {
  const word = map.get(String(value));
  if (word !== undefined) return word;
  throw new CausewayError("VALUE_INVALID", `${String(value)} is not one of ${[...map.keys()].join(" | ")}`);
}

function textOf(value: Scalar): string {
  if (value instanceof Uint8Array) throw new CausewayError("VALUE_INVALID", "bytes cannot be put into a text");
  return String(value);
}

function jsonOf(value: Scalar): string | number | boolean {
  if (value instanceof Uint8Array) throw new CausewayError("VALUE_INVALID", "bytes cannot be put into JSON");
  if (typeof value !== "bigint") return value;
  if (Number.isSafeInteger(Number(value))) return Number(value);
  throw new CausewayError("VALUE_INVALID", `${value} is too large for a number in JSON`);
}
