import { CausewayError } from "../base/errors.js";
import type { Scalar } from "../field/reading.js";

/** What a raw value can be replaced by. */
export type Word = string | number | boolean;

/** Raw values and the words, numbers or switches that they mean. */
export interface ValueMap {
  /** By the raw value as text; the only entries that can be written. */
  readonly exact: ReadonlyMap<string, Word>;
  /** Inclusive, without overlaps; what is exact goes ahead. */
  readonly ranges: readonly WordRange[];
  /** For every other value. */
  readonly fallback?: Word;
}

export interface WordRange {
  readonly min: number;
  readonly max: number;
  readonly word: Word;
}

const FALLBACK_KEY = "default";

const RANGE = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/;

/** `1`, `on`, `10..19` and `default`, as they stand in a file; undefined with what is wrong. */
export function valueMapOf(
  entries: ReadonlyMap<string, Word>,
): ValueMap | { readonly key: string; readonly what: string } {
  const exact = new Map<string, Word>();
  const ranges: WordRange[] = [];
  for (const [key, word] of entries) {
    const range = RANGE.exec(key);
    if (key === FALLBACK_KEY) continue;
    if (range === null) {
      exact.set(key, word);
      continue;
    }
    const [min, max] = [Number(range[1]), Number(range[2])];
    if (min > max) return { key, what: `the lower bound ${min} is above the upper bound ${max}` };
    const other = ranges.find((known) => min <= known.max && max >= known.min);
    if (other !== undefined) return { key, what: `overlaps with ${other.min}..${other.max}` };
    ranges.push({ min, max, word });
  }
  const fallback = entries.get(FALLBACK_KEY);
  return { exact, ranges, ...(fallback === undefined ? {} : { fallback }) };
}

/** The key that no raw value of the kind can be equal to; undefined where all can. */
export function oddKey({ exact, ranges }: ValueMap, kind: "number" | "boolean"): string | undefined {
  const fits = (key: string): boolean =>
    kind === "boolean" ? key === "true" || key === "false" : String(Number(key)) === key && key !== "NaN";
  const [range] = kind === "boolean" ? ranges : [];
  return [...exact.keys()].find((key) => !fits(key)) ?? (range && `${range.min}..${range.max}`);
}

/** Undefined for a value that the map does not know. */
export function wordOf(raw: Scalar, { exact, ranges, fallback }: ValueMap): Word | undefined {
  const word = exact.get(String(raw));
  if (word !== undefined) return word;
  const isNumber = typeof raw === "number" || typeof raw === "bigint";
  const range = isNumber ? ranges.find(({ min, max }) => raw >= min && raw <= max) : undefined;
  return range?.word ?? fallback;
}

/** The raw value that means the word. Throws VALUE_INVALID, which names the words that can be written. */
export function rawOf(word: unknown, { exact }: ValueMap): Scalar {
  for (const [raw, known] of exact) {
    if (isSameWord(known, word)) return parseRaw(raw);
  }
  throw new CausewayError("VALUE_INVALID", `${String(word)} is not one of ${[...exact.values()].join(" | ")}`);
}

/** A resource may hold a word as another type: a switch as 0 or 1, a number as text, or as a 64-bit integer. */
function isSameWord(known: Word, word: unknown): boolean {
  if (known === word) return true;
  if (typeof word === "string") return typeof known !== "string" && String(known) === word;
  const number = typeof word === "bigint" || typeof word === "boolean" ? Number(word) : word;
  return typeof known !== "string" && Number(known) === number;
}

/** A word of each entry, for checks. */
export function wordsOf({ exact, ranges, fallback }: ValueMap): readonly Word[] {
  return [...exact.values(), ...ranges.map(({ word }) => word), ...(fallback === undefined ? [] : [fallback])];
}

function parseRaw(raw: string): Scalar {
  if (raw === "true" || raw === "false") return raw === "true";
  return Number.isNaN(Number(raw)) ? raw : Number(raw);
}
