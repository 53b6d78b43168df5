import { isTriggered } from "./observation.js";
import { keyOf, type Observation } from "./observed.js";
import type { ReadResult } from "./operations.js";

/** A measurement younger than this is reported without its time, unless the message may be repeated later. */
const NOTICEABLE_AGE_MS = 1000;

/**
 * What a notification says: the current values, but of a single resource whose change came and went while pmin lasted,
 * the change (it is followed by the current value). Nothing is pending after it.
 */
export function told(observation: Observation, current: ReadResult): ReadResult {
  const { pending, attributes, sent } = observation;
  observation.pending = undefined;
  const entry = current.entries.length === 1 ? current.entries[0] : undefined;
  if (pending === undefined || pending === "everything" || entry === undefined) return current;
  if (observation.target.length < 3) return current;
  if (isTriggered(attributes, sent.get(keyOf(observation, entry.path, entry.prefix)), entry.value)) return current;
  return { ...current, entries: [{ ...entry, value: pending.value }], newestMs: pending.atMs };
}

/**
 * With the time where the value would otherwise be taken for one of now: when it is old, and in a confirmable message,
 * whose last repetition arrives up to a minute and a half later.
 */
export function stamped(
  { entries, newestMs }: ReadResult,
  nowMs: number,
  delivery: "CON" | "NON",
): ReadResult["entries"] {
  const isFresh = delivery === "NON" && nowMs - newestMs < NOTICEABLE_AGE_MS;
  if (isFresh || newestMs === Number.NEGATIVE_INFINITY) return entries;
  // One time for the whole notification: servers take entries of different times for different states of the target.
  return entries.map((entry) => ({ ...entry, atMs: newestMs }));
}

/** What the server will know when it has been told. */
export function remember(observation: Observation, { entries, newestMs }: ReadResult): void {
  observation.sent.clear();
  for (const { path, value, prefix } of entries) observation.sent.set(keyOf(observation, path, prefix), value);
  observation.toldMs = newestMs;
}
