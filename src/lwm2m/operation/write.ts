import { CausewayError } from "../../base/errors.js";
import type { DecodedEntry } from "../codec/codec.js";
import type { ResourceModel } from "../model/model.js";
import { formatPath, isWithin, MAX_ID, type Path } from "../path.js";
import type { ObjectEntry, ObjectInstance, ObjectTree, Resource } from "../tree.js";
import { fitsType, type ObjectLink, type Value } from "../value.js";
import { apply, type Change, type Requester } from "./apply.js";
import { find, notAllowed } from "./operations.js";

/** Replace (PUT) takes away what the payload does not name; a partial update (POST) leaves it. */
export type WriteMode = "replace" | "update";

export interface WriteRequest {
  readonly path: Path;
  readonly mode: WriteMode;
  readonly entries: readonly DecodedEntry[];
  readonly nowMs: number;
}

/** What a payload says of one resource: values by resource-instance id, 0 for a single one; null takes one away. */
export type Assignment = Map<number, Value | null>;

/** A write that has passed every check, still to be carried out. */
interface Plan {
  readonly object: ObjectEntry;
  readonly changes: readonly Change[];
  /** What a replacement takes away. */
  readonly dropped: readonly Resource[];
}

/**
 * OMA LwM2M Core 1.2 §6.3.3 on an instance, a resource or a resource instance: everything is checked, then applied.
 */
export async function write(tree: ObjectTree, request: WriteRequest, requester: Requester): Promise<void> {
  const { object, changes, dropped } = planWrite(tree, request);
  await apply(changes, request.nowMs, requester);
  const [objectId = -1, instanceId = -1] = request.path;
  for (const resource of dropped) {
    reset(tree, object, [objectId, instanceId, resource.model.id], resource);
  }
}

/** Checks existence, writability, types, ranges and links; nothing is changed yet. */
export function planWrite(tree: ObjectTree, { path, mode, entries }: Omit<WriteRequest, "nowMs">): Plan {
  const [objectId = -1, instanceId = -1] = path;
  if (path.length < 2) throw notAllowed(path, "cannot be written as a whole");
  const { object, instance } = findInstance(tree, path);
  const assignments = assignmentsOf(path, entries);
  const changes: Change[] = [];
  for (const [resourceId, assignment] of assignments) {
    const model = writableModel(object, instance, [objectId, instanceId, resourceId], path);
    if (model === undefined) continue;
    changes.push(changeOf(tree, instance, model, assignment, path.length === 4 ? "update" : mode));
  }
  const dropped = mode === "replace" && path.length === 2 ? droppedBy(instance, assignments) : [];
  return { object, changes, dropped };
}

/** The values that an instance which is to be created begins with; throws as `write` does. */
export function initialChanges(
  tree: ObjectTree,
  object: ObjectEntry,
  instance: ObjectInstance,
  entries: readonly DecodedEntry[],
): readonly Change[] {
  const path = [object.model.id, instance.id];
  const changes: Change[] = [];
  for (const [resourceId, assignment] of assignmentsOf(path, entries)) {
    const model = object.model.resources.get(resourceId);
    // What the payload says of read-only resources is ignored without error (OMA LwM2M Core 1.2 §6.3.6).
    if (model === undefined || !model.operations.includes("W")) continue;
    changes.push(changeOf(tree, instance, model, assignment, "replace"));
  }
  return changes;
}

function findInstance(tree: ObjectTree, path: Path): { object: ObjectEntry; instance: ObjectInstance } {
  const { object, instance } = find(tree, path.slice(0, 2));
  if (instance === undefined) throw notAllowed(path, "cannot be written as a whole");
  // A resource that may come into being need not exist yet; an instance of it must.
  if (path.length === 4 || object.writes === "declared") find(tree, path);
  return { object, instance };
}

/** What a payload says, by resource; throws LWM2M_BAD_REQUEST for what is not within the target or comes twice. */
export function assignmentsOf(target: Path, entries: readonly DecodedEntry[]): Map<number, Assignment> {
  const assignments = new Map<number, Assignment>();
  // A resource target is named by the request alone: an empty payload empties a multiple resource.
  const [, , targetResourceId] = target;
  if (targetResourceId !== undefined) assignments.set(targetResourceId, new Map());
  for (const { path, value } of entries) {
    const [, , resourceId, resourceInstanceId = 0] = path;
    if (resourceId === undefined || !isWithin(path, target)) {
      throw bad(path, "is not within the request's path");
    }
    const assignment = assignments.get(resourceId) ?? new Map<number, Value | null>();
    if (assignment.has(resourceInstanceId)) throw bad(path, "occurs twice");
    assignments.set(resourceId, assignment.set(resourceInstanceId, value));
  }
  return assignments;
}

/** Undefined for an optional resource that is not here: in the payload of an instance that is no error. */
function writableModel(
  object: ObjectEntry,
  instance: ObjectInstance,
  path: Path,
  target: Path,
): ResourceModel | undefined {
  const [, , resourceId = -1] = path;
  const existing = instance.resources.get(resourceId)?.model;
  const model = existing ?? (object.writes === "model" ? object.model.resources.get(resourceId) : undefined);
  if (model === undefined) {
    if (target.length === 2) return undefined;
    throw new CausewayError("LWM2M_NOT_FOUND", `${formatPath(path)} does not exist`);
  }
  if (!model.operations.includes("W")) throw notAllowed(path, "cannot be written");
  return model;
}

function changeOf(
  tree: ObjectTree,
  instance: ObjectInstance,
  model: ResourceModel,
  assignment: Assignment,
  mode: WriteMode,
): Change {
  const path = [instance.model.id, instance.id, model.id];
  const resource = instance.resources.get(model.id);
  const values = new Map<number, Value>();
  if (mode === "update" && model.multiple) {
    for (const [id, sample] of resource?.samples ?? []) values.set(id, sample.value);
  }
  for (const [id, value] of assignment) {
    if (value === null) {
      if (!model.multiple) throw bad(path, "cannot be taken away");
      values.delete(id);
    } else {
      checkValue(tree, path, model, value);
      values.set(id, value);
    }
  }
  if (!model.multiple && (values.size !== 1 || !values.has(0))) throw bad(path, "takes exactly one value");
  return { tree, path, model, resource, values };
}

/** As `checkFit`; links must lead somewhere, too (OMA LwM2M Core 1.2 §6.3.3). */
export function checkValue(tree: ObjectTree, path: Path, model: ResourceModel, value: Value): void {
  checkFit(path, model, value);
  if (typeof value === "object" && !(value instanceof Uint8Array) && !leadsSomewhere(tree, value)) {
    throw bad(path, `links to ${value.objectId}:${value.instanceId}, which does not exist`);
  }
}

/** Type, range and enumeration of the model; throws VALUE_INVALID. */
export function checkFit(path: Path, model: ResourceModel, value: Value): void {
  const { type, range, allowed } = model;
  if (type === undefined || !fitsType(type, value)) throw invalid(path, `takes ${type ?? "no value"}`);
  // No text format could carry it, and the whole object would be unreadable in JSON.
  if (typeof value === "number" && !Number.isFinite(value)) throw invalid(path, "takes finite numbers only");
  if (range !== undefined) {
    const size = typeof value === "string" || value instanceof Uint8Array ? value.length : value;
    if ((typeof size === "number" || typeof size === "bigint") && (size < range.min || size > range.max)) {
      throw invalid(path, `must be ${range.min} to ${range.max}`);
    }
  }
  if (allowed !== undefined && !allowed.some((one) => one === normalised(value))) {
    throw invalid(path, `must be one of ${allowed.join(", ")}`);
  }
}

function normalised(value: Value): Value {
  return typeof value === "bigint" && value === BigInt(Number(value)) ? Number(value) : value;
}

/** A link to an instance that is there, to any of an object's, or to nothing. */
export function leadsSomewhere(tree: ObjectTree, { objectId, instanceId }: ObjectLink): boolean {
  if (objectId === MAX_ID) return instanceId === MAX_ID;
  const object = tree.objects.get(objectId);
  return object !== undefined && (instanceId === MAX_ID || object.instances.has(instanceId));
}

/** Throws when a mandatory resource would be lost. */
function droppedBy(instance: ObjectInstance, assignments: ReadonlyMap<number, Assignment>): readonly Resource[] {
  const dropped = [...instance.resources.values()].filter(
    ({ model }) => model.operations.includes("W") && !assignments.has(model.id),
  );
  const missing = dropped.find(({ model }) => model.mandatory);
  if (missing !== undefined) throw bad([instance.model.id, instance.id, missing.model.id], "is mandatory");
  return dropped;
}

function reset(tree: ObjectTree, object: ObjectEntry, path: Path, resource: Resource): void {
  // What a device holds cannot be unsaid; its value stays what the device reports.
  if (resource.handler.write !== undefined) return;
  if (object.writes === "model") tree.removeResource(path);
  else for (const id of [...resource.samples.keys()]) tree.unset([...path, id]);
}

function bad(path: Path, why: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", `${formatPath(path)} ${why}`);
}

function invalid(path: Path, why: string): CausewayError {
  return new CausewayError("VALUE_INVALID", `${formatPath(path)} ${why}`);
}
