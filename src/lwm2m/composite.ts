import { CausewayError } from "../base/errors.js";
import { apply } from "./apply.js";
import type { DecodedEntry, Entry, NamedPath } from "./codec/codec.js";
import type { ResourceModel } from "./model.js";
import { forbidBootstrapObjects, isHidden, type ReadResult, read } from "./operations.js";
import { formatPath, type Path } from "./path.js";
import type { ObjectTree } from "./tree.js";
import { planWrite } from "./write.js";

/**
 * The paths that a composite operation reads, each once: what lies within another one is told with that (RFC 8790 §3.1).
 * Nothing is known behind a prefix. Throws LWM2M_UNAUTHORIZED when a path names what only bootstrap servers may see.
 */
export function compositePaths(named: readonly NamedPath[]): readonly Path[] {
  const own = named.filter(({ prefix }) => prefix === undefined).map(({ path }) => path);
  const texts = new Set(own.map(formatPath));
  for (const path of own) forbidBootstrapObjects(path);
  return own.filter((path) => !path.some((_, depth) => texts.has(formatPath(path.slice(0, depth)))));
}

/** OMA LwM2M Core 1.2 §6.3.8: the values of all that is there and can be read; the rest is left out. */
export function readComposite(tree: ObjectTree, paths: readonly Path[], nowMs: number): ReadResult {
  const entries: Entry[] = [];
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const path of paths) {
    for (const part of path.length === 0 ? visibleObjects(tree) : [path]) {
      const result = readIfThere(tree, part, nowMs);
      if (result === undefined) continue;
      entries.push(...result.entries);
      newestMs = Math.max(newestMs, result.newestMs);
    }
  }
  return { entries, newestMs, use: "values" };
}

function visibleObjects(tree: ObjectTree): readonly Path[] {
  return [...tree.objects.keys()].filter((objectId) => !isHidden(objectId)).map((objectId) => [objectId]);
}

const NOTHING_TO_READ: ReadonlySet<string> = new Set(["LWM2M_NOT_FOUND", "LWM2M_NOT_ALLOWED", "LWM2M_BAD_REQUEST"]);

function readIfThere(tree: ObjectTree, path: Path, nowMs: number): ReadResult | undefined {
  try {
    return read(tree, path, nowMs);
  } catch (error) {
    if (error instanceof CausewayError && NOTHING_TO_READ.has(error.code)) return undefined;
    throw error;
  }
}

/**
 * The model of a resource that a Write-Composite names, where an unknown one is an error, unlike in a Write. Throws
 * LWM2M_NOT_FOUND, LWM2M_NOT_ALLOWED, LWM2M_UNAUTHORIZED.
 */
export function compositeResource(tree: ObjectTree, objectId: number, resourceId: number): ResourceModel {
  forbidBootstrapObjects([objectId]);
  const model = tree.objects.get(objectId)?.model.resources.get(resourceId);
  if (model === undefined) {
    throw new CausewayError("LWM2M_NOT_FOUND", `resource ${resourceId} of object ${objectId} does not exist`);
  }
  if (model.operations.includes("W")) return model;
  throw new CausewayError("LWM2M_NOT_ALLOWED", `resource ${resourceId} of object ${objectId} cannot be written`);
}

/**
 * OMA LwM2M Core 1.2 §6.3.9: values of any resources, all or none. Resource instances that are not named stay; null takes
 * one away.
 */
export async function writeComposite(
  tree: ObjectTree,
  entries: readonly DecodedEntry[],
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (entries.length === 0) throw new CausewayError("LWM2M_BAD_REQUEST", "nothing to write");
  const changes = byResource(entries).flatMap(
    ([path, own]) => planWrite(tree, { path, mode: "update", entries: own }).changes,
  );
  await apply(tree, changes, nowMs, signal);
}

function byResource(entries: readonly DecodedEntry[]): readonly [path: Path, own: readonly DecodedEntry[]][] {
  const groups = new Map<string, [Path, DecodedEntry[]]>();
  for (const entry of entries) {
    if (entry.prefix !== undefined) {
      throw new CausewayError("LWM2M_NOT_FOUND", `there is nothing behind /${entry.prefix}`);
    }
    const path = entry.path.slice(0, 3);
    const key = formatPath(path);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [path, [entry]]);
    else group[1].push(entry);
  }
  return [...groups.values()];
}
