import { type ByteFormat, byteCount, parseJsonPath, putByteValue, type Scalar, withValueAt } from "causeway/adapter";
import { type AngleKind, encodeAngle } from "./angle.js";
import { encodeDecimal } from "./decimal.js";
import { byteFormatOf, type SerialPlace, type SerialPoint } from "./options.js";
import { textFor } from "./simulated-pattern.js";
import { groupIn, spellings, withSpellings } from "./simulated-text.js";

/** What a frame says so far, one character for each byte. */
export interface Draft {
  readonly content: string;
  /** With what the envelope adds, as `FrameText.text` has it. */
  readonly text: string;
}

/** What the points of a frame say together, where one alone does not. */
export interface PlaceRules {
  readonly angle: AngleKind;
  /** Values in parentheses of a data line. */
  readonly groups: number;
}

/** Contents that may say the value at the point's place, the plainest first; which one does, reading them tells. */
export function placements(point: SerialPoint, value: Scalar, draft: Draft, rules: PlaceRules): readonly string[] {
  const { content, text } = draft;
  const { at = {} } = point;
  const { offset = 0 } = at;
  const format = byteFormatOf(point);
  if (format !== undefined) return [withNumber(content, offset, value, format)];
  if (point.type === "decimal") return [withBytes(content, offset, encodeDecimal(value))];
  if (at.csv !== undefined) {
    const words = point.type === "angle" ? [encodeAngle(Number(value), rules.angle).join(",")] : spellings(value, 0);
    return words.map((word) => withFields(content, at.csv ?? 0, word.split(",")));
  }
  if (at.json !== undefined) return [withJson(text, at.json, value)];
  if (at.obis !== undefined) return dataWords(at, value).map((word) => withDataLine(content, at, word, rules));
  if (at.match === undefined) return spellings(value, 0);
  const span = groupIn(text, at.match, at.group ?? 1);
  return span === undefined ? [] : withSpellings(span[1] <= content.length ? content : text, span, value);
}

function withNumber(content: string, offset: number, value: Scalar, format: ByteFormat): string {
  const bytes = Buffer.alloc(byteCount(format));
  // Beside its bits there may be another value.
  bytes.write(content.slice(offset), "latin1");
  putByteValue(bytes, 0, value, format);
  return withBytes(content, offset, bytes);
}

function withBytes(content: string, offset: number, own: Uint8Array): string {
  const bytes = Buffer.alloc(Math.max(content.length, offset + own.length));
  bytes.write(content, "latin1");
  bytes.set(own, offset);
  return bytes.toString("latin1");
}

function withFields(content: string, at: number, words: readonly string[]): string {
  const fields = content.split(",");
  while (fields.length < at) fields.push("");
  fields.splice(at, words.length, ...words);
  return fields.join(",");
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

function dataWords({ match, group = 1 }: SerialPlace, value: Scalar): readonly string[] {
  if (match === undefined) return spellings(value, 0);
  const text = textFor(match, group) ?? "";
  const span = groupIn(text, match, group);
  return span === undefined ? [] : withSpellings(text, span, value);
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
