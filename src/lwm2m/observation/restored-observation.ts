import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { ReadResult } from "../operation/operations.js";
import { valueOfJson } from "../state/value-json.js";
import type { Value } from "../value.js";
import type { KeptObservation } from "./kept-observations.js";
import { isTriggered } from "./observation.js";
import type { ObservationTerms } from "./observation-terms.js";
import { beginObservation, keyOf, type Observable, type Observation } from "./observed.js";

/**
 * An observation of before a restart goes on: by the conditions and periods since what the server was told last. What
 * was measured before may not all have been told, so what is left of it in the outbox counts as overtaken.
 */
export function restoreObservation(
  kept: KeptObservation,
  observable: Observable,
  current: ReadResult,
  terms: ObservationTerms,
  clock: Clock,
): Observation {
  const wallMs = clock.nowMs();
  // A wall clock that was set back in between must not make the past the future.
  const monotonicOf = (atMs: number): number => clock.monotonicMs() - Math.max(0, wallMs - atMs);
  const request = { ...kept.request, token: kept.token, confirmable: true };
  const observation = beginObservation(observable, request, terms, monotonicOf(kept.sentAtMs), kept.sinceMs);
  observation.lastConMs = monotonicOf(kept.conAtMs);
  observation.overtaken = { fromMs: kept.sinceMs, toMs: wallMs };
  for (const { path, prefix, type, value } of current.entries) {
    const key = keyOf(observation, path, prefix);
    const before = keptValue(() => valueOfJson(type, kept.values.get(String(key))));
    if (before !== undefined) observation.sent.set(key, before);
    if (isTriggered(observation.attributes, before, value)) observation.pending = "everything";
  }
  return observation;
}

function keptValue(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    // What cannot be understood was not told.
    if (error instanceof CausewayError) return undefined;
    throw error;
  }
}
