import { decodeByteValue, parseJsonPath, type Scalar, toError, valueAt, valueFromText } from "causeway/adapter";
import { decodeAngle } from "./angle.js";
import { decodeDecimal } from "./decimal.js";
import { byteFormatOf, type SerialPoint } from "./options.js";

export type Extracted =
  | { readonly quality: "good"; readonly value: Scalar }
  | { readonly quality: "invalid"; readonly reason: string };

/** A whole frame; text and data lines are made once, however many points look at them. */
export class FrameText {
  readonly bytes: Uint8Array;
  /** Without the line end. */
  readonly text: string;
  #fields: readonly string[] | undefined;
  #lines: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1").trimEnd();
  }

  get fields(): readonly string[] {
    this.#fields ??= this.text.replace(/\*[0-9A-Fa-f]{2}$/, "").split(",");
    return this.#fields;
  }

  /** What stands in parentheses behind each code (IEC 62056-21 §5.9: `A-B:C.D.E*F(value*unit)`). */
  get lines(): ReadonlyMap<string, readonly string[]> {
    this.#lines ??= dataLines(this.text);
    return this.#lines;
  }
}

function dataLines(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, readonly string[]>();
  for (const [, code = "", groups = ""] of text.matchAll(/([0-9A-Za-z.:*&-]+)((?:\([^()]*\))+)/g)) {
    if (lines.has(code)) continue;
    lines.set(
      code,
      [...groups.matchAll(/\(([^()]*)\)/g)].map(([, value = ""]) => value),
    );
  }
  return lines;
}

/** Undefined when the frame says nothing of the point, as a data line that is not there. */
export function extract(point: SerialPoint, frame: FrameText): Extracted | undefined {
  const { at = {}, type = "string" } = point;
  const { bytes } = frame;
  const { offset } = at;
  const format = byteFormatOf(point);
  if (offset !== undefined && (format !== undefined || type === "decimal")) {
    return fromBytes(bytes, () =>
      format === undefined ? decodeDecimal(bytes, offset) : decodeByteValue(bytes, offset, format),
    );
  }
  const found = textOf(point, frame);
  if (typeof found !== "object") return found === undefined ? undefined : invalid(found);
  if (type === "angle") return angle(String(found.value), frame.fields[(at.csv ?? 0) + 1] ?? "");
  return valueFromText(found.value, type === "boolean" || type === "string" ? type : "number");
}

function invalid(reason: string): Extracted {
  return { quality: "invalid", reason };
}

function fromBytes(bytes: Uint8Array, decode: () => number | bigint): Extracted {
  try {
    const value = decode();
    if (typeof value === "bigint" || Number.isFinite(value)) return { quality: "good", value };
    return invalid(`${value} is not a number`);
  } catch (error) {
    if (error instanceof RangeError) return invalid(`the frame has only ${bytes.length} bytes`);
    throw error;
  }
}

/** What stands at the place; a text says why there is no value. */
function textOf({ at = {} }: SerialPoint, frame: FrameText): { readonly value: Scalar } | string | undefined {
  const { csv, json, obis, match, group } = at;
  if (csv !== undefined) {
    const field = frame.fields[csv];
    if (field === undefined) return `the frame has only ${frame.fields.length} fields`;
    return field.trim() === "" ? "the field is empty: the device has no value" : { value: field.trim() };
  }
  if (json !== undefined) return fromJson(frame.text, json);
  if (obis !== undefined) {
    const values = lineOf(frame.lines, obis);
    const value = values?.at((match === undefined && group !== undefined ? group : 0) - 1);
    if (value === undefined) return undefined;
    return match === undefined ? { value: value.replace(/\*[^*]*$/, "") } : matched(value, match, group);
  }
  return match === undefined ? { value: frame.text } : matched(frame.text, match, group);
}

function matched(text: string, pattern: string, group = 1): { readonly value: Scalar } | string {
  const value = new RegExp(pattern).exec(text)?.[group];
  return value === undefined ? `'${text.slice(0, 40)}' is not what was expected` : { value: value.trim() };
}

function fromJson(text: string, path: string): { readonly value: Scalar } | string | undefined {
  try {
    const value = valueAt(JSON.parse(text), parseJsonPath(path) ?? []);
    if (value === undefined) return undefined;
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return { value };
    return value === null ? "the device has no value (null)" : "a map or a list, not a value";
  } catch (error) {
    return `not JSON: ${toError(error).message}`;
  }
}

/** A code without medium and channel (`A-B:`), or without `*F`, fits those of any. */
function lineOf(lines: ReadonlyMap<string, readonly string[]>, code: string): readonly string[] | undefined {
  const exact = lines.get(code);
  if (exact !== undefined) return exact;
  for (const [name, values] of lines) {
    const bare = name.replace(/\*\d+$/, "");
    if (bare === code || (!code.includes(":") && bare.replace(/^.*:/, "") === code)) return values;
  }
  return undefined;
}

function angle(text: string, hemisphere: string): Extracted {
  const value = decodeAngle(text, hemisphere);
  return value === undefined ? invalid(`'${text},${hemisphere}' is no position`) : { quality: "good", value };
}
