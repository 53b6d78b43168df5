import {
  BYTE_TYPES,
  type ByteFormat,
  byteCount,
  decodeByteValue,
  encodeByteValue,
  parseJsonPath,
  type Scalar,
  withValueAt,
} from "causeway/adapter";
import { encodeAngle } from "./angle.js";
import { byteFormatOf, type SerialPlace, type SerialPoint } from "./options.js";
import { textFor } from "./simulated-pattern.js";
import { groupIn, spellings, withGroup } from "./simulated-text.js";

/** What a frame says so far, one character for each byte. */
export interface Draft {
  readonly content: string;
  /** With what the envelope adds, as `FrameText.text` has it. */
  readonly text: string;
}

/** What the points of a frame say together, where one alone does not. */
export interface PlaceRules {
  /** Of an angle. */
  readonly hemispheres: readonly [positive: string, negative: string];
  /** Values in parentheses of a data line. */
  readonly groups: number;
}

/** Contents that may say the value at the point's place, the plainest first; which one does, reading them tells. */
export function placements(point: SerialPoint, value: Scalar, draft: Draft, rules: PlaceRules): Iterable<string> {
  const { content, text } = draft;
  const { at = {} } = point;
  const format = byteFormatOf(point);
  if (format !== undefined) return [withBytes(content, at.offset ?? 0, value, format)];
  if (at.csv !== undefined) {
    const words = point.type === "angle" ? [angleWord(Number(value), rules)] : spellings(value, 0);
    return words.map((word) => withFields(content, at.csv ?? 0, word.split(",")));
  }
  if (at.json !== undefined) return [withJson(text, at.json, value)];
  if (at.obis !== undefined) return [...dataWords(at, value)].map((word) => withDataLine(content, at, word, rules));
  if (at.match === undefined) return spellings(value, 0);
  const [, end = 0] = groupIn(text, at.match, at.group ?? 1) ?? [];
  return withGroup(end <= content.length ? content : text, at.match, at.group ?? 1, value);
}

function withBytes(content: string, offset: number, value: Scalar, format: ByteFormat): string {
  const bytes = Buffer.alloc(Math.max(content.length, offset + byteCount(format)));
  bytes.write(content, "latin1");
  const field = bytes.subarray(offset, offset + byteCount(format));
  if (format.bits === undefined) field.set(encodeByteValue(value, format));
  else {
    const type = BYTE_TYPES.find((one) => one === format.type.replace(/^int/, "uint")) ?? format.type;
    const whole = BigInt(decodeByteValue(field, 0, { ...format, type, bits: { at: 0, width: 8 * field.length } }));
    const { at, width = 1 } = format.bits;
    const mask = ((1n << BigInt(width)) - 1n) << BigInt(at);
    const placed = BigInt(
      decodeByteValue(encodeByteValue(value, { ...format, type }), 0, { type, ...orderOf(format) }),
    );
    field.set(encodeByteValue((whole & ~mask) | placed, { type, ...orderOf(format) }));
  }
  return bytes.toString("latin1");
}

function orderOf({ order }: ByteFormat): Pick<ByteFormat, "order"> {
  return order === undefined ? {} : { order };
}

function withFields(content: string, at: number, words: readonly string[]): string {
  const fields = content.split(",");
  while (fields.length < at) fields.push("");
  fields.splice(at, words.length, ...words);
  return fields.join(",");
}

function angleWord(value: number, { hemispheres: [positive, negative] }: PlaceRules): string {
  return `${encodeAngle(value)},${value < 0 ? negative : positive}`;
}

function withJson(text: string, path: string, value: Scalar): string {
  const told = typeof value === "bigint" || value instanceof Uint8Array ? String(value) : value;
  return JSON.stringify(withValueAt(documentOf(text), parseJsonPath(path) ?? [], told));
}

/** Undefined where the text is no JSON. */
export function documentOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function dataWords({ match, group = 1 }: SerialPlace, value: Scalar): Iterable<string> {
  return match === undefined ? spellings(value, 0) : withGroup(textFor(match, group) ?? "", match, group, value);
}

function withDataLine(
  content: string,
  { obis, match, group }: SerialPlace,
  word: string,
  { groups }: PlaceRules,
): string {
  const lines = content.split("\r\n");
  const present = lines.findIndex((line) => line.startsWith(`${obis}(`));
  const values = Array.from(
    { length: groups },
    (_, index) => lines[present]?.split("(")[index + 1]?.slice(0, -1) ?? "",
  );
  values[match === undefined && group !== undefined ? group - 1 : groups - 1] = word;
  // Behind the last line end there is an empty piece.
  lines.splice(present < 0 ? -1 : present, present < 0 ? 0 : 1, `${obis}${values.map((one) => `(${one})`).join("")}`);
  return lines.join("\r\n");
}
