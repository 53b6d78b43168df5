import { didYouMean } from "./did-you-mean.js";
import type { Located, Position, Problem } from "./source.js";

/** Subset of JSON Schema that editors need for completion. */
export type JsonSchema = { readonly [key: string]: unknown };

/** Collects every problem of one run; a reader goes on after a mistake wherever it can. */
export class Problems {
  readonly list: Problem[] = [];
  /** What is worth knowing and no mistake. */
  readonly notes: Problem[] = [];

  add(at: Position, path: string, what: string, hint?: string): void {
    this.list.push({ at, path, what, ...(hint === undefined ? {} : { hint }) });
  }

  note(at: Position, path: string, what: string, hint?: string): void {
    this.notes.push({ at, path, what, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Reads a located value into `T`; on a mistake it adds to `problems` and gives undefined. */
export interface Schema<T> {
  read(source: Located, path: string, problems: Problems): T | undefined;
  readonly json: JsonSchema;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

export function childPath(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

function scalar<T>(
  expected: string,
  json: JsonSchema,
  convert: (value: string | number | bigint | boolean) => T | undefined,
  hintFor: (value: string | number | bigint | boolean) => string | undefined = () => undefined,
): Schema<T> {
  return {
    json,
    read(source, path, problems) {
      const value = source.kind === "scalar" && source.value !== null ? convert(source.value) : undefined;
      if (value !== undefined) return value;
      const hint = source.kind === "scalar" && source.value !== null ? hintFor(source.value) : undefined;
      problems.add(source.at, path, `expected ${expected}, found ${found(source)}`, hint);
      return undefined;
    },
  };
}

export function found(source: Located): string {
  if (source.kind !== "scalar") return source.kind === "list" ? "a list" : "a map";
  const { value } = source;
  if (value === null) return "nothing";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** A string; numbers and booleans are not taken for one, they must be quoted. */
export const string: Schema<string> = scalar(
  "text",
  { type: "string" },
  (value) => (typeof value === "string" && value !== "" ? value : undefined),
  (value) => (value === "" ? "it is empty" : "put it into quotes, as it is to be read"),
);

/** Words that YAML 1.1 took for switches. */
const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  on: true,
  yes: true,
  y: true,
  off: false,
  no: false,
  n: false,
};

export const boolean: Schema<boolean> = scalar(
  "true or false",
  { type: "boolean" },
  (value) => (typeof value === "boolean" ? value : undefined),
  (value) => {
    const meant = SWITCH_WORDS[String(value).toLowerCase()];
    return meant === undefined ? undefined : `write ${meant}, in YAML 1.2 '${value}' is text`;
  },
);

export function number(min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): Schema<number> {
  return numeric("a number", "number", min, max, () => true);
}

export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Schema<number> {
  return numeric("a whole number", "integer", min, max, Number.isSafeInteger);
}

function numeric(what: string, type: string, min: number, max: number, fits: (n: number) => boolean): Schema<number> {
  const finite = (n: number): boolean => Number.isFinite(n) && Math.abs(n) !== Number.MAX_SAFE_INTEGER;
  const isGood = (n: number): boolean => Number.isFinite(n) && fits(n) && n >= min && n <= max;
  const range = [finite(min) ? `from ${min}` : "", finite(max) ? `to ${max}` : ""].filter((s) => s !== "").join(" ");
  const json = { type, ...(finite(min) ? { minimum: min } : {}), ...(finite(max) ? { maximum: max } : {}) };
  return scalar(range === "" ? what : `${what} ${range}`, json, (value) =>
    typeof value === "number" && isGood(value) ? value : undefined,
  );
}

/** One of the given words; a near miss is answered with the word that was probably meant. */
export function oneOf<const W extends readonly string[]>(...words: W): Schema<W[number]> {
  return {
    json: { enum: words },
    read(source, path, problems) {
      const value = source.kind === "scalar" ? source.value : undefined;
      const word = words.find((candidate) => candidate === value);
      if (word === undefined) {
        problems.add(source.at, path, `expected ${words.join(" | ")}, found ${found(source)}`, near(value, words));
      }
      return word;
    },
  };
}

/** Exactly the given value, where a union needs to tell its members apart. */
export function literal<const L extends string | number | boolean>(value: L): Schema<L> {
  return scalar(JSON.stringify(value), { const: value }, (candidate) => (candidate === value ? value : undefined));
}

const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `5s`, `10m`, `24h`, `30d` as milliseconds. */
export const durationMs: Schema<number> = scalar(
  "a duration such as 500ms, 5s, 10m, 24h",
  { type: "string", pattern: "^\\d+(\\.\\d+)?(ms|s|m|h|d)$" },
  (value) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(value));
    return match === null ? undefined : Number(match[1]) * (DURATION_MS[match[2] ?? ""] ?? Number.NaN);
  },
);

const SIZE_BYTES: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `512KiB`, `64MiB`, `1GiB` as bytes. */
export const sizeBytes: Schema<number> = scalar(
  "a size such as 512KiB, 64MiB, 1GiB",
  { type: "string", pattern: "^\\d+(B|KiB|MiB|GiB)$" },
  (value) => {
    const match = /^(\d+)(B|KiB|MiB|GiB)$/.exec(String(value));
    return match === null ? undefined : Number(match[1]) * (SIZE_BYTES[match[2] ?? ""] ?? Number.NaN);
  },
);

export function list<T>(item: Schema<T>): Schema<readonly T[]> {
  return {
    json: { type: "array", items: item.json },
    read(source, path, problems) {
      if (source.kind !== "list") {
        problems.add(source.at, path, `expected a list, found ${found(source)}`);
        return undefined;
      }
      const items = source.items.map((child, index) => item.read(child, childPath(path, index), problems));
      return items.filter((value) => value !== undefined) as T[];
    },
  };
}

/** A map with free keys, in the order of the file. */
export function record<T>(value: Schema<T>): Schema<ReadonlyMap<string, T>> {
  return {
    json: { type: "object", additionalProperties: value.json },
    read(source, path, problems) {
      if (source.kind !== "map") {
        problems.add(source.at, path, `expected a map, found ${found(source)}`);
        return undefined;
      }
      const result = new Map<string, T>();
      for (const entry of source.entries) {
        const read = value.read(entry.value, childPath(path, entry.key), problems);
        if (read !== undefined) result.set(entry.key, read);
      }
      return result;
    },
  };
}

/** Gives the located source along with the value, for checks that come later and must still name the place. */
export interface WithSource<T> {
  readonly value: T;
  readonly source: Located;
}

export function located<T>(schema: Schema<T>): Schema<WithSource<T>> {
  return {
    json: schema.json,
    read(source, path, problems) {
      const value = schema.read(source, path, problems);
      return value === undefined ? undefined : { value, source };
    },
  };
}

/** Applies a further check; `check` returns what is wrong, or undefined. */
export function refine<T>(schema: Schema<T>, check: (value: T) => string | undefined): Schema<T> {
  return {
    json: schema.json,
    read(source, path, problems) {
      const value = schema.read(source, path, problems);
      if (value === undefined) return undefined;
      const complaint = check(value);
      if (complaint === undefined) return value;
      problems.add(source.at, path, complaint);
      return undefined;
    },
  };
}

export function map<A, B>(schema: Schema<A>, convert: (value: A) => B): Schema<B> {
  return {
    json: schema.json,
    read(source, path, problems) {
      const value = schema.read(source, path, problems);
      return value === undefined ? undefined : convert(value);
    },
  };
}

/** The first member that reads without a problem; otherwise the complaints of the member that complained latest. */
export function union<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return {
    json: { anyOf: [first.json, second.json] },
    read(source, path, problems) {
      const attempts = [first, second].map((schema) => {
        const own = new Problems();
        return { value: schema.read(source, path, own) as A | B | undefined, own };
      });
      const good = attempts.find(({ value, own }) => value !== undefined && own.list.length === 0);
      if (good !== undefined) return good.value;
      const wantsScalar = attempts.filter(({ own }) => own.list.some((problem) => problem.path !== path));
      problems.list.push(...((wantsScalar[0] ?? attempts[0])?.own.list ?? []));
      return undefined;
    },
  };
}

export function near(value: unknown, words: readonly string[]): string | undefined {
  const guess = typeof value === "string" ? didYouMean(value, words) : undefined;
  return guess === undefined ? undefined : `did you mean '${guess}'?`;
}
