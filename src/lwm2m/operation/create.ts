import { CausewayError } from "../../base/errors.js";
import { CHOOSE_INSTANCE, type DecodedEntry } from "../codec/codec.js";
import { formatPath, type Path } from "../path.js";
import { type InstanceFactory, type ObjectEntry, ObjectInstance, type ObjectTree } from "../tree.js";
import { apply, type Requester } from "./apply.js";
import { find, notAllowed } from "./operations.js";
import { initialChanges } from "./write.js";

/**
 * OMA LwM2M Core 1.2 §6.3.6: one or several instances of an object, all or none. Gives the ids in the payload's order.
 */
export async function create(
  tree: ObjectTree,
  path: Path,
  entries: readonly DecodedEntry[],
  nowMs: number,
  requester: Requester,
): Promise<readonly number[]> {
  const { object } = find(tree, path);
  const { factory } = object;
  if (path.length !== 1 || factory?.by !== "servers") throw notAllowed(path, "takes no new instances");
  const created: number[] = [];
  try {
    for (const [wanted, own] of byInstance(path, entries)) {
      const instanceId = wanted === CHOOSE_INSTANCE ? freeId(object) : wanted;
      const moved = own.map((entry) => ({ ...entry, path: [object.model.id, instanceId, ...entry.path.slice(2)] }));
      await createOne(tree, object, factory, instanceId, moved, nowMs, requester);
      created.push(instanceId);
    }
  } catch (error) {
    for (const instanceId of created) tree.removeInstance(object.model.id, instanceId);
    throw error;
  }
  return created;
}

async function createOne(
  tree: ObjectTree,
  object: ObjectEntry,
  factory: InstanceFactory,
  instanceId: number,
  entries: readonly DecodedEntry[],
  nowMs: number,
  requester: Requester,
): Promise<void> {
  const { model } = object;
  if (object.instances.has(instanceId)) throw bad([model.id, instanceId], "exists already");
  if (!model.multiple && (instanceId !== 0 || object.instances.size > 0)) {
    throw notAllowed([model.id, instanceId], "cannot be: the object has one instance, 0");
  }
  // Everything is checked against a draft, so that nothing is seen of an instance that is refused.
  const changes = initialChanges(tree, object, new ObjectInstance(model, instanceId), entries);
  const named = new Set(changes.map((change) => change.model.id));
  for (const resource of model.resources.values()) {
    if (resource.mandatory && resource.operations.includes("W") && !named.has(resource.id)) {
      throw bad([model.id, instanceId, resource.id], "is mandatory");
    }
  }
  const instance = tree.addInstance(model, instanceId, factory.create(instanceId));
  try {
    await apply(initialChanges(tree, object, instance, entries), nowMs, requester);
  } catch (error) {
    tree.removeInstance(model.id, instanceId);
    throw error;
  }
}

function byInstance(path: Path, entries: readonly DecodedEntry[]): Map<number, DecodedEntry[]> {
  const groups = new Map<number, DecodedEntry[]>();
  for (const entry of entries) {
    const [objectId, instanceId] = entry.path;
    if (objectId !== path[0] || instanceId === undefined) throw bad(entry.path, "is not within the request's path");
    const group = groups.get(instanceId) ?? [];
    group.push(entry);
    groups.set(instanceId, group);
  }
  if (groups.size === 0) groups.set(CHOOSE_INSTANCE, []);
  return groups;
}

function freeId(object: ObjectEntry): number {
  let id = 0;
  while (object.instances.has(id)) id++;
  return id;
}

function bad(path: Path, why: string): CausewayError {
  return new CausewayError("LWM2M_BAD_REQUEST", `${formatPath(path)} ${why}`);
}
