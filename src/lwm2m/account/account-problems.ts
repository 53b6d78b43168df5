import { SecurityId, securityMode } from "../objects/security.js";
import { ServerId } from "../objects/server.js";
import { leadsSomewhere } from "../operation/write.js";
import { formatPath } from "../path.js";
import type { ObjectTree } from "../tree.js";
import type { Value } from "../value.js";
import { isBootstrapAccount, linkedInstances, valueAt } from "./accounts.js";

/**
 * Why the client could not work with the accounts of the tree, each reason with its path; none when they are consistent
 * (OMA LwM2M Core 1.2 §6.1.6). `schemes` are those that the client has transports for.
 */
export function accountProblems(tree: ObjectTree, schemes: ReadonlySet<string> = ALL_SCHEMES): readonly string[] {
  const problems: string[] = [];
  const tell = (path: readonly number[], what: string): void => {
    problems.push(`${formatPath(path)} ${what}`);
  };
  const securityIds = instanceIds(tree, 0);
  const serverIds = instanceIds(tree, 1);
  const accountIds = securityIds.filter((id) => !isBootstrapAccount(tree, id));
  if (securityIds.length - accountIds.length > 1) tell([0], "has more than one bootstrap server");
  if (accountIds.length === 0) tell([0], "has no server");
  for (const id of securityIds) checkSecurity(tree, id, schemes, tell);
  for (const id of serverIds) checkServer(tree, id, tell);
  const secured = checkShortServerIds(tree, 0, accountIds, SecurityId.shortServerId, tell);
  const served = checkShortServerIds(tree, 1, serverIds, ServerId.shortServerId, tell);
  for (const [shortServerId, id] of secured) {
    if (!served.has(shortServerId)) tell([0, id], `has no partner in object 1 (short server id ${shortServerId})`);
  }
  for (const [shortServerId, id] of served) {
    if (!secured.has(shortServerId)) tell([1, id], `has no partner in object 0 (short server id ${shortServerId})`);
  }
  checkDevice(tree, tell);
  return problems;
}

type Tell = (path: readonly number[], what: string) => void;

const PLAIN_SCHEMES: ReadonlySet<string> = new Set(["coap", "coap+tcp"]);
const SECURE_SCHEMES: ReadonlySet<string> = new Set(["coaps", "coaps+tcp"]);
const ALL_SCHEMES: ReadonlySet<string> = new Set([...PLAIN_SCHEMES, ...SECURE_SCHEMES]);
const MAX_SHORT_SERVER_ID = 65_534;

/** What a mode needs of resources 3, 4 and 5 (OMA LwM2M Core 1.2 Appendix E.1). */
const CREDENTIALS = {
  psk: [SecurityId.identity, SecurityId.secretKey],
  rpk: [SecurityId.identity, SecurityId.serverKey, SecurityId.secretKey],
  x509: [SecurityId.identity, SecurityId.serverKey, SecurityId.secretKey],
  est: [SecurityId.serverKey],
  none: [],
} as const;

function checkSecurity(tree: ObjectTree, id: number, schemes: ReadonlySet<string>, tell: Tell): void {
  if (valueAt(tree, 0, id, SecurityId.bootstrap) === undefined) tell([0, id, SecurityId.bootstrap], "is missing");
  const mode = securityMode(valueAt(tree, 0, id, SecurityId.mode));
  if (mode === undefined) tell([0, id, SecurityId.mode], "names no security mode");
  const scheme = schemeOf(valueAt(tree, 0, id, SecurityId.uri));
  if (scheme === undefined) tell([0, id, SecurityId.uri], "is no URI of a server");
  else if (!schemes.has(scheme)) tell([0, id, SecurityId.uri], `is of scheme ${scheme}, which is not supported here`);
  if (mode !== undefined && scheme !== undefined) {
    const fitting = mode === "none" ? PLAIN_SCHEMES : SECURE_SCHEMES;
    if (!fitting.has(scheme)) tell([0, id, SecurityId.mode], `does not fit ${scheme}`);
  }
  for (const resourceId of mode === undefined ? [] : CREDENTIALS[mode]) {
    const key = valueAt(tree, 0, id, resourceId);
    if (!(key instanceof Uint8Array) || key.length === 0) tell([0, id, resourceId], "is missing");
  }
  for (const { resourceId, to } of linkedInstances(tree, id)) {
    if (leadsSomewhere(tree, to)) continue;
    tell([0, id, resourceId], `links to ${to.objectId}:${to.instanceId}, which does not exist`);
  }
}

/** Undefined unless the text is a URI with a scheme of LwM2M and a host. */
function schemeOf(uri: Value | undefined): string | undefined {
  if (typeof uri !== "string" || !URL.canParse(uri)) return undefined;
  const { protocol, hostname } = new URL(uri);
  return hostname === "" ? undefined : protocol.slice(0, -1);
}

function checkServer(tree: ObjectTree, id: number, tell: Tell): void {
  for (const resourceId of [ServerId.lifetime, ServerId.storing, ServerId.binding]) {
    if (valueAt(tree, 1, id, resourceId) === undefined) tell([1, id, resourceId], "is missing");
  }
  const binding = valueAt(tree, 1, id, ServerId.binding);
  if (typeof binding === "string" && !/^[UMHTSNQ]+$/.test(binding)) tell([1, id, ServerId.binding], "is no binding");
  for (const resourceId of [ServerId.retryCount, ServerId.sequenceRetryCount]) {
    if (valueAt(tree, 1, id, resourceId) === 0) tell([1, id, resourceId], "must not be 0");
  }
}

/** Gives the instances by short server id, as far as they have a good one of their own. */
function checkShortServerIds(
  tree: ObjectTree,
  objectId: number,
  ids: readonly number[],
  resourceId: number,
  tell: Tell,
): ReadonlyMap<number, number> {
  const known = new Map<number, number>();
  for (const id of ids) {
    const value = valueAt(tree, objectId, id, resourceId);
    const path = [objectId, id, resourceId];
    if (typeof value !== "number" || value < 1 || value > MAX_SHORT_SERVER_ID) tell(path, "is no short server id");
    else if (known.has(value)) tell(path, `is the same as in ${formatPath([objectId, known.get(value) ?? -1])}`);
    else known.set(value, id);
  }
  return known;
}

function checkDevice(tree: ObjectTree, tell: Tell): void {
  const device = tree.instance(3, 0);
  for (const { id, mandatory, type } of device?.model.resources.values() ?? []) {
    if (!mandatory || type === undefined) continue;
    if ((device?.resources.get(id)?.samples.size ?? 0) === 0) tell([3, 0, id], "is missing");
  }
}

function instanceIds(tree: ObjectTree, objectId: number): readonly number[] {
  return [...(tree.objects.get(objectId)?.instances.keys() ?? [])].sort((a, b) => a - b);
}
