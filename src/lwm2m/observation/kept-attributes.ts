import { toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import { formatPath, type Path, parsePath } from "../path.js";
import type { ClientState } from "../state/client-state.js";
import { type Attributes, attributesOfJson } from "./attributes.js";

type Kept = readonly (readonly [Path, Attributes])[];

/** Where the attributes of one view outlive the process. */
export interface AttributeShelf {
  /** What was attached before. */
  readonly kept: Kept;
  put(path: Path, attributes: Attributes): void;
  remove(path: Path): void;
}

/**
 * What one server has attached, in the own tree and behind prefixes: section `attributes`, key `ID/PREFIX/PATH`. What
 * cannot be understood is left out, with a line in the log.
 */
export class AttributeShelves {
  readonly #state: ClientState;
  readonly #root: string;
  /** By prefix, until the view of it is made. */
  #kept: Map<string, (readonly [Path, Attributes])[]> | undefined;

  constructor(state: ClientState, shortServerId: number, log: Log) {
    this.#state = state;
    this.#root = String(shortServerId);
    for (const [key, document] of state.load("attributes")) {
      const [, id, prefix = "", path = ""] = /^(\d+)(\/[^/\d][^/]*)?((?:\/\d+)+)$/.exec(key) ?? [];
      if (id !== this.#root) continue;
      try {
        this.#kept ??= new Map();
        const kept = this.#kept.get(prefix) ?? [];
        kept.push([parsePath(path), attributesOfJson(document)]);
        this.#kept.set(prefix, kept);
      } catch (error) {
        log.warn("kept attributes were left out", { path: prefix + path, error: toError(error) });
        state.remove("attributes", key);
      }
    }
  }

  /** What was kept is given once; without a prefix it is that of the own tree. */
  take(prefix: string | undefined): AttributeShelf {
    const before = prefix === undefined ? "" : `/${prefix}`;
    const root = this.#root + before;
    const kept = this.#kept?.get(before) ?? [];
    this.#kept?.delete(before);
    return {
      kept,
      put: (path, attributes) => this.#state.put("attributes", root + formatPath(path), attributes),
      remove: (path) => this.#state.remove("attributes", root + formatPath(path)),
    };
  }
}
