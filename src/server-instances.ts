import type { Clock, Timer } from "./base/clock.js";
import { CausewayError, toError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import { Problems } from "./base/schema.js";
import type { Scope } from "./base/scope.js";
import { parseSource } from "./base/source.js";
import type { AnyAdapter } from "./field/adapter.js";
import type { ObjectModel } from "./lwm2m/model/model.js";
import { formatPath } from "./lwm2m/path.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "./lwm2m/tree.js";
import type { Value } from "./lwm2m/value.js";

export interface FollowedInstances {
  readonly tree: ObjectTree;
  readonly objectId: number;
  readonly clock: Clock;
  /** Resources whose change begins anew. */
  readonly settings: ReadonlySet<number>;
  /** For the log: "an MQTT broker". */
  readonly what: string;
  /** The scope closes when the instance goes, or has other settings. May throw what is wrong with them. */
  begin(instanceId: number, scope: Scope): void;
}

/** Begins for each instance of an object, those that are there and those that come, until the scope closes. */
export function followInstances(
  { tree, objectId, clock, settings, what, begin }: FollowedInstances,
  scope: Scope,
  log: Log,
): void {
  const open = new Map<number, Scope>();
  const dirty = new Set<number>();
  const close = (instanceId: number): void => {
    void open.get(instanceId)?.[Symbol.asyncDispose]();
    open.delete(instanceId);
  };
  const renew = (instanceId: number): void => {
    close(instanceId);
    if (scope.signal.aborted || tree.instance(objectId, instanceId) === undefined) return;
    const own = scope.child();
    open.set(instanceId, own);
    try {
      begin(instanceId, own);
    } catch (error) {
      log.warn(`${what} cannot be used`, { path: formatPath([objectId, instanceId]), why: toError(error).message });
    }
  };
  let timer: Timer | undefined;
  // What one request changes arrives value by value, with handlers in between.
  const renewSoon = (instanceId: number): void => {
    dirty.add(instanceId);
    timer ??= clock.schedule(0, () => {
      timer = undefined;
      const instanceIds = [...dirty];
      dirty.clear();
      for (const id of instanceIds) renew(id);
    });
  };
  const listening = tree.listen(({ kind, path: [changedId, instanceId, resourceId] }) => {
    if (changedId !== objectId || instanceId === undefined) return;
    if (kind === "instance-removed" && resourceId === undefined) close(instanceId);
    else if (resourceId === undefined || settings.has(resourceId)) renewSoon(instanceId);
  });
  scope.defer(() => {
    listening[Symbol.dispose]();
    timer?.cancel();
  });
  for (const instanceId of tree.objects.get(objectId)?.instances.keys() ?? []) renewSoon(instanceId);
}

/** Only keeps what a server writes, if `problem` finds none in it; refuses with LWM2M_BAD_REQUEST otherwise. */
export function checkedSetting(
  tree: ObjectTree,
  path: readonly [object: number, instance: number, resource: number],
  clock: Clock,
  problem: (value: Value) => string | undefined,
): ResourceHandler {
  return {
    async write(value) {
      const what = isSingle(value) ? problem(value) : "takes one value";
      if (what !== undefined) throw bad(`${formatPath(path)}: ${what}`);
      if (isSingle(value)) tree.set(path, { value, atMs: clock.nowMs() });
    },
  };
}

function isSingle(value: WrittenValue): value is Value {
  return !(value instanceof Map);
}

/** What is wrong with a link that must lead to an instance of the object. */
export function objectLinkProblem(
  value: Value,
  objectId: number,
  isThere: (instanceId: number) => boolean,
): string | undefined {
  if (typeof value !== "object" || !("objectId" in value) || value.objectId !== objectId) {
    return `this is no link to an instance of object ${objectId}`;
  }
  return isThere(value.instanceId) ? undefined : `there is no /${objectId}/${value.instanceId}`;
}

/** What is said of a link in the gateway's file, as an instance that servers see and cannot change. */
export function showLink(
  tree: ObjectTree,
  model: ObjectModel,
  instanceId: number,
  facts: readonly (readonly [number, Value])[],
  atMs: number,
  live: readonly (readonly [number, ResourceHandler])[] = [],
): void {
  tree.addInstance(model, instanceId, new Map([...facts.map(([id]) => [id, FIXED] as const), ...live]));
  for (const [id, value] of facts) tree.set([model.id, instanceId, id], { value, atMs });
}

const FIXED: ResourceHandler = {
  write: () => Promise.reject(new CausewayError("LWM2M_NOT_ALLOWED", "links are what the gateway's file says")),
};

/** Reads by an adapter's schema, as if it stood in a file. Throws CONFIG_INVALID. */
export function readBy<T>(schema: AnyAdapter["link" | "station" | "point"], document: T): unknown {
  const problems = new Problems();
  const { root } = parseSource(JSON.stringify(document), "a server's settings");
  const value = root === undefined ? undefined : schema.read(root, "", problems);
  const [problem] = problems.list;
  if (problem !== undefined) throw new CausewayError("CONFIG_INVALID", `${problem.path}: ${problem.what}`);
  return value;
}

export function bad(what: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", what);
}
