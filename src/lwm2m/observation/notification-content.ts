import type { Entry } from "../codec/codec.js";
import type { ReadResult } from "../operation/operations.js";
import { isTriggered } from "./observation.js";
import { attributesAt, keyOf, type Observation } from "./observed.js";

/** A measurement younger than this is reported without its time, unless the message may be repeated later. */
const NOTICEABLE_AGE_MS = 1000;

/**
 * What a notification says: the current values, but of a change that came and went while pmin lasted, the change: the
 * current value then follows it. Nothing else is pending after it.
 */
export function told(observation: Observation, current: ReadResult): ReadResult {
  const { pending, sent } = observation;
  observation.pending = undefined;
  if (pending === undefined || pending === "everything") return current;
  const key = keyOf(observation, pending.path, pending.prefix);
  const isChanged = (entry: Entry): boolean => keyOf(observation, entry.path, entry.prefix) === key;
  const entry = current.entries.find(isChanged);
  if (entry === undefined) return current;
  const attributes = attributesAt(observation, entry.path, entry.prefix);
  if (isTriggered(attributes, sent.get(key), entry.value)) return current;
  if (isTriggered(attributes, pending.value, entry.value)) observation.pending = "everything";
  const entries = current.entries.map((one) => (one === entry ? { ...entry, value: pending.value } : one));
  return { ...current, entries, newestMs: pending.atMs };
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
