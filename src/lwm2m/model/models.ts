import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CausewayError, toError } from "../../base/errors.js";
import { packageRoot } from "../../base/package-root.js";
import { TRANSPORTS } from "../account/binding.js";
import type { ModelRegistry, ObjectModel, ResourceModel } from "./model.js";
import { readObjectXml } from "./object-xml.js";

/** Lines of `models/objects.json`, where `false` flags are left out; written by `scripts/derive-models.ts`. */
export interface ObjectJson {
  readonly id: number;
  readonly name: string;
  readonly version: string;
  readonly multiple?: true;
  readonly mandatory?: true;
  readonly resources: readonly ResourceJson[];
}

export type ResourceJson = Omit<ResourceModel, "multiple" | "mandatory"> & {
  readonly multiple?: true;
  readonly mandatory?: true;
};

/**
 * The shipped object definitions and, ahead of them, the OMA XML files of `extraFolder`. Rejects with LWM2M_MODEL that
 * names every file that cannot be used and what is wrong with it.
 */
export async function loadModels(extraFolder?: string): Promise<ModelRegistry> {
  const shipped = await loadShipped();
  const own = extraFolder === undefined ? [] : await loadFolder(extraFolder);
  return modelRegistry([...shipped, ...own]);
}

/** Of two definitions with the same id and version the later one counts. */
export function modelRegistry(models: Iterable<ObjectModel>): ModelRegistry {
  const byVersion = new Map<number, Map<string, ObjectModel>>();
  const newest = new Map<number, ObjectModel>();
  for (const defined of models) {
    const model = withServerLimits(defined);
    const versions = byVersion.get(model.id) ?? new Map<string, ObjectModel>();
    byVersion.set(model.id, versions.set(model.version, model));
    const best = newest.get(model.id);
    if (best === undefined || compareVersions(model.version, best.version) >= 0) newest.set(model.id, model);
  }
  return {
    object: (objectId, version) =>
      version === undefined ? newest.get(objectId) : byVersion.get(objectId)?.get(version),
    objectIds: [...newest.keys()].sort((a, b) => a - b),
  };
}

const SERVER = 1;
/** Lifetime, Default Minimum and Maximum Period, Disable Timeout. */
const SERVER_TIMES = [1, 2, 3, 5];
const PREFERRED_TRANSPORT = 22;

/**
 * OMA's definition of object 1 gives these no range: a lifetime below zero has no meaning, and the preferred transport is
 * one (OMA LwM2M Core 1.2 §6.2.1.2).
 */
function withServerLimits(model: ObjectModel): ObjectModel {
  if (model.id !== SERVER) return model;
  const resources = new Map(model.resources);
  for (const id of SERVER_TIMES) {
    const resource = resources.get(id);
    if (resource !== undefined) resources.set(id, { ...resource, range: { min: 0, max: 0xffff_ffff } });
  }
  const preferred = resources.get(PREFERRED_TRANSPORT);
  if (preferred !== undefined) resources.set(PREFERRED_TRANSPORT, { ...preferred, allowed: TRANSPORTS });
  return { ...model, resources };
}

/** Negative, zero or positive, as `a` is the older, the same or the newer `MAJOR.MINOR`. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split(".").map(Number);
  const [bMajor = 0, bMinor = 0] = b.split(".").map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}

export type Lwm2mVersion = "1.0" | "1.1" | "1.2";

const IMPLIED: Readonly<Record<Lwm2mVersion, Readonly<Record<number, string>>>> = {
  "1.0": {},
  "1.1": { 0: "1.1", 1: "1.1", 3: "1.1", 4: "1.2" },
  "1.2": { 0: "1.2", 1: "1.2", 2: "1.1", 3: "1.2", 4: "1.3", 5: "1.1", 21: "2.0" },
};

/**
 * The object version that a server assumes when the registration says no `ver`: that of the core objects as released
 * with the enabler (OMA LwM2M Core 1.2 §7.2.2, Table E-1), 1.0 for all others.
 */
export function impliedVersion(objectId: number, lwm2mVersion: Lwm2mVersion): string {
  return IMPLIED[lwm2mVersion][objectId] ?? "1.0";
}

export function objectToJson(model: ObjectModel): ObjectJson {
  return { ...withFlags(model), resources: [...model.resources.values()].map(withFlags) };
}

function withFlags<T extends { multiple: boolean; mandatory: boolean }>(model: T) {
  const { multiple, mandatory, ...rest } = model;
  return { ...rest, ...(multiple ? { multiple } : {}), ...(mandatory ? { mandatory } : {}) };
}

function objectFromJson(json: ObjectJson): ObjectModel {
  const resources = json.resources.map(
    (resource) => [resource.id, { multiple: false, mandatory: false, ...resource }] as const,
  );
  return { multiple: false, mandatory: false, ...json, resources: new Map(resources) };
}

async function loadShipped(): Promise<readonly ObjectModel[]> {
  const file = join(packageRoot(), "models", "objects.json");
  try {
    const objects: readonly ObjectJson[] = JSON.parse(await readFile(file, "utf8"));
    return objects.map(objectFromJson);
  } catch (error) {
    throw new CausewayError("LWM2M_MODEL", `${file}: ${toError(error).message}`, { cause: error });
  }
}

async function loadFolder(folder: string): Promise<readonly ObjectModel[]> {
  const complaints: string[] = [];
  const models: ObjectModel[] = [];
  for (const file of await xmlFiles(folder)) {
    try {
      models.push(...readObjectXml(await readFile(file, "utf8"), file));
    } catch (error) {
      complaints.push(error instanceof CausewayError ? error.message : `${file}: ${toError(error).message}`);
    }
  }
  if (complaints.length > 0) throw new CausewayError("LWM2M_MODEL", complaints.join("; "));
  return models;
}

async function xmlFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.toLowerCase().endsWith(".xml"))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    throw new CausewayError("LWM2M_MODEL", `${folder}: ${toError(error).message}`, { cause: error });
  }
}
