import type { PollClass } from "./adapter.js";
import type { Pace } from "./exchanges.js";

/** Periods of the poll classes; `once` has none. */
export interface PollPeriods {
  readonly fastMs: number;
  readonly normalMs: number;
  readonly slowMs: number;
}

/** What limits the period of a point's polls, whatever its class says. */
export interface PollBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

export const NO_BOUNDS: PollBounds = { minMs: 0, maxMs: Number.POSITIVE_INFINITY };

/** The period of the class within the bounds; where these contradict each other, the maximum counts. */
export function paceOf(pollClass: PollClass, { fastMs, normalMs, slowMs }: PollPeriods, bounds: PollBounds): Pace {
  const wantedMs = { fast: fastMs, normal: normalMs, slow: slowMs, once: Number.POSITIVE_INFINITY }[pollClass];
  const periodMs = Math.min(bounds.maxMs, Math.max(bounds.minMs, wantedMs));
  return Number.isFinite(periodMs) ? Math.max(1, Math.round(periodMs)) : "once";
}
