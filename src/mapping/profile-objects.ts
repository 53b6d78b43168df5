import { childPath, type Infer, near, type Problems, type WithSource } from "../base/schema.js";
import type { Located } from "../base/source.js";
import type { AnyAdapter, ScalarKind } from "../field/adapter.js";
import type { ModelRegistry, ObjectModel, ResourceModel } from "../lwm2m/model/model.js";
import { fitsType, type Value } from "../lwm2m/value.js";
import { timestampResource } from "./companions.js";
import type { Operand } from "./expression/expression.js";
import type { Datum, DerivedPoint, ProfileObject, ProfilePoint, ResourceSource } from "./profile.js";
import type { objectSection, resourceSource } from "./profile-schema.js";
import { toResource } from "./transform.js";
import { wordsOf } from "./value-map.js";

interface Context {
  readonly points: ReadonlyMap<string, ProfilePoint>;
  readonly derived: ReadonlyMap<string, DerivedPoint>;
  /** All points of the file, also those with mistakes, which were reported already. */
  readonly declared: ReadonlyMap<string, Located>;
  readonly adapter: AnyAdapter;
  readonly models: ModelRegistry;
  readonly problems: Problems;
}

type Section = WithSource<Infer<typeof objectSection>>;
type Source = WithSource<Infer<typeof resourceSource>>;

/** The objects of a profile against OMA's models: ids, operations, types, units, what is mandatory. */
export function readObjects(sections: readonly Section[], context: Context): readonly ProfileObject[] {
  const counts = new Map<number, number>();
  const objects: ProfileObject[] = [];
  for (const [index, section] of sections.entries()) {
    const path = childPath("objects", index);
    const { object, resources } = section.value;
    const model = context.models.object(object.value);
    if (model === undefined) {
      context.problems.add(
        object.source.at,
        `${path}.object`,
        `no definition of object ${object.value}`,
        "drop its OMA XML file into the folder gateway.models names",
      );
      continue;
    }
    const ordinal = counts.get(model.id) ?? 0;
    if (ordinal > 0 && !model.multiple) {
      context.problems.add(
        object.source.at,
        `${path}.object`,
        `object ${model.id} (${model.name}) has one instance only`,
      );
    }
    counts.set(model.id, ordinal + 1);
    const read = readResources(model, resources, `${path}.resources`, section.source, context);
    objects.push({ model, ordinal, resources: read });
  }
  return objects;
}

function readResources(
  model: ObjectModel,
  sources: ReadonlyMap<string, Source>,
  path: string,
  section: Located,
  context: Context,
): ReadonlyMap<number, ResourceSource> {
  const resources = new Map<number, ResourceSource>();
  for (const [key, source] of sources) {
    const place = childPath(path, key);
    const resource = model.resources.get(Number(key));
    if (resource === undefined) {
      const known = [...model.resources.values()].map(({ id, name }) => `${id} ${name}`).join(", ");
      context.problems.add(source.source.at, place, `object ${model.id} has no resource ${key}`, `it has ${known}`);
      continue;
    }
    const read =
      typeof source.value === "string" ? pointSource(source.value) : literalSource(source.value.value, resource);
    const complaint = read === undefined ? literalComplaint(resource) : complaintOf(read, resource, context);
    if (complaint !== undefined) context.problems.add(source.source.at, place, complaint.what, complaint.hint);
    else if (read !== undefined) resources.set(resource.id, read);
  }
  for (const resource of model.resources.values()) {
    if (!resource.mandatory || resource.operations === "E" || sources.has(String(resource.id))) continue;
    // The gateway knows when it measured.
    if (resource.id === timestampResource(model.id)) continue;
    const what = `object ${model.id} needs resource ${resource.id} (${resource.name})`;
    context.problems.add(section.at, path, what, "name the point that feeds it");
  }
  return resources;
}

interface Complaint {
  readonly what: string;
  readonly hint?: string;
}

function pointSource(point: string): ResourceSource {
  return { kind: "point", point };
}

function literalSource(value: string | number | boolean, resource: ResourceModel): ResourceSource | undefined {
  const { type } = resource;
  const typed: Value = (type === "string" || type === "corelnk") && typeof value !== "string" ? String(value) : value;
  return type !== undefined && fitsType(type, typed) && isAllowed(typed, resource)
    ? { kind: "literal", value: typed }
    : undefined;
}

/** Within the model's range, of the value or of a text's length in bytes, and among its words or numbers. */
function isAllowed(value: Value, { range, allowed }: ResourceModel): boolean {
  const size = typeof value === "string" ? Buffer.byteLength(value) : value;
  if (range !== undefined && typeof size === "number" && (size < range.min || size > range.max)) return false;
  const listed = typeof value === "string" || typeof value === "number";
  return allowed === undefined || !listed || allowed.includes(value);
}

function literalComplaint({ id, name, type, range, allowed }: ResourceModel): Complaint {
  const limits = range === undefined ? "" : ` of ${range.min} to ${range.max}${type === "string" ? " bytes" : ""}`;
  const words = allowed === undefined ? "" : `, one of ${allowed.slice(0, 20).join(", ")}`;
  return { what: `resource ${id} (${name}) takes ${type ?? "no value, it is executed"}${limits}${words}` };
}

function complaintOf(source: ResourceSource, resource: ResourceModel, context: Context): Complaint | undefined {
  const { id, name, operations, type, multiple } = resource;
  if (source.kind === "literal") return undefined;
  const point = context.points.get(source.point);
  const datum = point ?? context.derived.get(source.point);
  if (datum === undefined) {
    if (context.declared.has(source.point)) return undefined;
    const names = [...context.declared.keys()];
    return { what: `no point '${source.point}'`, hint: near(source.point, names) ?? `points: ${names.join(", ")}` };
  }
  if (type === undefined || operations === "E")
    return { what: `resource ${id} (${name}) is executed, it has no value` };
  if (multiple) return { what: `resource ${id} (${name}) has several instances; a point feeds only one value` };
  const access = point?.point.access ?? "r";
  if (operations === "W" && access === "r") {
    return {
      what: `resource ${id} (${name}) is written, but point '${source.point}' is read only`,
      hint: point === undefined ? "what is reckoned cannot be written" : "access: rw",
    };
  }
  if (operations === "R" && access === "w") {
    return { what: `resource ${id} (${name}) is read, but point '${source.point}' is write only`, hint: "access: rw" };
  }
  return typeComplaint(source.point, datum, resource, context) ?? unitComplaint(source.point, datum, resource);
}

const EXAMPLE = { number: 1, boolean: true, string: "text", bytes: new Uint8Array(1) } as const;

/** Tries values of the point's kind: what cannot fit then never will. */
function typeComplaint(name: string, datum: Datum, resource: ResourceModel, context: Context): Complaint | undefined {
  const { map } = datum.transform;
  const kind = map === undefined ? kindOf(name, context) : undefined;
  const examples = map === undefined ? [kind === undefined ? undefined : EXAMPLE[kind]] : wordsOf(map);
  for (const example of examples) {
    if (example === undefined || resource.type === undefined) continue;
    const result = toResource(example, resource.type);
    if (result.quality === "good") continue;
    const isSwitch = resource.type === "boolean";
    const hint =
      isSwitch && map !== undefined ? "the words are true and false" : "use map to say which value means what";
    const gives = map === undefined ? kind : JSON.stringify(example);
    const what = `resource ${resource.id} (${resource.name}) is ${resource.type}, point '${name}' gives ${gives}: ${result.reason}`;
    return { what, ...(isSwitch || map !== undefined ? { hint } : {}) };
  }
  return undefined;
}

/** Of what a point gives before its map; undefined where that is not known. */
function kindOf(name: string, context: Context): ScalarKind | undefined {
  const { points, derived, adapter } = context;
  const point = points.get(name);
  if (point !== undefined) return adapter.kind?.(point.point.address);
  const expression = derived.get(name)?.expression;
  if (expression === undefined) return undefined;
  try {
    const result = expression.evaluate((input) => exampleOf(input, context));
    return typeof result === "boolean" ? "boolean" : typeof result === "number" ? "number" : "string";
  } catch {
    // Example values need not make sense together.
    return undefined;
  }
}
function exampleOf(name: string, context: Context): Operand {
  const map = (context.points.get(name) ?? context.derived.get(name))?.transform.map;
  const word = map === undefined ? undefined : wordsOf(map)[0];
  const example = word ?? EXAMPLE[kindOf(name, context) ?? "number"];
  return example instanceof Uint8Array ? Number.NaN : example;
}

/** IPSO objects that fix a unit, with the spellings that mean the same. */
const SAME_UNIT: Readonly<Record<string, string>> = { "/100": "%", "°C": "Cel", C: "Cel", "1": "" };

function unitComplaint(name: string, { unit }: Datum, resource: ResourceModel): Complaint | undefined {
  if (unit === undefined || resource.units === undefined || resource.units === "") return undefined;
  // Case matters: mW is not MW.
  const plain = (text: string): string => SAME_UNIT[text] ?? text;
  if (plain(unit) === plain(resource.units)) return undefined;
  const what = `resource ${resource.id} (${resource.name}) is in ${resource.units}, point '${name}' in ${unit}`;
  return { what, hint: "convert with scale and offset, and name the unit that results" };
}
