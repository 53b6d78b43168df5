import { CausewayError } from "../../base/errors.js";
import { isBootstrapAccount, linkedInstances, valueAt } from "../account/accounts.js";
import { formatLinks, type Link, link } from "../codec/links.js";
import { impliedVersion } from "../model/models.js";
import { SecurityId } from "../objects/security.js";
import { ServerId } from "../objects/server.js";
import { formatPath, type Path } from "../path.js";
import type { ObjectTree } from "../tree.js";
import type { Value } from "../value.js";

/**
 * Bootstrap-Discover (OMA LwM2M Core 1.2 §6.1.7.3) of the root or of one object: all instances, those of accounts with
 * `ssid` and `uri`, except the bootstrap server's. Throws LWM2M_BAD_REQUEST below objects and LWM2M_NOT_FOUND.
 */
export function bootstrapLinks(tree: ObjectTree, path: Path): string {
  const [objectId] = path;
  if (path.length > 1) throw new CausewayError("LWM2M_BAD_REQUEST", `${formatPath(path)} is not an object`);
  if (objectId !== undefined && !tree.objects.has(objectId)) {
    throw new CausewayError("LWM2M_NOT_FOUND", `${formatPath(path)} does not exist`);
  }
  const links: Link[] = [link("/", { lwm2m: "1.2" })];
  for (const id of objectId === undefined ? ascending(tree.objects) : [objectId]) links.push(...objectLinks(tree, id));
  return formatLinks(links);
}

function objectLinks(tree: ObjectTree, objectId: number): readonly Link[] {
  const { model, instances } = tree.objects.get(objectId) ?? {};
  if (model === undefined || instances === undefined) return [];
  const isImplied = model.version === impliedVersion(objectId, "1.2");
  const ids = ascending(instances);
  const object = link(`/${objectId}`, isImplied ? {} : { ver: model.version });
  return [
    ...(isImplied && ids.length > 0 ? [] : [object]),
    ...ids.map((id) => link(`/${objectId}/${id}`, accountParameters(tree, objectId, id))),
  ];
}

function accountParameters(tree: ObjectTree, objectId: number, instanceId: number): Record<string, string | number> {
  switch (objectId) {
    case 0: {
      if (isBootstrapAccount(tree, instanceId)) return {};
      const uri = valueAt(tree, 0, instanceId, SecurityId.uri);
      return { ...ssidOf(tree, instanceId), ...(typeof uri === "string" ? { uri } : {}) };
    }
    case 1:
      return ssid(valueAt(tree, 1, instanceId, ServerId.shortServerId));
    default: {
      // OSCORE, COSE and MQTT Server belong to the account that links to them.
      const owner = ascending(tree.objects.get(0)?.instances ?? new Map()).find((id) =>
        linkedInstances(tree, id).some(({ to }) => to.objectId === objectId && to.instanceId === instanceId),
      );
      return owner === undefined || isBootstrapAccount(tree, owner) ? {} : ssidOf(tree, owner);
    }
  }
}

function ssidOf(tree: ObjectTree, securityInstanceId: number): Record<string, number> {
  return ssid(valueAt(tree, 0, securityInstanceId, SecurityId.shortServerId));
}

function ssid(shortServerId: Value | undefined): Record<string, number> {
  return typeof shortServerId === "number" ? { ssid: shortServerId } : {};
}

function ascending(parts: ReadonlyMap<number, unknown>): readonly number[] {
  return [...parts.keys()].sort((a, b) => a - b);
}
