import type { Clock } from "../../base/clock.js";
import {
  type Access,
  type AccessControlList,
  heirOf,
  INSTANCE_RIGHTS,
  mayCreate,
  NO_OWNER,
  RIGHTS,
  type Right,
  rightsOf,
} from "../access.js";
import type { ModelRegistry, ObjectModel } from "../model/model.js";
import { isHidden } from "../operation/operations.js";
import { MAX_ID } from "../path.js";
import type { ObjectInstance, ObjectTree, TreeChange } from "../tree.js";
import { requireModel } from "./require-model.js";

const SERVER = 1;
const ACCESS_CONTROL = 2;
const Id = { objectId: 0, instanceId: 1, rights: 2, owner: 3 } as const;
/** Object Instance ID of a list that says who may create instances of the object. */
const WHOLE_OBJECT = MAX_ID;
const OWN_ACCOUNT = RIGHTS.read | RIGHTS.write | RIGHTS.execute;

/** What the configuration grants; bits of RIGHTS. */
export type AccessPolicy = (shortServerId: number, objectId: number) => number;

interface KeptList extends AccessControlList {
  readonly objectId: number;
  readonly instanceId: number;
}

/**
 * Object 2 of one tree (OMA LwM2M Core 1.2 §8). Access control is in force while the object has instances and there are
 * two server accounts. Bootstrap servers write lists, creating servers own those of what they create, and the policy, if
 * there is one, gives a list to every instance that has none. Without a policy such an instance takes the list of a
 * sibling that no server owns; without that, no server has access to it.
 */
export class AccessControl implements Disposable {
  readonly #tree: ObjectTree;
  readonly #model: ObjectModel;
  readonly #clock: Clock;
  readonly #policy: AccessPolicy | undefined;
  readonly #listening: Disposable;
  /** By id of the instance of object 2. */
  readonly #lists = new Map<number, KeptList>();
  readonly #byTarget = new Map<number, number>();
  /** Those that nobody has asked for; they give way to any other list for the same target. */
  readonly #derived = new Set<number>();
  #state: "waiting" | "complete" | "deriving" = "waiting";

  /** Adds the object; nothing has a list before `refresh`. Throws LWM2M_MODEL. */
  constructor(tree: ObjectTree, models: ModelRegistry, clock: Clock, policy?: AccessPolicy) {
    this.#tree = tree;
    this.#model = requireModel(models, ACCESS_CONTROL);
    this.#clock = clock;
    this.#policy = policy;
    tree.addObject(this.#model, {
      by: "bootstrap",
      create: () => new Map(),
      removed: () => undefined,
      // What is derived is derived anew at the next start.
      isKept: (instanceId) => !this.#derived.has(instanceId),
    });
    this.#listening = tree.listen((change) => this.#onChange(change));
  }

  /** Makes all derived lists anew: the accounts, or what a bootstrap server wants, are others now. */
  refresh(): void {
    for (const id of [...this.#derived]) this.#tree.removeInstance(ACCESS_CONTROL, id);
    this.#state = "complete";
    for (const [objectId, object] of this.#tree.objects) {
      if (object.factory?.by === "servers") this.#derive(objectId, WHOLE_OBJECT);
      for (const instanceId of object.instances.keys()) this.#derive(objectId, instanceId);
    }
  }

  of(shortServerId: number): Access {
    return {
      may: (right, objectId, instanceId) => this.#may(shortServerId, right, objectId, instanceId),
      mayCreate: (objectId) => !this.#isInForce() || mayCreate(this.#listFor(objectId, WHOLE_OBJECT), shortServerId),
      created: (objectId, instanceId) => {
        if (!this.#isInForce()) return;
        this.#forget(objectId, instanceId);
        const rights = this.#granted(objectId, instanceId);
        rights.delete(shortServerId);
        this.#add({ objectId, instanceId, owner: shortServerId, rights });
      },
    };
  }

  /**
   * The account is out of the tree: its entries go, and what servers have created and only it could reach (OMA LwM2M
   * Transport 1.2 §5.2.5).
   */
  forgetServer(shortServerId: number): void {
    for (const [id, list] of [...this.#lists]) {
      if (this.#derived.has(id)) continue;
      this.#tree.unset([ACCESS_CONTROL, id, Id.rights, shortServerId]);
      if (list.owner !== shortServerId) continue;
      const heir = heirOf(list);
      const isTheirs = this.#tree.objects.get(list.objectId)?.factory?.by === "servers";
      if (heir === undefined && isTheirs) this.#tree.removeInstance(list.objectId, list.instanceId);
      else this.#set(id, Id.owner, heir ?? NO_OWNER);
    }
    this.refresh();
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #isInForce(): boolean {
    return this.#lists.size > 0 && this.#hasSeveralServers();
  }

  #hasSeveralServers(): boolean {
    return (this.#tree.objects.get(SERVER)?.instances.size ?? 0) > 1;
  }

  #may(shortServerId: number, right: Right, objectId: number, instanceId: number): boolean {
    if (!this.#isInForce()) return true;
    // Lists have no lists: all may be read, and written by their owner.
    if (objectId === ACCESS_CONTROL) {
      return right !== "write" || this.#lists.get(instanceId)?.owner === shortServerId;
    }
    if (this.#tree.instance(objectId, instanceId) === undefined) return true;
    return (rightsOf(this.#listFor(objectId, instanceId), shortServerId) & RIGHTS[right]) !== 0;
  }

  #listFor(objectId: number, instanceId: number): KeptList | undefined {
    const id = this.#byTarget.get(keyOf(objectId, instanceId));
    return id === undefined ? undefined : this.#lists.get(id);
  }

  #onChange({ kind, path }: TreeChange): void {
    const [objectId = -1, instanceId = -1] = path;
    if (objectId === ACCESS_CONTROL) {
      if (this.#state !== "deriving") this.#derived.delete(instanceId);
      this.#read(instanceId);
    } else if (path.length === 2 && kind === "instance-added") {
      this.#derive(objectId, instanceId);
    } else if (path.length === 2 && kind === "instance-removed") {
      this.#forget(objectId, instanceId);
    }
  }

  /** What the instance of object 2 says now. */
  #read(id: number): void {
    const before = this.#lists.get(id);
    if (before !== undefined) {
      const key = keyOf(before.objectId, before.instanceId);
      if (this.#byTarget.get(key) === id) this.#byTarget.delete(key);
      this.#lists.delete(id);
    }
    const list = listOf(this.#tree.instance(ACCESS_CONTROL, id));
    if (list === undefined) return;
    const key = keyOf(list.objectId, list.instanceId);
    const other = this.#byTarget.get(key);
    if (other !== undefined && this.#derived.has(other)) this.#tree.removeInstance(ACCESS_CONTROL, other);
    this.#lists.set(id, list);
    this.#byTarget.set(key, id);
  }

  #derive(objectId: number, instanceId: number): void {
    const isConcerned = objectId !== ACCESS_CONTROL && !isHidden(objectId);
    if (!isConcerned || this.#state !== "complete" || !this.#hasSeveralServers()) return;
    if (this.#listFor(objectId, instanceId) !== undefined) return;
    const rights =
      this.#policy === undefined ? this.#ofSibling(objectId, instanceId) : this.#granted(objectId, instanceId);
    if (rights === undefined || rights.size === 0) return;
    this.#state = "deriving";
    this.#derived.add(this.#add({ objectId, instanceId, owner: NO_OWNER, rights }));
    this.#state = "complete";
  }

  /** What the policy says, by Short Server ID. */
  #granted(objectId: number, instanceId: number): Map<number, number> {
    const rights = new Map<number, number>();
    if (this.#policy === undefined) return rights;
    for (const account of this.#tree.objects.get(SERVER)?.instances.values() ?? []) {
      const shortServerId = numberIn(account, 0);
      if (shortServerId === undefined) continue;
      const bits = this.#policy(shortServerId, objectId);
      if (instanceId === WHOLE_OBJECT) {
        if ((bits & RIGHTS.create) !== 0) rights.set(shortServerId, RIGHTS.create);
      } else {
        // Without its own account a server could not even ask for an Update.
        const isOwn = objectId === SERVER && instanceId === account.id;
        rights.set(shortServerId, (bits & INSTANCE_RIGHTS) | (isOwn ? OWN_ACCOUNT : 0));
      }
    }
    return rights;
  }

  #ofSibling(objectId: number, instanceId: number): ReadonlyMap<number, number> | undefined {
    if (instanceId === WHOLE_OBJECT) return undefined;
    const siblings = [...(this.#tree.objects.get(objectId)?.instances.keys() ?? [])].map((id) =>
      this.#listFor(objectId, id),
    );
    return siblings.find((list) => list?.owner === NO_OWNER)?.rights;
  }

  #add({ objectId, instanceId, owner, rights }: KeptList): number {
    const instances = this.#tree.objects.get(ACCESS_CONTROL)?.instances;
    let id = this.#lists.size;
    while (instances?.has(id) === true) id = (id + 1) % MAX_ID;
    this.#tree.addInstance(this.#model, id);
    this.#set(id, Id.owner, owner);
    this.#tree.declare(ACCESS_CONTROL, id, Id.rights);
    for (const [shortServerId, bits] of rights) {
      this.#tree.set([ACCESS_CONTROL, id, Id.rights, shortServerId], { value: bits, atMs: this.#clock.nowMs() });
    }
    this.#set(id, Id.objectId, objectId);
    this.#set(id, Id.instanceId, instanceId);
    return id;
  }

  #set(id: number, resourceId: number, value: number): void {
    this.#tree.set([ACCESS_CONTROL, id, resourceId], { value, atMs: this.#clock.nowMs() });
  }

  #forget(objectId: number, instanceId: number): void {
    const id = this.#byTarget.get(keyOf(objectId, instanceId));
    if (id !== undefined) this.#tree.removeInstance(ACCESS_CONTROL, id);
  }
}

/** Undefined until it says what it is for. */
function listOf(instance: ObjectInstance | undefined): KeptList | undefined {
  if (instance === undefined) return undefined;
  const objectId = numberIn(instance, Id.objectId);
  const instanceId = numberIn(instance, Id.instanceId);
  if (objectId === undefined || instanceId === undefined) return undefined;
  const rights = new Map<number, number>();
  for (const [id, { value }] of instance.resources.get(Id.rights)?.samples ?? []) rights.set(id, Number(value));
  return { objectId, instanceId, owner: numberIn(instance, Id.owner) ?? NO_OWNER, rights };
}

function numberIn(instance: ObjectInstance, resourceId: number): number | undefined {
  const value = instance.resources.get(resourceId)?.samples.get(0)?.value;
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}

function keyOf(objectId: number, instanceId: number): number {
  return objectId * (MAX_ID + 1) + instanceId;
}
