import { isBootstrapAccount, linkedInstances } from "./accounts.js";
import { MAX_ID } from "./path.js";
import { type ObjectEntry, type ObjectInstance, ObjectTree, type Resource } from "./tree.js";

/** The one instance that every client has: never deleted, and written in part only (OMA LwM2M Core 1.2 §6.1.7.6). */
export const DEVICE = 3;
const ACCESS_CONTROL = 2;

/**
 * What a bootstrap server has made of the tree so far. The tree itself sees nothing of it before `commit`: a bootstrap
 * that fails leaves no trace, and one that a power cut ends neither.
 */
export class BootstrapDraft {
  /** A copy, without handlers: of what a bootstrap server may write with the values, of the rest only the instances. */
  readonly tree = new ObjectTree();
  readonly #original: ObjectTree;
  /** Instances that are others than in the tree, by path. */
  readonly #touched = new Map<string, readonly [objectId: number, instanceId: number]>();

  constructor(original: ObjectTree) {
    this.#original = original;
    for (const object of original.objects.values()) this.#copy(object);
    this.tree.listen(({ path: [objectId = -1, instanceId = -1] }) => {
      this.#touched.set(`${objectId}/${instanceId}`, [objectId, instanceId]);
    });
  }

  /**
   * Makes the tree like the draft, where the bootstrap server has touched it: what is gone first, and object 2 last,
   * so that it holds what the bootstrap server wrote whatever has followed the other changes. Rejects as handlers do.
   */
  async commit(signal: AbortSignal): Promise<void> {
    const touched = [...this.#touched.values()].sort(([a, x], [b, y]) => rank(a) - rank(b) || x - y);
    for (const [objectId, instanceId] of touched) {
      if (this.tree.instance(objectId, instanceId) === undefined) this.#original.removeInstance(objectId, instanceId);
    }
    for (const [objectId, instanceId] of touched) {
      const draft = this.tree.instance(objectId, instanceId);
      const object = this.#original.objects.get(objectId);
      if (draft !== undefined && object !== undefined) await this.#commitInstance(object, draft, signal);
    }
  }

  async #commitInstance(object: ObjectEntry, draft: ObjectInstance, signal: AbortSignal): Promise<void> {
    const { model, factory, instances } = object;
    const { id } = draft;
    const present = instances.get(id) ?? this.#original.addInstance(model, id, factory?.create(id));
    for (const resource of [...present.resources.values()]) {
      const isStored = resource.model.type !== undefined && !isLive(resource);
      if (isStored && !draft.resources.has(resource.model.id)) {
        this.#original.removeResource([model.id, id, resource.model.id]);
      }
    }
    for (const resource of draft.resources.values()) {
      await this.#commitResource([model.id, id, resource.model.id], resource, signal);
    }
  }

  async #commitResource(path: readonly [number, number, number], draft: Resource, signal: AbortSignal): Promise<void> {
    const present = this.#original.declare(...path);
    const { samples } = present;
    const isSame =
      samples.size === draft.samples.size && [...samples].every(([id, one]) => draft.samples.get(id) === one);
    if (isSame) return;
    if (present.handler.write !== undefined) {
      const values = new Map([...draft.samples].map(([id, { value }]) => [id, value] as const));
      const single = values.get(0);
      await present.handler.write(draft.model.multiple || single === undefined ? values : single, signal);
      return;
    }
    for (const id of [...samples.keys()]) if (!draft.samples.has(id)) this.#original.unset([...path, id]);
    for (const [id, sample] of draft.samples) {
      if (samples.get(id) !== sample) this.#original.set(draft.model.multiple ? [...path, id] : path, sample);
    }
  }

  #copy(object: ObjectEntry): void {
    const { model, factory, instances } = object;
    const own = factory === undefined ? undefined : { ...factory, create: () => new Map(), removed: () => undefined };
    this.tree.addObject(model, own, object.writes);
    for (const [instanceId, instance] of instances) {
      this.tree.addInstance(model, instanceId);
      if (!isWritable(object)) continue;
      for (const resource of instance.resources.values()) {
        const copy = this.tree.declare(model.id, instanceId, resource.model.id);
        for (const [id, sample] of resource.samples) copy.samples.set(id, sample);
      }
    }
  }
}

/** What a bootstrap server may write: objects whose instances come into being by requests, and the device's settings. */
export function isWritable({ model, factory }: ObjectEntry): boolean {
  return factory !== undefined || model.id === DEVICE;
}

/** `object/instance` of all that belongs to the bootstrap server's account, which no Bootstrap-Delete touches. */
export function bootstrapInstances(tree: ObjectTree): ReadonlySet<string> {
  const found = new Set<string>();
  for (const instanceId of tree.objects.get(0)?.instances.keys() ?? []) {
    if (!isBootstrapAccount(tree, instanceId)) continue;
    found.add(`0/${instanceId}`);
    for (const { to } of linkedInstances(tree, instanceId)) found.add(`${to.objectId}/${to.instanceId}`);
  }
  return found;
}

function isLive({ handler }: Resource): boolean {
  return handler.read !== undefined || handler.readAll !== undefined || handler.write !== undefined;
}

function rank(objectId: number): number {
  return objectId === ACCESS_CONTROL ? MAX_ID : objectId;
}
