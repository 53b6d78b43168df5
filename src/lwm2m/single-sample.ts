import { CausewayError } from "../base/errors.js";
import type { Sample } from "./value.js";

/** What a resource holds, by resource-instance id. */
export interface Samples extends ReadonlyMap<number, Sample> {
  set(id: number, sample: Sample): unknown;
  /** False when there was none. */
  delete(id: number): boolean;
}

/** That of a single resource, under id 0: a Map for each would be most of the memory of an endpoint. */
export class SingleSample implements Samples {
  #sample: Sample | undefined;

  get size(): number {
    return this.#sample === undefined ? 0 : 1;
  }

  get(id: number): Sample | undefined {
    return id === 0 ? this.#sample : undefined;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  set(id: number, sample: Sample): void {
    if (id !== 0) throw new CausewayError("INTERNAL", `a single resource has no instance ${id}`);
    this.#sample = sample;
  }

  delete(id: number): boolean {
    const had = this.has(id);
    if (had) this.#sample = undefined;
    return had;
  }

  entries(): MapIterator<[number, Sample]> {
    return this.#map().entries();
  }

  keys(): MapIterator<number> {
    return this.#map().keys();
  }

  values(): MapIterator<Sample> {
    return this.#map().values();
  }

  [Symbol.iterator](): MapIterator<[number, Sample]> {
    return this.entries();
  }

  forEach(callback: (sample: Sample, id: number, samples: ReadonlyMap<number, Sample>) => void): void {
    if (this.#sample !== undefined) callback(this.#sample, 0, this);
  }

  #map(): Map<number, Sample> {
    return this.#sample === undefined ? new Map() : new Map([[0, this.#sample]]);
  }
}
