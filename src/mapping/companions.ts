import type { Quality } from "../field/reading.js";
import type { ObjectTree, ResourceHandler } from "../lwm2m/tree.js";
import type { Sample } from "../lwm2m/value.js";
import { datumOf, type Profile, type ProfileObject } from "./profile.js";
import { ipsoQuality } from "./quality.js";

/** IPSO reusable resources that Causeway keeps by itself. */
const RESET_MIN_MAX = 5605;
const UNITS = 5701;
const IPSO_TIMESTAMP = 5518;
const FRACTIONAL_TIMESTAMP = 6050;
const QUALITY_INDICATOR = 6042;
const QUALITY_LEVEL = 6049;

const LOCATION = 6;
const LOCATION_TIMESTAMP = 5;

/** Where the object holds the time of its measurement. */
export function timestampResource(objectId: number): number {
  return objectId === LOCATION ? LOCATION_TIMESTAMP : IPSO_TIMESTAMP;
}

/** Measured value → its measured minimum and maximum. */
const EXTREMES: Readonly<Record<number, readonly [min: number, max: number]>> = {
  5700: [5601, 5602],
  5600: [5601, 5602],
  5705: [5601, 5602],
  5800: [5801, 5802],
};

/** Resources that can be the measured value of an object when its mandatory one is not fed by a point. */
const VALUE_ORDER = [5700, 5600, 5500, 5800, 5850, 5550, 5705, 5702, 5506];

/**
 * What the gateway adds to an instance where the model allows it and the profile does not name it: measured minimum and
 * maximum with their reset, the time and the quality of the measurement, the unit.
 */
export class Companions {
  /** The resource that all of this is about; undefined when points feed none. */
  readonly valueId: number | undefined;
  readonly #tree: ObjectTree;
  readonly #object: ProfileObject;
  readonly #instanceId: number;
  readonly #unit: string | undefined;
  #atMs: number | undefined;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #current: Sample | undefined;
  #quality: Quality | undefined;

  constructor(tree: ObjectTree, object: ProfileObject, instanceId: number, profile: Profile) {
    this.#tree = tree;
    this.#object = object;
    this.#instanceId = instanceId;
    this.valueId = valueResource(object);
    const source = this.valueId === undefined ? undefined : object.resources.get(this.valueId);
    this.#unit = source?.kind === "point" ? datumOf(profile, source.point)?.unit : undefined;
  }

  /** What stands behind those of the resources that hold nothing themselves. */
  handlers(): Map<number, ResourceHandler> {
    const handlers = new Map<number, ResourceHandler>();
    if (this.valueId === undefined) return handlers;
    // Read live: an observer of the instance must not hear of each poll because the time moved on.
    const timestamp = timestampResource(this.#object.model.id);
    if (this.#adds(timestamp)) handlers.set(timestamp, { read: () => this.#seconds() });
    if (this.#adds(FRACTIONAL_TIMESTAMP)) handlers.set(FRACTIONAL_TIMESTAMP, { read: () => this.#fraction() });
    if (this.#extremes() !== undefined && this.#adds(RESET_MIN_MAX)) {
      handlers.set(RESET_MIN_MAX, { execute: () => this.#reset() });
    }
    return handlers;
  }

  /** Called once the instance stands. */
  begin(nowMs: number): void {
    if (this.valueId === undefined) return;
    if (this.#unit !== undefined && this.#adds(UNITS)) this.#set(UNITS, { value: this.#unit, atMs: nowMs });
    for (const id of this.#extremes() ?? []) this.#tree.declare(this.#object.model.id, this.#instanceId, id);
    this.quality("never-read", nowMs);
  }

  quality(reported: Quality, atMs: number): void {
    // Without a value there is none to suspect.
    const quality = this.#atMs === undefined && isOfLine(reported) ? "never-read" : reported;
    if (quality === this.#quality) return;
    this.#quality = quality;
    const { indicator, level } = ipsoQuality(quality);
    if (this.#adds(QUALITY_INDICATOR)) this.#set(QUALITY_INDICATOR, { value: indicator, atMs });
    if (this.#adds(QUALITY_LEVEL)) this.#set(QUALITY_LEVEL, { value: level, atMs });
  }

  measured(sample: Sample): void {
    this.#atMs = sample.atMs;
    this.#current = sample;
    const extremes = this.#extremes();
    if (extremes === undefined || typeof sample.value !== "number") return;
    const [minId, maxId] = extremes;
    if (sample.value < this.#min) {
      this.#min = sample.value;
      this.#set(minId, sample);
    }
    if (sample.value > this.#max) {
      this.#max = sample.value;
      this.#set(maxId, sample);
    }
  }

  #seconds(): number | undefined {
    return this.#atMs === undefined ? undefined : Math.floor(this.#atMs / 1000);
  }

  #fraction(): number | undefined {
    return this.#atMs === undefined ? undefined : (this.#atMs % 1000) / 1000;
  }

  #reset(): Promise<void> {
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
    if (this.#current !== undefined) this.measured(this.#current);
    return Promise.resolve();
  }

  #extremes(): readonly [number, number] | undefined {
    const ids = this.valueId === undefined ? undefined : EXTREMES[this.valueId];
    return ids?.every((id) => this.#adds(id)) === true ? ids : undefined;
  }

  #adds(resourceId: number): boolean {
    return this.#object.model.resources.has(resourceId) && !this.#object.resources.has(resourceId);
  }

  #set(resourceId: number, sample: Sample): void {
    this.#tree.set([this.#object.model.id, this.#instanceId, resourceId], sample);
  }
}

/** Faults that say nothing of the value that was read before. */
function isOfLine(quality: Quality): boolean {
  return quality === "timeout" || quality === "crc" || quality === "stale";
}

function valueResource({ model, resources }: ProfileObject): number | undefined {
  const fed = [...resources].filter(([, source]) => source.kind === "point").map(([id]) => id);
  return (
    fed.find((id) => model.resources.get(id)?.mandatory === true) ??
    VALUE_ORDER.find((id) => fed.includes(id)) ??
    fed[0]
  );
}
