import type { Pace } from "./exchanges.js";

/** A bus that is asked for more of its time than this has no room for retries and writes. */
export const OVERCOMMITTED = 0.8;

/** Share of a medium's time that repeated requests take; 1 is all of it. Pure. */
export function busLoad(requests: readonly { readonly wireMs: number; readonly pace: Pace }[]): number {
  return requests.reduce((sum, { wireMs, pace }) => sum + (pace === "once" ? 0 : wireMs / pace), 0);
}
