import type { Path } from "../path.js";

/** Most nodes have one item and nothing below, or the other way round: each holds no more than it has. */
interface Node<T> {
  /** Made anew at each change, so that who goes through it may change the index. */
  here: readonly T[];
  below: Map<number, Node<T>> | undefined;
}

/** Finds what stands at a path, above it or below it, without building keys: at most four look-ups per sample. */
export class PathIndex<T> {
  #root: Node<T> | undefined;

  add(path: Path, item: T): void {
    this.#root ??= emptyNode();
    let node = this.#root;
    for (const id of path) {
      node.below ??= new Map();
      let child = node.below.get(id);
      if (child === undefined) {
        child = emptyNode();
        node.below.set(id, child);
      }
      node = child;
    }
    node.here = node.here.concat([item]);
  }

  remove(path: Path, item: T): void {
    const trail = this.#root === undefined ? [] : [this.#root];
    for (const id of path) {
      const child = trail.at(-1)?.below?.get(id);
      if (child === undefined) return;
      trail.push(child);
    }
    const end = trail.at(-1);
    if (end !== undefined) end.here = end.here.filter((one) => one !== item);
    // Empty branches go, or every path ever observed would stay.
    for (let depth = path.length; depth > 0; depth--) {
      const node = trail[depth];
      const id = path[depth - 1];
      if (node === undefined || id === undefined || node.here.length > 0 || (node.below?.size ?? 0) > 0) return;
      trail[depth - 1]?.below?.delete(id);
    }
  }

  clear(): void {
    this.#root = undefined;
  }

  /** Calls `visit` for what stands at the path or above it. */
  upwards(path: Path, visit: (item: T) => void): void {
    let node = this.#root;
    if (node === undefined) return;
    for (const item of node.here) visit(item);
    for (const id of path) {
      node = node.below?.get(id);
      if (node === undefined) return;
      for (const item of node.here) visit(item);
    }
  }

  /** What stands at the path or below it, as a list that may be changed by what is done with it. */
  within(path: Path): T[] {
    let node = this.#root;
    for (const id of path) node = node?.below?.get(id);
    const found: T[] = [];
    if (node !== undefined) collect(node, found);
    return found;
  }
}

const NOTHING: readonly never[] = [];

function emptyNode<T>(): Node<T> {
  return { here: NOTHING, below: undefined };
}

function collect<T>(node: Node<T>, found: T[]): void {
  found.push(...node.here);
  for (const child of node.below?.values() ?? []) collect(child, found);
}
