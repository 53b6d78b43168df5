import { CausewayError } from "../../base/errors.js";
import type { ResourceModel } from "../model/model.js";
import { formatPath, type Path } from "../path.js";
import type { ObjectTree, Resource, WrittenValue } from "../tree.js";
import type { Value } from "../value.js";

/** One resource with what it will hold, by resource-instance id, 0 for a single one. */
export interface Change {
  readonly tree: ObjectTree;
  readonly path: Path;
  readonly model: ResourceModel;
  /** Undefined for one that is still to come into being. */
  readonly resource: Resource | undefined;
  readonly values: ReadonlyMap<number, Value>;
}

/** Who asks for a change. */
export interface Requester {
  /** For the log: "server 101". */
  readonly by: string;
  /** Ends the handlers' work. */
  readonly signal: AbortSignal;
}

/** What a handler has carried out, with what the resource held before. */
interface Done {
  readonly change: Change;
  readonly before: ReadonlyMap<number, Value>;
}

/**
 * The handlers carry their part out one after the other, then the rest is stored. When a handler refuses, nothing is
 * stored, what others have carried out is given back as far as possible, and its error is the answer.
 */
export async function apply(changes: readonly Change[], nowMs: number, requester: Requester): Promise<void> {
  const { signal, by } = requester;
  const done: Done[] = [];
  for (const change of changes) {
    const { model, resource, values } = change;
    // Nothing is awaited without need, so that plain settings change in one go.
    if (resource?.handler.write === undefined) continue;
    const before = new Map([...resource.samples].map(([id, sample]) => [id, sample.value]));
    try {
      await resource.handler.write(writtenValue(model, values), signal, by);
    } catch (error) {
      throw await giveBack(done, error, requester);
    }
    done.push({ change, before });
  }
  for (const change of changes) {
    if (change.resource?.handler.write === undefined) store(change, nowMs);
  }
}

/** The newest first. Gives the error to answer with, which says what could not be given back. */
async function giveBack(done: readonly Done[], error: unknown, { signal, by }: Requester): Promise<unknown> {
  const kept: string[] = [];
  for (const { change, before } of done.toReversed()) {
    const { path, model, resource } = change;
    const isKnown = model.multiple || before.has(0);
    try {
      if (isKnown) await resource?.handler.write?.(writtenValue(model, before), signal, by);
      else kept.push(formatPath(path));
    } catch {
      kept.push(formatPath(path));
    }
  }
  if (kept.length === 0 || !(error instanceof CausewayError)) return error;
  const { code, message, facts } = error;
  return new CausewayError(code, `${message}; ${kept.join(", ")} was written already`, { facts, cause: error });
}

function store({ tree, path, model, resource, values }: Change, nowMs: number): void {
  const [objectId = -1, instanceId = -1, resourceId = -1] = path;
  if (resource === undefined) tree.declare(objectId, instanceId, resourceId);
  for (const id of [...(resource?.samples.keys() ?? [])]) {
    if (!values.has(id)) tree.unset([...path, id]);
  }
  for (const [id, value] of values) {
    tree.set(model.multiple ? [...path, id] : path, { value, atMs: nowMs });
  }
}

function writtenValue(model: ResourceModel, values: ReadonlyMap<number, Value>): WrittenValue {
  const single = values.get(0);
  return model.multiple || single === undefined ? values : single;
}
