import { CausewayError } from "../../base/errors.js";
import type { DecodedEntry, Entry, NamedPath } from "../codec/codec.js";
import type { ResourceModel } from "../model/model.js";
import { formatPath, type Path } from "../path.js";
import type { ObjectTree } from "../tree.js";
import { authorise, readView, type TreeView, type ViewedPath, type Views } from "../views.js";
import { apply, type Requester } from "./apply.js";
import { forbidBootstrapObjects, isHidden, type ReadResult } from "./operations.js";
import { planWrite } from "./write.js";

/**
 * The paths that a composite operation reads, each once: what lies within another one is told with that (RFC 8790 §3.1).
 * What is behind an unknown prefix is left out. Throws LWM2M_UNAUTHORIZED when a path names what only bootstrap servers may see.
 */
export function compositePaths(named: readonly NamedPath[], views: Views): readonly ViewedPath[] {
  const texts = new Set(named.map(({ path, prefix }) => nameOf(prefix, path)));
  // Paths of one length, as most are, cannot lie within each other.
  const shortest = Math.min(...named.map(({ path }) => path.length));
  const paths: ViewedPath[] = [];
  for (const { path, prefix } of named) {
    forbidBootstrapObjects(path);
    const view = views.find(prefix);
    const isTold = path.some((_, depth) => depth >= shortest && texts.has(nameOf(prefix, path.slice(0, depth))));
    if (view !== undefined && !isTold) paths.push({ view, path });
  }
  return paths;
}

function nameOf(prefix: string | undefined, path: Path): string {
  return prefix === undefined ? formatPath(path) : `/${prefix}${formatPath(path)}`;
}

/**
 * OMA LwM2M Core 1.2 §6.3.8: the values of all that is there and can be read; the rest is left out. Throws
 * LWM2M_UNAUTHORIZED when something is there and the server may read none of it (§8.2.1).
 */
export function readComposite(paths: readonly ViewedPath[], nowMs: number): ReadResult {
  const entries: Entry[] = [];
  let newestMs = Number.NEGATIVE_INFINITY;
  let refused: Path | undefined;
  let isGranted = false;
  for (const { view, path } of paths) {
    if (view.state === "removed") continue;
    for (const part of path.length === 0 ? visibleObjects(view.tree) : [path]) {
      const right = readRight(view, part);
      if (right === "refused") refused = part;
      if (right === "granted") isGranted = true;
      const result = right === "refused" ? undefined : readIfThere(view, part, nowMs);
      if (result === undefined) continue;
      entries.push(...result.entries);
      newestMs = Math.max(newestMs, result.newestMs);
    }
  }
  if (refused !== undefined && !isGranted) {
    throw new CausewayError("LWM2M_UNAUTHORIZED", `the server may not read ${formatPath(refused)}`);
  }
  return { entries, newestMs, use: "values" };
}

/** To the instances of a path together. */
function readRight({ tree, access }: TreeView, [objectId = -1, only]: Path): "granted" | "refused" | "nothing there" {
  const instances = tree.objects.get(objectId)?.instances;
  const isThere = only === undefined ? (instances?.size ?? 0) > 0 : instances?.has(only) === true;
  if (instances === undefined || !isThere) return "nothing there";
  for (const instanceId of only === undefined ? instances.keys() : [only]) {
    if (access.may("read", objectId, instanceId)) return "granted";
  }
  return "refused";
}

function visibleObjects(tree: ObjectTree): readonly Path[] {
  return [...tree.objects.keys()].filter((objectId) => !isHidden(objectId)).map((objectId) => [objectId]);
}

const NOTHING_TO_READ: ReadonlySet<string> = new Set(["LWM2M_NOT_FOUND", "LWM2M_NOT_ALLOWED", "LWM2M_BAD_REQUEST"]);

function readIfThere(view: TreeView, path: Path, nowMs: number): ReadResult | undefined {
  try {
    return readView(view, path, nowMs);
  } catch (error) {
    if (error instanceof CausewayError && NOTHING_TO_READ.has(error.code)) return undefined;
    throw error;
  }
}

/**
 * The model of a resource that a Write-Composite names, where an unknown one is an error, unlike in a Write. Throws
 * LWM2M_NOT_FOUND, LWM2M_NOT_ALLOWED, LWM2M_UNAUTHORIZED.
 */
export function compositeResource({ tree }: TreeView, objectId: number, resourceId: number): ResourceModel {
  forbidBootstrapObjects([objectId]);
  const model = tree.objects.get(objectId)?.model.resources.get(resourceId);
  if (model === undefined) {
    throw new CausewayError("LWM2M_NOT_FOUND", `resource ${resourceId} of object ${objectId} does not exist`);
  }
  if (model.operations.includes("W")) return model;
  throw new CausewayError("LWM2M_NOT_ALLOWED", `resource ${resourceId} of object ${objectId} cannot be written`);
}

/**
 * OMA LwM2M Core 1.2 §6.3.9: values of any resources, also of several devices, all or none. Resource instances that are
 * not named stay; null takes one away.
 */
export async function writeComposite(
  views: Views,
  entries: readonly DecodedEntry[],
  nowMs: number,
  requester: Requester,
): Promise<void> {
  if (entries.length === 0) throw new CausewayError("LWM2M_BAD_REQUEST", "nothing to write");
  for (const { path, prefix } of entries) authorise(views.mustFind(prefix), "write", path);
  const changes = byResource(entries, views).flatMap(
    ({ view, path, own }) => planWrite(view.tree, { path, mode: "update", entries: own }).changes,
  );
  await apply(changes, nowMs, requester);
}

interface ResourceEntries extends ViewedPath {
  readonly own: DecodedEntry[];
}

function byResource(entries: readonly DecodedEntry[], views: Views): readonly ResourceEntries[] {
  const groups = new Map<string, ResourceEntries>();
  for (const entry of entries) {
    const path = entry.path.slice(0, 3);
    const key = nameOf(entry.prefix, path);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { view: views.mustFind(entry.prefix), path, own: [entry] });
    else group.own.push(entry);
  }
  return [...groups.values()];
}
