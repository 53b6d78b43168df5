import { childPath, found, type JsonSchema, near, type Problems, type Schema } from "./schema.js";
import type { Located } from "./source.js";

type Fields = Readonly<Record<string, Schema<unknown>>>;
type Read<F extends Fields> = { readonly [K in keyof F]: F[K] extends Schema<infer T> ? T : never };

/** Required fields read to their type, optional ones may be absent. */
export type ObjectOf<R extends Fields, O extends Fields> = Read<R> & Partial<Read<O>>;

/** A map with known keys. Its fields are open to view, so that two objects can be joined into one. */
export interface ObjectSchema<T> extends Schema<T> {
  readonly required: Fields;
  readonly optional: Fields;
}

/** Unknown keys are problems, answered with the nearest known key; missing required keys are named at the map. */
export function object<R extends Fields, O extends Fields = Record<never, never>>(
  required: R,
  optional: O = {} as O,
): ObjectSchema<ObjectOf<R, O>> {
  const fields: Fields = { ...optional, ...required };
  const json: JsonSchema = {
    type: "object",
    additionalProperties: false,
    required: Object.keys(required),
    properties: Object.fromEntries(Object.entries(fields).map(([key, schema]) => [key, schema.json])),
  };
  const read = (source: Located, path: string, problems: Problems): ObjectOf<R, O> | undefined => {
    if (source.kind !== "map") {
      problems.add(source.at, path, `expected a map with ${Object.keys(fields).join(", ")}, found ${found(source)}`);
      return undefined;
    }
    const result = readEntries(source, path, fields, problems);
    const missing = Object.keys(required).filter((key) => !source.entries.some((entry) => entry.key === key));
    for (const key of missing) problems.add(source.at, path, `'${key}' is missing`);
    const complete = Object.keys(required).every((key) => result[key] !== undefined);
    return complete ? (result as ObjectOf<R, O>) : undefined;
  };
  return { required, optional, json, read };
}

function readEntries(
  source: Extract<Located, { kind: "map" }>,
  path: string,
  fields: Fields,
  problems: Problems,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { key, keyAt, value } of source.entries) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) {
      const hint = near(key, Object.keys(fields)) ?? `known keys: ${Object.keys(fields).join(", ")}`;
      problems.add(keyAt, childPath(path, key), "unknown key", hint);
      continue;
    }
    const read = field.read(value, childPath(path, key), problems);
    if (read !== undefined) result[key] = read;
  }
  return result;
}

/** One map with the keys of both; where both know a key, the second counts. */
export function joinObjects<A, B>(a: ObjectSchema<A>, b: ObjectSchema<B>): ObjectSchema<A & B> {
  const joined = object({ ...a.required, ...b.required }, { ...a.optional, ...b.optional });
  return joined as Schema<unknown> as ObjectSchema<A & B>;
}
