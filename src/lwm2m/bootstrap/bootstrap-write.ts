import { CausewayError } from "../../base/errors.js";
import { isBootstrapAccount } from "../account/accounts.js";
import type { DecodedEntry } from "../codec/codec.js";
import type { ResourceModel } from "../model/model.js";
import { SecurityId } from "../objects/security.js";
import { notAllowed } from "../operation/operations.js";
import { assignmentsOf, checkFit } from "../operation/write.js";
import { formatPath, MAX_ID, type Path } from "../path.js";
import type { ObjectEntry, ObjectTree } from "../tree.js";
import type { Value } from "../value.js";
import { bootstrapInstances, DEVICE, isWritable } from "./bootstrap-draft.js";

/** One resource of an instance with all of its values, by resource-instance id, 0 for a single one. */
interface Setting {
  readonly model: ResourceModel;
  readonly values: ReadonlyMap<number, Value>;
}

/** An instance that has passed every check; the rest are the resources that it does not name. */
interface InstancePlan {
  readonly instanceId: number;
  readonly settings: readonly Setting[];
  readonly rest: "stays" | "goes";
}

/**
 * Bootstrap-Write (OMA LwM2M Core 1.2 §6.1.7.5) on an object, an instance or a resource of a draft: instances are
 * replaced or made, whatever the rights and the operations of resources. Everything is checked first. Throws
 * LWM2M_NOT_FOUND, LWM2M_NOT_ALLOWED, LWM2M_BAD_REQUEST and VALUE_INVALID.
 */
export function bootstrapWrite(tree: ObjectTree, path: Path, entries: readonly DecodedEntry[], nowMs: number): void {
  const object = checkWritable(tree, path);
  const plans = [...byInstance(path, entries)].map(([instanceId, own]) => planOf(object, path, instanceId, own));
  if (object.model.id === 0) checkBootstrapAccounts(tree, plans);
  for (const plan of plans) carryOut(tree, object, plan, nowMs);
}

/** Whether there is anything to be written at the path, whatever the payload; throws as `bootstrapWrite` does. */
export function checkWritable(tree: ObjectTree, path: Path): ObjectEntry {
  const [objectId = -1, instanceId, resourceId] = path;
  if (path.length === 0 || path.length > 3) throw notAllowed(path, "cannot be the target of a Bootstrap-Write");
  const object = tree.objects.get(objectId);
  if (object === undefined) throw new CausewayError("LWM2M_NOT_FOUND", `/${objectId} does not exist`);
  if (!isWritable(object)) throw notAllowed(path, "is not for bootstrap servers");
  if (instanceId !== undefined && resourceId !== undefined) settable(object, instanceId, resourceId, path);
  return object;
}

/**
 * What a Bootstrap-Pack holds (OMA LwM2M Core 1.2 §6.1.7.7): all instances of each of its objects are replaced. Objects
 * that the client does not know are left out. Throws as `bootstrapWrite` does.
 */
export function bootstrapReplace(tree: ObjectTree, entries: readonly DecodedEntry[], nowMs: number): void {
  if (entries.some(({ prefix }) => prefix !== undefined)) throw bad([], "holds what is behind the gateway");
  const byObject = grouped(entries, 0);
  for (const [objectId, own] of byObject) {
    if (!tree.objects.has(objectId)) continue;
    bootstrapDelete(tree, [objectId]);
    bootstrapWrite(tree, [objectId], own, nowMs);
  }
}

/**
 * Bootstrap-Delete (OMA LwM2M Core 1.2 §6.1.7.6) of everything, of an object's instances or of one. The bootstrap
 * server's account, the device and what the gateway's file says stay, without an error, and so does, of everything, what the field has made. Throws
 * LWM2M_NOT_ALLOWED.
 */
export function bootstrapDelete(tree: ObjectTree, path: Path): void {
  const [objectId, instanceId] = path;
  if (path.length > 2) throw notAllowed(path, "cannot be deleted");
  const objectIds = objectId === undefined ? [...tree.objects.keys()] : [objectId];
  const kept = bootstrapInstances(tree);
  for (const id of objectIds) {
    const object = tree.objects.get(id);
    if (object === undefined || id === DEVICE) continue;
    if (object.factory === undefined) {
      if (objectId === undefined) continue;
      throw notAllowed(path, "cannot be deleted");
    }
    for (const own of instanceId === undefined ? [...object.instances.keys()] : [instanceId]) {
      const isFixed = kept.has(`${id}/${own}`) || object.factory.isFixed?.(own) === true;
      if (!isFixed) tree.removeInstance(id, own);
    }
  }
}

function byInstance(path: Path, entries: readonly DecodedEntry[]): ReadonlyMap<number, readonly DecodedEntry[]> {
  const [, target] = path;
  if (target !== undefined) return new Map([[target, entries]]);
  return grouped(entries, 1);
}

/** By the id at that depth of their paths. */
function grouped(entries: readonly DecodedEntry[], depth: 0 | 1): ReadonlyMap<number, readonly DecodedEntry[]> {
  const groups = new Map<number, DecodedEntry[]>();
  for (const entry of entries) {
    const id = entry.path[depth] ?? MAX_ID;
    const group = groups.get(id) ?? [];
    group.push(entry);
    groups.set(id, group);
  }
  return groups;
}

function planOf(object: ObjectEntry, target: Path, instanceId: number, entries: readonly DecodedEntry[]): InstancePlan {
  const { model } = object;
  const path = [model.id, instanceId];
  const isPossible = model.multiple ? instanceId < MAX_ID : instanceId === 0;
  if (!isPossible) throw bad(path, "is no instance that can be");
  const settings: Setting[] = [];
  for (const [resourceId, assignment] of assignmentsOf([...path, ...target.slice(2)], entries)) {
    const resource = settable(object, instanceId, resourceId, target);
    if (resource === undefined) continue;
    const values = new Map<number, Value>();
    for (const [id, value] of assignment) {
      if (value === null) continue;
      checkFit([...path, resourceId], resource, value);
      values.set(id, value);
    }
    if (!resource.multiple && !values.has(0)) throw bad([...path, resourceId], "takes exactly one value");
    settings.push({ model: resource, values });
  }
  return { instanceId, settings, rest: target.length === 3 || model.id === DEVICE ? "stays" : "goes" };
}

/** Undefined for what is passed over: in the payload of an instance, what is not known or has no value is no error. */
function settable(
  object: ObjectEntry,
  instanceId: number,
  resourceId: number,
  target: Path,
): ResourceModel | undefined {
  const path = [object.model.id, instanceId, resourceId];
  const model = object.model.resources.get(resourceId);
  const isNamed = target.length === 3;
  if (model === undefined) {
    if (isNamed) throw new CausewayError("LWM2M_NOT_FOUND", `${formatPath(path)} does not exist`);
    return undefined;
  }
  // What the device is, a server cannot say; only its settings are to be written.
  const isSetting =
    object.model.id !== DEVICE ||
    (model.operations.includes("W") && object.instances.get(instanceId)?.resources.has(resourceId) === true);
  if (model.type !== undefined && isSetting) return model;
  if (isNamed) throw notAllowed(path, "cannot be written");
  return undefined;
}

/** The client has at most one bootstrap server (OMA LwM2M Core 1.2 §6.1.2); throws LWM2M_BAD_REQUEST. */
function checkBootstrapAccounts(tree: ObjectTree, plans: readonly InstancePlan[]): void {
  const known = [...(tree.objects.get(0)?.instances.keys() ?? [])].filter((id) => isBootstrapAccount(tree, id));
  const accounts = new Set(known);
  for (const { instanceId, settings, rest } of plans) {
    const flag = settings.find(({ model }) => model.id === SecurityId.bootstrap)?.values.get(0);
    if (flag === true) accounts.add(instanceId);
    else if (flag === false || rest === "goes") accounts.delete(instanceId);
  }
  if (accounts.size > 1) throw bad([0], "would have a second bootstrap server");
}

function carryOut(tree: ObjectTree, object: ObjectEntry, plan: InstancePlan, atMs: number): void {
  const { model } = object;
  const { instanceId, settings, rest } = plan;
  const instance = object.instances.get(instanceId) ?? tree.addInstance(model, instanceId);
  const named = new Set(settings.map((setting) => setting.model.id));
  for (const resourceId of rest === "goes" ? [...instance.resources.keys()] : []) {
    if (!named.has(resourceId)) tree.removeResource([model.id, instanceId, resourceId]);
  }
  for (const setting of settings) {
    const path = [model.id, instanceId, setting.model.id] as const;
    const { samples } = tree.declare(...path);
    for (const id of [...samples.keys()]) if (!setting.values.has(id)) tree.unset([...path, id]);
    for (const [id, value] of setting.values) {
      tree.set(setting.model.multiple ? [...path, id] : path, { value, atMs });
    }
  }
}

function bad(path: Path, why: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", `${formatPath(path)} ${why}`);
}
