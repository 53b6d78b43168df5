import { CausewayError } from "../../base/errors.js";
import { type Access, FULL_ACCESS } from "../access.js";
import type { Entry } from "../codec/codec.js";
import type { ResourceModel } from "../model/model.js";
import { formatPath, type Path } from "../path.js";
import type { ObjectEntry, ObjectInstance, ObjectTree, Resource } from "../tree.js";
import type { ResourceType, Sample } from "../value.js";
import { parseArguments } from "./arguments.js";

/** What a path names in the tree, as deep as the path goes. */
export interface Target {
  readonly object: ObjectEntry;
  readonly instance?: ObjectInstance;
  readonly resource?: Resource;
}

export interface ReadResult {
  /** Without times: what a read gives is current. */
  readonly entries: readonly Entry[];
  /** When the newest of them was measured; what a server may set itself counts as of now. */
  readonly newestMs: number;
  /** Whether the path names one value, which formats without structure can carry, or may give any number of them. */
  readonly use: "value" | "values";
}

const BOOTSTRAP_ONLY: ReadonlySet<number | undefined> = new Set([0, 21, 23]);

/** Throws LWM2M_UNAUTHORIZED: only a bootstrap server touches keys (OMA LwM2M Core 1.2 §6.3, Appendix E). */
export function forbidBootstrapObjects(path: Path): void {
  if (BOOTSTRAP_ONLY.has(path[0])) {
    throw new CausewayError("LWM2M_UNAUTHORIZED", `object ${path[0]} is for bootstrap servers only`);
  }
}

export function isHidden(objectId: number): boolean {
  return BOOTSTRAP_ONLY.has(objectId);
}

/**
 * Throws LWM2M_NOT_FOUND where the path ends in nothing, LWM2M_BAD_REQUEST for an instance of a single resource and
 * LWM2M_NOT_ALLOWED for the root.
 */
export function find(tree: ObjectTree, path: Path): Target {
  const [objectId, instanceId, resourceId, resourceInstanceId] = path;
  if (objectId === undefined) throw new CausewayError("LWM2M_NOT_ALLOWED", "the root cannot be the target");
  const object = tree.objects.get(objectId);
  if (object === undefined) throw notFound(path.slice(0, 1));
  if (instanceId === undefined) return { object };
  const instance = object.instances.get(instanceId);
  if (instance === undefined) throw notFound(path.slice(0, 2));
  if (resourceId === undefined) return { object, instance };
  const resource = instance.resources.get(resourceId);
  if (resource === undefined) throw notFound(path.slice(0, 3));
  if (resourceInstanceId === undefined) return { object, instance, resource };
  if (!resource.model.multiple) {
    throw new CausewayError("LWM2M_BAD_REQUEST", `${formatPath(path.slice(0, 3))} has no instances`);
  }
  const known = resource.handler.readAll?.() ?? resource.samples;
  if (!known.has(resourceInstanceId)) throw notFound(path);
  return { object, instance, resource };
}

/**
 * OMA LwM2M Core 1.2 §6.3.1; parts that cannot be read or have no value yet are left out of objects and instances, and
 * instances that `access` does not show out of objects.
 */
export function read(tree: ObjectTree, path: Path, nowMs: number, access: Access = FULL_ACCESS): ReadResult {
  const { object, instance, resource } = find(tree, path);
  const entries: Entry[] = [];
  if (resource !== undefined) {
    const type = readableType(resource.model);
    if (type === undefined) throw notAllowed(path, "cannot be read");
    const newestMs = readResource(entries, path, resource, type, nowMs);
    if (entries.length === 0 && !resource.model.multiple) {
      throw new CausewayError("LWM2M_NOT_FOUND", `${formatPath(path)} has no value yet`);
    }
    return { entries, newestMs, use: path.length === 4 || !resource.model.multiple ? "value" : "values" };
  }
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const part of instance === undefined ? object.instances.values() : [instance]) {
    if (instance === undefined && !access.may("read", object.model.id, part.id)) continue;
    newestMs = Math.max(newestMs, readInstance(entries, part, nowMs));
  }
  return { entries, newestMs, use: "values" };
}

function readInstance(entries: Entry[], instance: ObjectInstance, nowMs: number): number {
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const resource of instance.resources.values()) {
    const type = readableType(resource.model);
    if (type === undefined) continue;
    const path = [instance.model.id, instance.id, resource.model.id];
    newestMs = Math.max(newestMs, readResource(entries, path, resource, type, nowMs));
  }
  return newestMs;
}

/** Appends what the resource, or the one instance of it that the path names, holds; gives the newest time. */
function readResource(entries: Entry[], path: Path, resource: Resource, type: ResourceType, nowMs: number): number {
  if (!resource.model.multiple) {
    const sample = resource.current(nowMs);
    if (sample === undefined) return Number.NEGATIVE_INFINITY;
    entries.push({ path, type, value: sample.value });
    return measuredMs(resource, sample, nowMs);
  }
  let newestMs = Number.NEGATIVE_INFINITY;
  const [objectId = -1, instanceId = -1, resourceId = -1, only] = path;
  for (const [id, sample] of resource.all(nowMs)) {
    if (only !== undefined && only !== id) continue;
    entries.push({ path: [objectId, instanceId, resourceId, id], type, value: sample.value });
    newestMs = Math.max(newestMs, measuredMs(resource, sample, nowMs));
  }
  return newestMs;
}

// A setting holds until it is set again, so its age says nothing; a measurement's does.
function measuredMs(resource: Resource, sample: Sample, nowMs: number): number {
  const isSetting = resource.model.operations === "RW" && resource.handler.write === undefined;
  return isSetting ? nowMs : sample.atMs;
}

/** The type of a resource that servers may read. */
export function readableType(model: ResourceModel): ResourceType | undefined {
  return model.operations === "R" || model.operations === "RW" ? model.type : undefined;
}

/** OMA LwM2M Core 1.2 §6.3.5. */
export async function execute(tree: ObjectTree, path: Path, args: string, signal: AbortSignal): Promise<void> {
  const { resource } = find(tree, path);
  if (resource === undefined || path.length !== 3 || resource.model.operations !== "E") {
    throw notAllowed(path, "cannot be executed");
  }
  if (resource.handler.execute === undefined) throw notAllowed(path, "does nothing here");
  parseArguments(args);
  await resource.handler.execute(args, signal);
}

/** OMA LwM2M Core 1.2 §6.3.7: an instance that servers may create, or one value of a multiple setting. */
export function remove(tree: ObjectTree, path: Path): void {
  const { object, instance, resource } = find(tree, path);
  if (resource !== undefined && path.length === 4) {
    const isSetting = resource.model.operations.includes("W") && resource.handler.write === undefined;
    if (!isSetting) throw notAllowed(path, "cannot be deleted");
    tree.unset(path);
    return;
  }
  if (resource !== undefined || instance === undefined || object.factory?.by !== "servers" || !object.model.multiple) {
    throw notAllowed(path, "cannot be deleted");
  }
  if (object.factory.isFixed?.(instance.id) === true) throw notAllowed(path, "is what the gateway's file says");
  tree.removeInstance(object.model.id, instance.id);
}

export function notAllowed(path: Path, why: string): CausewayError {
  return new CausewayError("LWM2M_NOT_ALLOWED", `${formatPath(path)} ${why}`);
}

function notFound(path: Path): CausewayError {
  return new CausewayError("LWM2M_NOT_FOUND", `${formatPath(path)} does not exist`);
}
