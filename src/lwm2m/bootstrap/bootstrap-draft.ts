import { isBootstrapAccount, linkedInstances } from "../account/accounts.js";
import { MAX_ID } from "../path.js";
import { type ObjectEntry, type ObjectInstance, ObjectTree, type Resource } from "../tree.js";
import type { Sample } from "../value.js";

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
   * Makes the tree like the draft, where the bootstrap server has touched it. What may be refused comes first; then
   * nothing else is changed, and it rejects with that error. Object 2 comes last, so that it holds what the bootstrap
   * server wrote, whatever follows the other changes.
   */
  async commit(signal: AbortSignal): Promise<void> {
    const touched = [...this.#touched.values()].sort(([a, x], [b, y]) => rank(a) - rank(b) || x - y);
    const drafts = touched.flatMap(([objectId, instanceId]) => this.tree.instance(objectId, instanceId) ?? []);
    const added: ObjectInstance[] = [];
    try {
      for (const draft of drafts) {
        if (this.#original.instance(draft.model.id, draft.id) === undefined) added.push(this.#add(draft));
      }
      for (const draft of drafts) await this.#writeThrough(draft, signal);
    } catch (error) {
      for (const { model, id } of added) this.#original.removeInstance(model.id, id);
      throw error;
    }
    for (const [objectId, instanceId] of touched) {
      if (this.tree.instance(objectId, instanceId) === undefined) this.#original.removeInstance(objectId, instanceId);
    }
    for (const draft of drafts) this.#store(draft);
  }

  #add({ model, id }: ObjectInstance): ObjectInstance {
    return this.#original.addInstance(model, id, this.#original.objects.get(model.id)?.factory?.create(id));
  }

  /** What a handler keeps, or a device. */
  async #writeThrough(draft: ObjectInstance, signal: AbortSignal): Promise<void> {
    for (const { model, samples } of draft.resources.values()) {
      const present = this.#original.resource(draft.model.id, draft.id, model.id);
      if (present?.handler.write === undefined || areSame(present.samples, samples)) continue;
      const values = new Map([...samples].map(([id, { value }]) => [id, value] as const));
      const single = values.get(0);
      await present.handler.write(model.multiple || single === undefined ? values : single, signal);
    }
  }

  #store(draft: ObjectInstance): void {
    const { model, id } = draft;
    const present = this.#original.instance(model.id, id) ?? this.#add(draft);
    for (const resource of [...present.resources.values()]) {
      const isStored = resource.model.type !== undefined && !isLive(resource);
      if (isStored && !draft.resources.has(resource.model.id)) {
        this.#original.removeResource([model.id, id, resource.model.id]);
      }
    }
    for (const { model: resource, samples } of draft.resources.values()) {
      const path = [model.id, id, resource.id] as const;
      const { handler, samples: before } = this.#original.declare(...path);
      if (handler.write !== undefined || areSame(before, samples)) continue;
      for (const part of [...before.keys()]) if (!samples.has(part)) this.#original.unset([...path, part]);
      for (const [part, sample] of samples) {
        if (before.get(part) !== sample) this.#original.set(resource.multiple ? [...path, part] : path, sample);
      }
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

/** The same samples, not merely equal ones: a copy keeps them. */
function areSame(a: ReadonlyMap<number, Sample>, b: ReadonlyMap<number, Sample>): boolean {
  return a.size === b.size && [...a].every(([id, sample]) => b.get(id) === sample);
}

function isLive({ handler }: Resource): boolean {
  return handler.read !== undefined || handler.readAll !== undefined || handler.write !== undefined;
}

function rank(objectId: number): number {
  return objectId === ACCESS_CONTROL ? MAX_ID : objectId;
}
