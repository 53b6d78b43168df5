import { CausewayError } from "../base/errors.js";
import { type Access, FULL_ACCESS, type Right } from "./access.js";
import type { GatewayObject } from "./objects/gateway.js";
import { AttributeStore } from "./observation/attribute-store.js";
import type { AttributeShelves } from "./observation/kept-attributes.js";
import { find, type ReadResult, read } from "./operation/operations.js";
import { formatPath, type Path } from "./path.js";
import type { ObjectTree } from "./tree.js";

/** A tree as one server sees it, with what the server has attached there and may do. */
export interface TreeView {
  /** Of the device behind the gateway; undefined for the gateway's own objects. */
  readonly prefix: string | undefined;
  readonly tree: ObjectTree;
  readonly attributes: AttributeStore;
  readonly access: Access;
  state: "shown" | "removed";
}

export interface ViewedPath {
  readonly view: TreeView;
  readonly path: Path;
}

/**
 * Throws LWM2M_UNAUTHORIZED unless the server has the right. To what has no instance id only creating needs one (OMA
 * LwM2M Core 1.2 §8.2.3).
 */
export function authorise({ access }: TreeView, right: Right, path: Path): void {
  const [objectId = -1, instanceId] = path;
  const isGranted =
    right === "create"
      ? access.mayCreate(objectId)
      : instanceId === undefined || access.may(right, objectId, instanceId);
  if (isGranted) return;
  throw new CausewayError("LWM2M_UNAUTHORIZED", `the server may not ${right} ${formatPath(path.slice(0, 2))}`);
}

export function mayRead({ access }: TreeView, [objectId = -1, instanceId]: Path): boolean {
  return instanceId === undefined || access.may("read", objectId, instanceId);
}

/**
 * As `read`, without the instances that the server may not read; throws LWM2M_UNAUTHORIZED when the path is within one.
 * Names of what is behind a prefix carry it (OMA LwM2M Gateway 1.1.1 §9).
 */
export function readView(view: TreeView, path: Path, nowMs: number): ReadResult {
  const { tree, prefix, access } = view;
  authorise(view, "read", path);
  const result = read(tree, path, nowMs, access);
  if (prefix === undefined) return result;
  return { ...result, entries: result.entries.map((entry) => ({ ...entry, prefix })) };
}

/** As `readView`, but what is there and has no value yet, as after a restart, is no error. */
export function readSoFar(view: TreeView, path: Path, nowMs: number): ReadResult {
  try {
    return readView(view, path, nowMs);
  } catch (error) {
    const { resource } = find(view.tree, path);
    const isEmpty = error instanceof CausewayError && error.code === "LWM2M_NOT_FOUND" && resource !== undefined;
    if (!isEmpty) throw error;
    return { entries: [], newestMs: Number.NEGATIVE_INFINITY, use: "value" };
  }
}

interface ViewListener {
  /** Called before the view is used; the gateway's own one is there from the start. */
  onMade(view: TreeView): void;
  onRemoved(view: TreeView): void;
}

/** What one server sees: the gateway's own tree, and those of devices from when it first asks for one of them. */
export class Views implements Disposable {
  readonly own: TreeView;
  /** Where there is a gateway. */
  readonly #behind: Map<string, TreeView> | undefined;
  readonly #gateway: GatewayObject | undefined;
  readonly #listener: ViewListener;
  readonly #shelves: AttributeShelves | undefined;
  readonly #listening: Disposable | undefined;

  /**
   * `access` is that to the gateway's own tree; behind prefixes there are no limits. Without shelves attributes end with
   * the process.
   */
  constructor(
    tree: ObjectTree,
    gateway: GatewayObject | undefined,
    listener: ViewListener,
    access: Access = FULL_ACCESS,
    shelves?: AttributeShelves,
  ) {
    this.#shelves = shelves;
    this.own = this.#viewOf(undefined, tree, access);
    this.#gateway = gateway;
    this.#behind = gateway === undefined ? undefined : new Map();
    this.#listener = listener;
    this.#listening = gateway?.onRemoved((prefix) => this.#remove(prefix));
  }

  /** Undefined for an unknown prefix. */
  find(prefix: string | undefined): TreeView | undefined {
    if (prefix === undefined) return this.own;
    return this.#behind?.get(prefix) ?? this.#make(prefix);
  }

  /** Throws LWM2M_NOT_FOUND for an unknown prefix. */
  mustFind(prefix: string | undefined): TreeView {
    const view = this.find(prefix);
    if (view === undefined) throw new CausewayError("LWM2M_NOT_FOUND", `there is nothing behind /${prefix}`);
    return view;
  }

  /** As `find`, but only what the server has asked for before. */
  known(prefix: string | undefined): TreeView | undefined {
    return prefix === undefined ? this.own : this.#behind?.get(prefix);
  }

  [Symbol.dispose](): void {
    this.#listening?.[Symbol.dispose]();
  }

  #make(prefix: string): TreeView | undefined {
    const tree = this.#gateway?.tree(prefix);
    if (tree === undefined) return undefined;
    const view = this.#viewOf(prefix, tree, FULL_ACCESS);
    this.#behind?.set(prefix, view);
    this.#listener.onMade(view);
    return view;
  }

  #remove(prefix: string): void {
    const view = this.#behind?.get(prefix);
    if (view === undefined) return;
    this.#behind?.delete(prefix);
    view.state = "removed";
    view.attributes.removeWithin([]);
    this.#listener.onRemoved(view);
  }

  #viewOf(prefix: string | undefined, tree: ObjectTree, access: Access): TreeView {
    const attributes = new AttributeStore(this.#shelves?.take(prefix), (path) => isThere(tree, path));
    return { prefix, tree, attributes, access, state: "shown" };
  }
}

/** Resources may come later than what is attached to them. */
function isThere(tree: ObjectTree, [objectId = -1, instanceId]: Path): boolean {
  return instanceId === undefined ? tree.objects.has(objectId) : tree.instance(objectId, instanceId) !== undefined;
}
