import { CausewayError, toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import type { ObjectModel } from "../model/model.js";
import { formatPath, type Path, parsePath } from "../path.js";
import type { ObjectInstance, ObjectTree } from "../tree.js";
import type { Value } from "../value.js";
import type { ClientState, Json } from "./client-state.js";
import { jsonOfValue, valueOfJson } from "./value-json.js";

/**
 * Object instances that outlive the process: those of objects with a factory, so accounts, access rights and what
 * servers have created.
 */
export class KeptInstances implements Disposable {
  readonly #tree: ObjectTree;
  readonly #state: ClientState;
  readonly #log: Log;
  readonly #listening: Disposable;
  /** Paths of instances that have changed. */
  readonly #dirty = new Set<string>();
  #writing: "idle" | "scheduled" = "idle";

  /** Objects with a factory that are added to the tree later are kept as well, but not restored. */
  constructor(tree: ObjectTree, state: ClientState, log: Log) {
    this.#tree = tree;
    this.#state = state;
    this.#log = log;
    this.#listening = tree.listen(({ path }) => {
      const [objectId = -1, instanceId, resourceId] = path;
      const factory = tree.objects.get(objectId)?.factory;
      if (instanceId === undefined || factory === undefined) return;
      if (resourceId !== undefined && factory.keeps?.has(resourceId) === false) return;
      this.#note(formatPath([objectId, instanceId]));
    });
  }

  /** Makes what was kept; what cannot be understood, or is of an object that is not there, is left out. */
  restore(nowMs: number): void {
    for (const [key, document] of this.#state.load("instances")) {
      try {
        this.#restore(key, document, nowMs);
      } catch (error) {
        this.#log.warn("an object instance of before is left out", { path: key, error: toError(error) });
      }
    }
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#write();
  }

  #restore(key: string, document: Json, nowMs: number): void {
    const [objectId = -1, instanceId = -1] = parsePath(key);
    const object = this.#tree.objects.get(objectId);
    if (object?.factory === undefined) throw new CausewayError("STATE_INVALID", `object ${objectId} is not kept`);
    if (object.instances.has(instanceId)) return;
    const { model } = object;
    // Understood as a whole before anything of it is seen.
    const resources = [...resourcesOf(document, model)];
    this.#tree.addInstance(model, instanceId, object.factory.create(instanceId));
    for (const { resourceId, values } of resources) {
      this.#tree.declare(objectId, instanceId, resourceId);
      for (const [path, value] of values) this.#tree.set([objectId, instanceId, ...path], { value, atMs: nowMs });
    }
  }

  #note(path: string): void {
    this.#dirty.add(path);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#writing === "scheduled") return;
    this.#writing = "scheduled";
    // What one request changes arrives value by value.
    queueMicrotask(() => {
      this.#writing = "idle";
      this.#write();
    });
  }

  #write(): void {
    for (const key of this.#dirty) {
      const [objectId = -1, instanceId = -1] = parsePath(key);
      const instance = this.#tree.instance(objectId, instanceId);
      const factory = this.#tree.objects.get(objectId)?.factory;
      const isKept = factory?.isKept?.(instanceId) ?? true;
      if (instance === undefined || !isKept) this.#state.remove("instances", key);
      else this.#state.put("instances", key, jsonOfInstance(instance, factory?.keeps));
    }
    this.#dirty.clear();
  }
}

function jsonOfInstance(instance: ObjectInstance, keeps: ReadonlySet<number> | undefined): Json {
  const fields: Record<string, Json> = {};
  for (const [id, { model, samples }] of instance.resources) {
    if (keeps?.has(id) === false) continue;
    const single = samples.get(0);
    if (model.multiple) {
      fields[id] = Object.fromEntries([...samples].map(([part, { value }]) => [part, jsonOfValue(value)]));
    } else if (single !== undefined) fields[id] = jsonOfValue(single.value);
  }
  return fields;
}

interface KeptResource {
  readonly resourceId: number;
  /** By resource, and resource instance of a multiple one. */
  readonly values: readonly (readonly [Path, Value])[];
}

/** Throws STATE_INVALID; resources that the model lacks are left out. */
function* resourcesOf(document: Json, model: ObjectModel): Generator<KeptResource> {
  for (const [id, json] of fieldsOf(document)) {
    const resourceId = Number(id);
    const { type, multiple } = model.resources.get(resourceId) ?? {};
    if (type === undefined) continue;
    const parts = multiple === true ? fieldsOf(json) : undefined;
    const values = parts?.map(([part, value]) => [[resourceId, Number(part)], valueOfJson(type, value)] as const);
    yield { resourceId, values: values ?? [[[resourceId], valueOfJson(type, json)]] };
  }
}

function fieldsOf(json: Json): [string, Json][] {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new CausewayError("STATE_INVALID", "what was kept is no object");
  }
  return Object.entries(json);
}
