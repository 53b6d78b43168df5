import type { Entry } from "../codec/codec.js";
import type { Value } from "../value.js";
import { decide, isOffEdge, isTriggered } from "./observation.js";
import { attributesAt, keyOf, type Observation } from "./observed.js";

/** A measurement with its time (wall clock). */
export interface TimedEntry extends Entry {
  readonly atMs: number;
}

/**
 * Those of the measurements, in the order of time, of which notifications would have told if the server had been there:
 * the attributes count for the past as they do for now. The first one of each path is told in any case, as what the
 * server knew by then is not certain.
 */
export function replay(observation: Observation, entries: readonly TimedEntry[]): readonly TimedEntry[] {
  const told: TimedEntry[] = [];
  const before = new Map<number | string, Value>();
  /** Changes that wait for pmin. */
  const waiting = new Map<number | string, TimedEntry>();
  const pminMs = (observation.attributes.pmin ?? 0) * 1000;
  let lastMs = Number.NEGATIVE_INFINITY;
  const tell = (key: number | string, entry: TimedEntry): void => {
    told.push(entry);
    before.set(key, entry.value);
  };
  const tellWaiting = (): void => {
    for (const [key, entry] of waiting) tell(key, entry);
    waiting.clear();
  };
  for (const entry of entries) {
    if (waiting.size > 0 && entry.atMs > lastMs + pminMs) {
      tellWaiting();
      lastMs += pminMs;
    }
    const key = keyOf(observation, entry.path, entry.prefix);
    const attributes = attributesAt(observation, entry.path, entry.prefix);
    if (isOffEdge(attributes, before.get(key), entry.value) && before.has(key)) before.set(key, entry.value);
    if (entry.atMs === lastMs) {
      // Values of one poll are told together.
      if (isTriggered(attributes, before.get(key), entry.value)) tell(key, entry);
      continue;
    }
    const decision = decide(attributes, { value: before.get(key), atMs: lastMs }, entry.value, entry.atMs);
    if (decision.send === "now") {
      waiting.delete(key);
      tellWaiting();
      tell(key, entry);
      lastMs = entry.atMs;
    } else if (decision.send === "at" && decision.because === "change") waiting.set(key, entry);
  }
  tellWaiting();
  return told;
}
