import type { ModelRegistry } from "../model/model.js";
import { addSecurityObject, SecurityId, securityMode, securityValues } from "../objects/security.js";
import { addServerObject, type ServerEffects, ServerId, serverSettings, serverValues } from "../objects/server.js";
import type { ObjectEntry, ObjectTree } from "../tree.js";
import type { ObjectLink, Value } from "../value.js";
import type { BootstrapAccount, ServerAccount } from "./account.js";

/** A server account as it is in the tree: an instance of object 0 and one of object 1 with the same short server id. */
export interface PlacedServerAccount extends ServerAccount {
  readonly securityInstanceId: number;
  readonly serverInstanceId: number;
}

export interface PlacedBootstrapAccount extends BootstrapAccount {
  readonly securityInstanceId: number;
}

/** What resource `resourceId` of a Security object instance leads to. */
export interface LinkedInstance {
  readonly resourceId: number;
  readonly to: ObjectLink;
}

/** OMA LwM2M Core 1.2 §6.1.2. */
export interface Accounts {
  readonly bootstrap?: PlacedBootstrapAccount;
  /** By the id of their Server object instance. */
  readonly servers: readonly PlacedServerAccount[];
}

/**
 * Adds objects 0 and 1, whose instances only bootstrap servers and restored states make; `effects` are those of a
 * Server object instance. Throws LWM2M_MODEL.
 */
export function addAccountObjects(
  tree: ObjectTree,
  models: ModelRegistry,
  effects: (serverInstanceId: number) => ServerEffects,
): void {
  addSecurityObject(tree, models);
  addServerObject(tree, models, effects);
}

/** Adds an account of the configuration as instance `instanceId` of objects 0 and 1, which must be in the tree. */
export function addServerAccount(tree: ObjectTree, instanceId: number, account: ServerAccount, nowMs: number): void {
  addInstance(tree, 0, instanceId, securityValues(account), nowMs);
  addInstance(tree, 1, instanceId, serverValues(account), nowMs);
}

/** Adds the bootstrap server of the configuration as an instance of object 0, which must be in the tree. */
export function addBootstrapAccount(
  tree: ObjectTree,
  instanceId: number,
  account: BootstrapAccount,
  nowMs: number,
): void {
  const { holdOffS = 0, accountTimeoutS = 0 } = account;
  const values = [
    ...securityValues(account),
    [SecurityId.holdOff, holdOffS],
    [SecurityId.accountTimeout, accountTimeoutS],
  ] as const;
  addInstance(tree, 0, instanceId, values, nowMs);
}

/** The accounts that are whole; what is half, or of an unknown security mode, is left out. */
export function accountsOf(tree: ObjectTree): Accounts {
  const serverInstances = new Map<Value, number>();
  for (const instanceId of tree.objects.get(1)?.instances.keys() ?? []) {
    const shortServerId = valueAt(tree, 1, instanceId, ServerId.shortServerId);
    if (shortServerId !== undefined) serverInstances.set(shortServerId, instanceId);
  }
  let bootstrap: PlacedBootstrapAccount | undefined;
  const servers: PlacedServerAccount[] = [];
  for (const securityInstanceId of tree.objects.get(0)?.instances.keys() ?? []) {
    if (isBootstrapAccount(tree, securityInstanceId)) {
      bootstrap ??= bootstrapAccount(tree, securityInstanceId);
      continue;
    }
    const shortServerId = valueAt(tree, 0, securityInstanceId, SecurityId.shortServerId);
    const serverInstanceId = shortServerId === undefined ? undefined : serverInstances.get(shortServerId);
    if (serverInstanceId === undefined) continue;
    const account = serverAccount(tree, securityInstanceId, serverInstanceId);
    if (account !== undefined) servers.push(account);
  }
  servers.sort((a, b) => a.serverInstanceId - b.serverInstanceId);
  return { servers, ...(bootstrap === undefined ? {} : { bootstrap }) };
}

export function isBootstrapAccount(tree: ObjectTree, securityInstanceId: number): boolean {
  return valueAt(tree, 0, securityInstanceId, SecurityId.bootstrap) === true;
}

/** The instances of objects 21, 23 and 24 that belong to the account of a Security object instance. */
export function linkedInstances(tree: ObjectTree, securityInstanceId: number): readonly LinkedInstance[] {
  return [SecurityId.oscore, SecurityId.mqtt, SecurityId.cose].flatMap((resourceId) =>
    [...(tree.resource(0, securityInstanceId, resourceId)?.samples.values() ?? [])].flatMap(({ value }) =>
      typeof value === "object" && !(value instanceof Uint8Array) ? [{ resourceId, to: value }] : [],
    ),
  );
}

/** The stored value of a single resource. */
export function valueAt(tree: ObjectTree, objectId: number, instanceId: number, resourceId: number): Value | undefined {
  return tree.resource(objectId, instanceId, resourceId)?.samples.get(0)?.value;
}

function peerFacts(tree: ObjectTree, instanceId: number) {
  const uri = valueAt(tree, 0, instanceId, SecurityId.uri);
  const mode = securityMode(valueAt(tree, 0, instanceId, SecurityId.mode));
  return typeof uri === "string" && mode !== undefined ? { uri, securityMode: mode } : undefined;
}

function bootstrapAccount(tree: ObjectTree, securityInstanceId: number): PlacedBootstrapAccount | undefined {
  const facts = peerFacts(tree, securityInstanceId);
  if (facts === undefined) return undefined;
  const seconds = (resourceId: number): number => {
    const found = valueAt(tree, 0, securityInstanceId, resourceId);
    return typeof found === "number" && found > 0 ? found : 0;
  };
  return {
    ...facts,
    securityInstanceId,
    holdOffS: seconds(SecurityId.holdOff),
    accountTimeoutS: seconds(SecurityId.accountTimeout),
  };
}

function serverAccount(
  tree: ObjectTree,
  securityInstanceId: number,
  serverInstanceId: number,
): PlacedServerAccount | undefined {
  const facts = peerFacts(tree, securityInstanceId);
  const shortServerId = valueAt(tree, 1, serverInstanceId, ServerId.shortServerId);
  if (facts === undefined || typeof shortServerId !== "number") return undefined;
  const { timing, send, observation } = serverSettings(tree, serverInstanceId);
  return {
    ...facts,
    securityInstanceId,
    serverInstanceId,
    shortServerId,
    lifetimeS: timing.lifetimeS,
    send,
    notify: observation.delivery,
  };
}

function addInstance(
  tree: ObjectTree,
  objectId: number,
  instanceId: number,
  values: readonly (readonly [number, Value])[],
  nowMs: number,
): void {
  const object: ObjectEntry | undefined = tree.objects.get(objectId);
  if (object?.factory === undefined) return;
  tree.addInstance(object.model, instanceId, object.factory.create(instanceId));
  for (const [resourceId, value] of values) {
    if (object.model.resources.has(resourceId)) tree.set([objectId, instanceId, resourceId], { value, atMs: nowMs });
  }
}
