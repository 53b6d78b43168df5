import { type AlternatePath, formatAlternatePath, NO_ALTERNATE_PATH } from "../alternate-path.js";
import type { ObjectModel } from "../model/model.js";
import { impliedVersion, type Lwm2mVersion } from "../model/models.js";
import { type Attributes, formatAttributes } from "../observation/attributes.js";
import { formatPath, type Path } from "../path.js";
import type { ObjectInstance, ObjectTree, Resource } from "../tree.js";
import { find, isHidden, notAllowed, type Target } from "./operations.js";

/** What one server has attached, as a Discover shows it. */
export interface AttributeView {
  attached(path: Path): Attributes;
  effective(path: Path): Attributes;
}

export interface DiscoverRequest {
  readonly path: Path;
  /** Levels below the target, 0 to 3; by default 2 below an object and 1 otherwise (OMA LwM2M Core 1.2 §6.3.2). */
  readonly depth?: number;
  readonly version: Lwm2mVersion;
  readonly alternatePath?: AlternatePath;
}

/**
 * The links of what is instantiated below the path (OMA LwM2M Core 1.2 §6.3.2). The target shows inherited attributes,
 * the links below it only those attached to them.
 */
export function discover(tree: ObjectTree, request: DiscoverRequest, attributes: AttributeView): string {
  const { path, depth = path.length === 1 ? 2 : 1, version, alternatePath = NO_ALTERNATE_PATH } = request;
  const root = formatAlternatePath(alternatePath);
  if (path.length === 4) throw notAllowed(path, "cannot be discovered");
  const target = find(tree, path);
  const links: string[] = [];
  const visit = (at: Path, here: Target, levels: number): void => {
    const shown = at === path ? attributes.effective(at) : attributes.attached(at);
    links.push(`<${root}${formatPath(at)}>${parameters(here, at, version)}${formatAttributes(shown)}`);
    if (levels > 0) for (const [id, below] of children(here, at)) visit([...at, id], below, levels - 1);
  };
  visit(path, target, depth);
  return links.join(",");
}

function parameters({ object, resource }: Target, path: Path, version: Lwm2mVersion): string {
  if (path.length === 1) return versionParameter(object.model, version);
  return path.length === 3 && resource?.model.multiple === true ? `;dim=${resource.samples.size}` : "";
}

function children({ object, instance, resource }: Target, path: Path): Iterable<[number, Target]> {
  if (resource !== undefined) {
    if (path.length === 4 || !resource.model.multiple) return [];
    return ascending(resource.samples, () => ({ object, resource }));
  }
  if (instance !== undefined) return ascending(instance.resources, (below: Resource) => ({ object, resource: below }));
  return ascending(object.instances, (below: ObjectInstance) => ({ object, instance: below }));
}

function ascending<T>(parts: ReadonlyMap<number, T>, target: (part: T) => Target): [number, Target][] {
  return [...parts].sort(([a], [b]) => a - b).map(([id, part]) => [id, target(part)]);
}

/**
 * `ver` wherever a server would assume another version (OMA LwM2M Core 1.2 §7.2.2). 1.0 servers know it only quoted.
 */
function versionParameter(model: ObjectModel, version: Lwm2mVersion): string {
  if (model.version === impliedVersion(model.id, version)) return "";
  return version === "1.0" ? `;ver="${model.version}"` : `;ver=${model.version}`;
}

/**
 * The payload of Register (OMA LwM2M Core 1.2 §6.2.1): the root with the optional formats, then every object instance.
 * `ver` stands on the object, since servers refuse it on an instance. An alternate path is told by the root's type (OMA
 * LwM2M Transport 1.2 §6.4.1).
 */
export function registrationLinks(
  tree: ObjectTree,
  version: Lwm2mVersion,
  contentFormats: readonly number[],
  alternatePath: AlternatePath = NO_ALTERNATE_PATH,
): string {
  const root = formatAlternatePath(alternatePath);
  const type = root === "" ? "" : ';rt="oma.lwm2m"';
  const formats = contentFormats.length === 0 ? "" : `;ct="${contentFormats.join(" ")}"`;
  const first = type === "" && formats === "" ? [] : [`<${root === "" ? "/" : root}>${type}${formats}`];
  return [...first, ...objectLinks(tree, (model) => versionParameter(model, version), root)].join(",");
}

/**
 * IoT Device Objects /25/x/3: the object list of a device, without its prefix. No registration says which versions a
 * server would assume, so every one but 1.0 is told.
 */
export function deviceLinks(tree: ObjectTree): string {
  return objectLinks(tree, ({ version }) => (version === "1.0" ? "" : `;ver=${version}`)).join(",");
}

function objectLinks(tree: ObjectTree, parameterOf: (model: ObjectModel) => string, root = ""): readonly string[] {
  const links: string[] = [];
  for (const [objectId, object] of [...tree.objects].sort(([a], [b]) => a - b)) {
    if (isHidden(objectId)) continue;
    const parameter = parameterOf(object.model);
    if (parameter !== "" || object.instances.size === 0) links.push(`<${root}/${objectId}>${parameter}`);
    for (const instanceId of [...object.instances.keys()].sort((a, b) => a - b)) {
      links.push(`<${root}/${objectId}/${instanceId}>`);
    }
  }
  return links;
}
