import { CausewayError } from "../base/errors.js";
import { subscribe } from "../base/subscribe.js";
import type { ObjectModel, ResourceModel } from "./model/model.js";
import { formatPath, type Path } from "./path.js";
import { type Samples, SingleSample } from "./single-sample.js";
import { fitsType, type Sample, type Value } from "./value.js";

/** What stands behind a resource; all parts are optional, plain stored values need none. */
export interface ResourceHandler {
  /** Live value, asked at every read instead of the stored one (clock, memory). */
  read?(): Value | undefined;
  /** The same of a multiple resource, by resource-instance id. */
  readAll?(): ReadonlyMap<number, Value>;
  /**
   * Carries a server's write out, e.g. to the device, and returns when it is confirmed. The handler decides what the
   * tree holds afterwards; without a handler the value is stored as written. `by` says for the log who wants it.
   */
  write?(value: WrittenValue, signal: AbortSignal, by?: string): Promise<void>;
  execute?(args: string, signal: AbortSignal): Promise<void>;
}

/** Of a plain stored value. */
const PLAIN: ResourceHandler = Object.freeze({});

/** A single value, or the values of a multiple resource by resource-instance id. */
export type WrittenValue = Value | ReadonlyMap<number, Value>;

/** Samples of one resource: of a single resource there is one, under id 0. */
export class Resource {
  readonly model: ResourceModel;
  readonly handler: ResourceHandler;
  readonly samples: Samples;

  constructor(model: ResourceModel, handler: ResourceHandler) {
    this.samples = model.multiple ? new Map() : new SingleSample();
    this.model = model;
    this.handler = handler;
  }

  /** What a read gives now; undefined while nothing has been measured. */
  current(nowMs: number): Sample | undefined {
    const live = this.handler.read?.();
    return live === undefined ? this.samples.get(0) : { value: live, atMs: nowMs };
  }

  /** What a read of a multiple resource gives now, by resource-instance id. */
  all(nowMs: number): ReadonlyMap<number, Sample> {
    const live = this.handler.readAll?.();
    return live === undefined
      ? this.samples
      : new Map([...live].map(([id, value]) => [id, { value, atMs: nowMs }] as const));
  }
}

export class ObjectInstance {
  readonly id: number;
  readonly model: ObjectModel;
  readonly resources = new Map<number, Resource>();

  constructor(model: ObjectModel, id: number) {
    this.model = model;
    this.id = id;
  }
}

/**
 * Which resources a server's write may bring into being: none but those that were declared, or every writable one of
 * the model (objects whose instances are plain settings).
 */
export type WriteScope = "declared" | "model";

export interface ObjectEntry {
  readonly model: ObjectModel;
  readonly writes: WriteScope;
  readonly instances: Map<number, ObjectInstance>;
  /** Present where instances come into being that the code did not name: of a server's, of a restored state. */
  readonly factory?: InstanceFactory;
}

export interface InstanceFactory {
  /** Who may create and delete instances: DM servers too, or bootstrap servers only. */
  readonly by: "servers" | "bootstrap";
  /** Called after the values were checked; returns the handlers of the new instance by resource id. */
  create(instanceId: number): ReadonlyMap<number, ResourceHandler>;
  removed(instanceId: number): void;
  /** Whether the instance outlives the process; absent where all do. */
  isKept?(instanceId: number): boolean;
  /** Whether the gateway's file has made the instance, so that nobody deletes it; absent where none is such. */
  isFixed?(instanceId: number): boolean;
  /** Resources that outlive the process with their instance; absent where all do. */
  readonly keeps?: ReadonlySet<number>;
}

/** `instance-removed` also tells of a resource and of a resource instance: the length of its path says which. */
export type TreeChange =
  | { readonly kind: "value"; readonly path: Path; readonly sample: Sample }
  | { readonly kind: "instance-added" | "instance-removed"; readonly path: Path };

export type TreeListener = (change: TreeChange) => void;

/**
 * What one client exposes. It holds what the field said: a server's write reaches it only through the handler's
 * confirmation. A device behind a prefix and an endpoint of its own are further trees of this same kind.
 */
export class ObjectTree {
  readonly #objects = new Map<number, ObjectEntry>();
  readonly #listeners = new Set<TreeListener>();

  get objects(): ReadonlyMap<number, ObjectEntry> {
    return this.#objects;
  }

  /** With a factory servers may create instances; what they create takes every writable resource of the model. */
  addObject(
    model: ObjectModel,
    factory?: InstanceFactory,
    writes: WriteScope = factory === undefined ? "declared" : "model",
  ): ObjectEntry {
    const known = this.#objects.get(model.id);
    if (known !== undefined) return known;
    const object: ObjectEntry = { model, writes, instances: new Map(), ...(factory === undefined ? {} : { factory }) };
    this.#objects.set(model.id, object);
    return object;
  }

  /** Adds the object too where needed; throws LWM2M_BAD_REQUEST when the instance exists. */
  addInstance(
    model: ObjectModel,
    instanceId: number,
    handlers: ReadonlyMap<number, ResourceHandler> = new Map(),
  ): ObjectInstance {
    const object = this.addObject(model);
    const path = [model.id, instanceId];
    if (object.instances.has(instanceId)) {
      throw new CausewayError("LWM2M_BAD_REQUEST", `${formatPath(path)} exists already`);
    }
    const instance = new ObjectInstance(object.model, instanceId);
    for (const [resourceId, handler] of handlers) this.#addResource(instance, resourceId, handler);
    object.instances.set(instanceId, instance);
    this.#emit({ kind: "instance-added", path });
    return instance;
  }

  removeInstance(objectId: number, instanceId: number): void {
    const object = this.#objects.get(objectId);
    if (object?.instances.delete(instanceId) !== true) return;
    object.factory?.removed(instanceId);
    this.#emit({ kind: "instance-removed", path: [objectId, instanceId] });
  }

  instance(objectId: number, instanceId: number): ObjectInstance | undefined {
    return this.#objects.get(objectId)?.instances.get(instanceId);
  }

  resource(objectId: number, instanceId: number, resourceId: number): Resource | undefined {
    return this.instance(objectId, instanceId)?.resources.get(resourceId);
  }

  /** Announces a resource that has no value yet, or gives a known one no new handler. */
  declare(objectId: number, instanceId: number, resourceId: number, handler: ResourceHandler = PLAIN): Resource {
    const instance = this.#mustInstance(objectId, instanceId);
    return instance.resources.get(resourceId) ?? this.#addResource(instance, resourceId, handler);
  }

  /**
   * The one way in for values. The resource is created when the model has it; listeners hear of every sample, also of
   * an unchanged value, because its time is news. Throws VALUE_INVALID when the value is not of the model's type.
   */
  set(path: Path, sample: Sample): void {
    const [objectId, instanceId, resourceId, resourceInstanceId = 0] = path;
    if (objectId === undefined || instanceId === undefined || resourceId === undefined) {
      throw new CausewayError("INTERNAL", `${formatPath(path)} is not a resource`);
    }
    const resource = this.declare(objectId, instanceId, resourceId);
    const type = resource.model.type;
    if (type === undefined || !fitsType(type, sample.value)) {
      throw new CausewayError("VALUE_INVALID", `${formatPath(path)} takes ${type ?? "no value"}`);
    }
    resource.samples.set(resourceInstanceId, sample);
    this.#emit({ kind: "value", path, sample });
  }

  /** Removes one instance of a multiple resource; unknown ones are ignored. */
  unset(path: Path): void {
    const [objectId = -1, instanceId = -1, resourceId = -1, resourceInstanceId = 0] = path;
    const resource = this.resource(objectId, instanceId, resourceId);
    if (resource?.samples.delete(resourceInstanceId) === true) this.#emit({ kind: "instance-removed", path });
  }

  /** Takes a resource away as if it had never been declared; unknown ones are ignored. */
  removeResource(path: Path): void {
    const [objectId = -1, instanceId = -1, resourceId = -1] = path;
    if (this.instance(objectId, instanceId)?.resources.delete(resourceId) !== true) return;
    this.#emit({ kind: "instance-removed", path });
  }

  listen(listener: TreeListener): Disposable {
    return subscribe(this.#listeners, listener);
  }

  /** Tells observers that a live resource has another value now. */
  touch(path: Path, nowMs: number): void {
    const [objectId = -1, instanceId = -1, resourceId = -1] = path;
    const sample = this.resource(objectId, instanceId, resourceId)?.current(nowMs);
    if (sample !== undefined) this.#emit({ kind: "value", path, sample });
  }

  #mustInstance(objectId: number, instanceId: number): ObjectInstance {
    const instance = this.instance(objectId, instanceId);
    if (instance === undefined) {
      throw new CausewayError("LWM2M_NOT_FOUND", `${formatPath([objectId, instanceId])} does not exist`);
    }
    return instance;
  }

  #addResource(instance: ObjectInstance, resourceId: number, handler: ResourceHandler): Resource {
    const model = instance.model.resources.get(resourceId);
    if (model === undefined) {
      const path = formatPath([instance.model.id, instance.id, resourceId]);
      throw new CausewayError("LWM2M_NOT_FOUND", `${path}: object ${instance.model.id} has no such resource`);
    }
    const resource = new Resource(model, handler);
    instance.resources.set(resourceId, resource);
    return resource;
  }

  #emit(change: TreeChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
