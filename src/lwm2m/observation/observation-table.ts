import type { Path } from "../path.js";
import type { TreeChange } from "../tree.js";
import type { TreeView } from "../views.js";
import type { Observation, ObservedPath } from "./observed.js";
import { PathIndex } from "./path-index.js";

interface Watched {
  readonly index: PathIndex<ObservedPath>;
  readonly listening: Disposable;
}

/** Of all observations together. */
const MAX_PATHS = 20_000;

/** The observations of one server, found by their tokens and by what they cover. */
export class ObservationTable implements Disposable {
  readonly #watched = new Map<TreeView, Watched>();
  readonly #byToken = new Map<string, Observation>();
  #pathCount = 0;

  get size(): number {
    return this.#byToken.size;
  }

  get all(): Iterable<Observation> {
    return this.#byToken.values();
  }

  /** From now on paths of the view can be observed; the listener hears of all that changes there. */
  watch(view: TreeView, listener: (change: TreeChange) => void): void {
    this.#watched.set(view, { index: new PathIndex(), listening: view.tree.listen(listener) });
  }

  unwatch(view: TreeView): void {
    this.#watched.get(view)?.listening[Symbol.dispose]();
    this.#watched.delete(view);
  }

  hasRoomFor(paths: number): boolean {
    return this.#pathCount + paths <= MAX_PATHS;
  }

  add(observation: Observation): void {
    this.#byToken.set(observation.tokenKey, observation);
    for (const part of observation.paths) this.#watched.get(part.view)?.index.add(part.path, part);
    this.#pathCount += observation.paths.length;
  }

  get(tokenKey: string): Observation | undefined {
    return this.#byToken.get(tokenKey);
  }

  /** False when it has ended, or another one has its token. */
  has(observation: Observation): boolean {
    return this.#byToken.get(observation.tokenKey) === observation;
  }

  /** Undefined when the token is unknown. */
  remove(tokenKey: string): Observation | undefined {
    const observation = this.#byToken.get(tokenKey);
    if (observation === undefined) return undefined;
    this.#byToken.delete(tokenKey);
    for (const part of observation.paths) this.#watched.get(part.view)?.index.remove(part.path, part);
    this.#pathCount -= observation.paths.length;
    return observation;
  }

  clear(): void {
    this.#byToken.clear();
    for (const { index } of this.#watched.values()) index.clear();
    this.#pathCount = 0;
  }

  /** Calls `visit` for what is observed at the path or above it. */
  upwards(view: TreeView, path: Path, visit: (part: ObservedPath) => void): void {
    this.#watched.get(view)?.index.upwards(path, visit);
  }

  /** What is observed at the path or below it. */
  within(view: TreeView, path: Path): readonly ObservedPath[] {
    return this.#watched.get(view)?.index.within(path) ?? [];
  }

  [Symbol.dispose](): void {
    for (const { listening } of this.#watched.values()) listening[Symbol.dispose]();
    this.#watched.clear();
  }
}
