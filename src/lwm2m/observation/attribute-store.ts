import { formatPath, isWithin, type Path } from "../path.js";
import {
  type AttributeChange,
  type Attributes,
  checkConsistent,
  mergeAttributes,
  NO_ATTRIBUTES,
} from "./attributes.js";
import type { AttributeShelf } from "./kept-attributes.js";

/** What one server has attached, by path; it outlives registrations and, on a shelf, the process. */
export class AttributeStore {
  readonly #attached = new Map<string, { readonly path: Path; readonly attributes: Attributes }>();
  readonly #shelf: AttributeShelf | undefined;

  /** Begins with what was kept of paths that are there. */
  constructor(shelf?: AttributeShelf, isThere: (path: Path) => boolean = () => true) {
    this.#shelf = shelf;
    for (const [path, attributes] of shelf?.kept ?? []) {
      if (isThere(path)) this.#attached.set(formatPath(path), { path, attributes });
      else shelf?.remove(path);
    }
  }

  attached(path: Path): Attributes {
    return this.#attached.get(formatPath(path))?.attributes ?? NO_ATTRIBUTES;
  }

  /**
   * Throws LWM2M_BAD_REQUEST, and leaves everything as it was, when the result would contradict itself, what it inherits,
   * or what inherits it.
   */
  write(path: Path, change: AttributeChange): void {
    const before = this.attached(path);
    const merged = mergeAttributes(before, change);
    this.#attach(path, merged);
    try {
      checkConsistent(this.effective(path));
      for (const entry of this.#attached.values()) {
        if (isWithin(entry.path, path)) checkConsistent(this.effective(entry.path));
      }
    } catch (error) {
      this.#attach(path, before);
      throw error;
    }
    if (Object.keys(merged).length === 0) this.#shelf?.remove(path);
    else this.#shelf?.put(path, merged);
  }

  #attach(path: Path, attributes: Attributes): void {
    if (Object.keys(attributes).length === 0) this.#attached.delete(formatPath(path));
    else this.#attached.set(formatPath(path), { path, attributes });
  }

  /** Attached to the path or inherited from the levels above it, the nearest first (OMA LwM2M Core 1.2 §7.3.2). */
  effective(path: Path): Attributes {
    if (this.#attached.size === 0) return NO_ATTRIBUTES;
    let effective = NO_ATTRIBUTES;
    for (let depth = 1; depth <= path.length; depth++) {
      const attached = this.attached(path.slice(0, depth));
      if (attached !== NO_ATTRIBUTES) effective = { ...effective, ...attached };
    }
    return effective;
  }

  /** Whether a part below the path wants confirmable notifications. */
  wantsConBelow(path: Path): boolean {
    for (const entry of this.#attached.values()) {
      if (entry.attributes.con === 1 && isWithin(entry.path, path)) return true;
    }
    return false;
  }

  /** Forgets what is attached to the path and below it: the target is gone. */
  removeWithin(path: Path): void {
    for (const [key, entry] of this.#attached) {
      if (!isWithin(entry.path, path)) continue;
      this.#attached.delete(key);
      this.#shelf?.remove(entry.path);
    }
  }
}
