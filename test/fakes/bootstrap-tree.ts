import type { BootstrapAccount, ServerAccount } from "../../src/lwm2m/account/account.js";
import { addAccountObjects, addBootstrapAccount, addServerAccount } from "../../src/lwm2m/account/accounts.js";
import { addDevice } from "../../src/lwm2m/objects/device.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { FakeClock } from "./clock.js";
import { model, shippedModels } from "./lwm2m-client.js";

export interface AccountsOfTree {
  /** At the instances 0, 1, … of objects 0 and 1. */
  readonly servers?: readonly Partial<ServerAccount>[];
  /** At /0/1, or behind the servers'. */
  readonly bootstrap?: Partial<BootstrapAccount>;
}

/** A tree as a client with these accounts has it: objects 0 to 3, 16 with a factory and a sensor of the field. */
export function bootstrapTree(
  { servers = [], bootstrap = {} }: AccountsOfTree = {},
  clock = new FakeClock(),
): ObjectTree {
  const tree = new ObjectTree();
  const effects = { disable: () => undefined, update: () => undefined, bootstrap: () => undefined };
  addAccountObjects(tree, shippedModels, () => effects);
  const factory = { create: () => new Map(), removed: () => undefined };
  tree.addObject(model(2), { by: "bootstrap", ...factory });
  addDevice(tree, shippedModels, { modelNumber: "gateway", binding: "U" }, clock);
  tree.addObject(model(16), { by: "servers", ...factory });
  tree.addInstance(model(3303), 0);
  tree.set([3303, 0, 5700], { value: 21.5, atMs: clock.nowMs() });
  for (const [id, account] of servers.entries()) {
    const all = { uri: `coap://192.0.2.${id + 1}`, shortServerId: id + 1, lifetimeS: 60, ...account };
    addServerAccount(tree, id, all, clock.nowMs());
  }
  addBootstrapAccount(tree, Math.max(1, servers.length), { uri: "coap://192.0.2.9", ...bootstrap }, clock.nowMs());
  return tree;
}

/** What is in the tree, by path; opaque values as hex. */
export function contentOf(tree: ObjectTree, objectIds: readonly number[]): Readonly<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const objectId of objectIds) {
    for (const [instanceId, instance] of tree.objects.get(objectId)?.instances ?? []) {
      content[`/${objectId}/${instanceId}`] = [...instance.resources.keys()].sort((a, b) => a - b).join(" ");
      for (const [resourceId, { samples, model: resource }] of instance.resources) {
        for (const [id, { value }] of samples) {
          const path = [objectId, instanceId, resourceId, ...(resource.multiple ? [id] : [])].join("/");
          content[`/${path}`] = value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
        }
      }
    }
  }
  return content;
}
