import type { Scalar } from "causeway/adapter";

const MOST_DECIMALS = 9;

/** Texts that may stand for a value where an adapter reads one, the plainest first; `width` is that of a fixed field. */
export function spellings(value: Scalar, width: number): readonly string[] {
  if (value instanceof Uint8Array) return [];
  if (typeof value === "boolean") return value ? ["1", "true"] : ["0", "false"];
  if (typeof value !== "number") return [String(value), String(value).padStart(width), String(value).padEnd(width)];
  const fixed = Array.from({ length: MOST_DECIMALS + 1 }, (_, decimals) => value.toFixed(decimals));
  const plain = [String(value), ...fixed.filter((text) => Number(text) === value)];
  const signed = value < 0 ? [] : plain.map((text) => `+${text}`);
  return [
    ...plain,
    ...plain.map((text) => text.padStart(width)),
    ...[...plain, ...signed].map((text) => zeroed(text, width)),
  ];
}

/** With zeros behind its sign. */
function zeroed(text: string, width: number): string {
  const [sign = ""] = /^[+-]?/.exec(text) ?? [];
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

/** The group of the expression in the text; undefined where the text does not match. */
export function groupIn(text: string, pattern: string, group: number): readonly [from: number, to: number] | undefined {
  return new RegExp(pattern, "d").exec(text)?.indices?.[group];
}

/** The text with each spelling of the value in that place. */
export function withSpellings(text: string, [from, to]: readonly [from: number, to: number], value: Scalar): string[] {
  return spellings(value, to - from).map((word) => text.slice(0, from) + word + text.slice(to));
}
