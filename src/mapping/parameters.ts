import { object } from "../base/object-schema.js";
import {
  boolean,
  childPath,
  found,
  type Infer,
  list,
  near,
  type Problems,
  record,
  refine,
  string,
  type WithSource,
} from "../base/schema.js";
import type { Located, LocatedEntry } from "../base/source.js";
import { plain } from "./point-schema.js";
import type { Word } from "./value-map.js";

const NAME = /^[A-Za-z]\w*$/;

const parameter = refine(
  object({}, { default: plain, required: boolean, oneOf: list(plain), example: plain, note: string }),
  ({ default: value, required, oneOf }) => {
    if (value !== undefined && required === true) return "with a default it is not required";
    const isListed = value === undefined || oneOf === undefined || oneOf.includes(value);
    return isListed ? undefined : `the default ${value} is not one of ${oneOf.join(", ")}`;
  },
);

/** What a device may, or must, say of itself for its profile; required unless it has a default. */
export type Parameter = Infer<typeof parameter>;

/** The section `parameters` of a mapping file. */
export const parameterSection = refine(record(parameter), (parameters) => {
  const odd = [...parameters.keys()].find((name) => !NAME.test(name));
  return odd === undefined ? undefined : `'${odd}' is no name: letters, digits and _, beginning with a letter`;
});

export type Parameters = ReadonlyMap<string, Parameter>;

/** Keys of a mapping file in which `${name}` is only text. */
const AS_IT_STANDS: ReadonlySet<string> = new Set([
  "profile",
  "title",
  "adapter",
  "source",
  "caveats",
  "parameters",
  "replaces",
  "deprecated",
]);

/** The section of a file that is read before the rest of it; mistakes are told when the file is read. */
export function parametersOf(file: Located, problems: Problems): Parameters {
  const section = file.kind === "map" ? file.entries.find(({ key }) => key === "parameters")?.value : undefined;
  return (section === undefined ? undefined : parameterSection.read(section, "parameters", problems)) ?? new Map();
}

/** What stands for each name: what the device says, the default, or where a file is read alone, the example. */
export function valuesOf(parameters: Parameters, given: ReadonlyMap<string, Word>): ReadonlyMap<string, Word> {
  return new Map(
    [...parameters].map(([name, { default: value, example, oneOf }]) => [
      name,
      given.get(name) ?? value ?? example ?? oneOf?.[0] ?? name,
    ]),
  );
}

/** What is wrong with what a device says; true when nothing is. */
export function fitsParameters(
  given: ReadonlyMap<string, WithSource<Word>>,
  parameters: Parameters,
  device: { readonly source: Located; readonly path: string; readonly profile: string },
  problems: Problems,
): boolean {
  const { source, path, profile } = device;
  const before = problems.list.length;
  for (const [name, { value, source: place }] of given) {
    const own = childPath(path, name);
    const known = parameters.get(name);
    if (known === undefined) {
      const names = [...parameters.keys()];
      const hint = near(name, names) ?? (names.length === 0 ? "it has none" : `it has ${names.join(", ")}`);
      problems.add(place.at, own, `profile '${profile}' has no parameter '${name}'`, hint);
    } else if (known.oneOf?.includes(value) === false) {
      problems.add(
        place.at,
        own,
        `expected ${known.oneOf.join(" | ")}, found ${found(place)}`,
        near(value, known.oneOf.map(String)),
      );
    }
  }
  for (const [name, { default: value, note }] of parameters) {
    if (value !== undefined || given.has(name)) continue;
    problems.add(source.at, path, `profile '${profile}' needs the parameter '${name}'`, note);
  }
  return problems.list.length === before;
}

/** The file with values in the place of names, each where the name stood. */
export function substitute(file: Located, values: ReadonlyMap<string, Word>, problems: Problems): Located {
  if (file.kind !== "map") return file;
  const entries = file.entries.map((entry): LocatedEntry => {
    const isText = AS_IT_STANDS.has(entry.key);
    return isText ? entry : { ...entry, value: substituted(entry.value, entry.key, values, problems) };
  });
  return { ...file, entries };
}

// `${env:NAME}` and other secrets have a colon and are left alone.
const REFERENCE = /\$\{([A-Za-z]\w*)\}/g;

function substituted(source: Located, path: string, values: ReadonlyMap<string, Word>, problems: Problems): Located {
  if (source.kind === "list") {
    const items = source.items.map((item, index) => substituted(item, childPath(path, index), values, problems));
    return { ...source, items };
  }
  if (source.kind === "map") {
    const entries = source.entries.map((entry) => ({
      ...entry,
      value: substituted(entry.value, childPath(path, entry.key), values, problems),
    }));
    return { ...source, entries };
  }
  if (typeof source.value !== "string" || !source.value.includes("${")) return source;
  const unknown = [...source.value.matchAll(REFERENCE)]
    .map(([, name = ""]) => name)
    .filter((name) => !values.has(name));
  for (const name of unknown) {
    const names = [...values.keys()];
    const hint =
      near(name, names) ?? (names.length === 0 ? "say it under 'parameters'" : `there are ${names.join(", ")}`);
    problems.add(source.at, path, `no parameter '${name}'`, hint);
  }
  const [, whole] = /^\$\{([A-Za-z]\w*)\}$/.exec(source.value) ?? [];
  const value = whole === undefined ? undefined : values.get(whole);
  if (value !== undefined) return { ...source, value };
  return {
    ...source,
    value: source.value.replace(REFERENCE, (text, name: string) => String(values.get(name) ?? text)),
  };
}
