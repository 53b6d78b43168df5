import { createHash } from "node:crypto";
import type { Exchange } from "./adapter.js";

/** What was learned of the reads that a device refuses; names of points. */
export interface RefusedPoints {
  /** Asked alone, because whatever holds them is refused. */
  readonly alone: readonly string[];
  /** The first ones behind a hole: no request goes on from before. */
  readonly cuts: readonly string[];
}

export const NOTHING_REFUSED: RefusedPoints = { alone: [], cuts: [] };

/** Keeps what was learned over restarts, for as long as the device's plan stays the same. */
export interface Refusals {
  /** Undefined when nothing is known under this plan. */
  load(device: string, plan: string): RefusedPoints | undefined;
  save(device: string, plan: string, refused: RefusedPoints): void;
}

const PAUSES_MS = [10_000, 60_000, 600_000, 3_600_000] as const;

/** How long what was refused so many times in a row is left alone: what refuses while it starts is soon back. */
export function refusedPauseMs(times: number): number {
  return PAUSES_MS[Math.min(times, PAUSES_MS.length) - 1] ?? 0;
}

/** The same for the same requests, other for any other. */
export function planHash(exchanges: readonly Exchange<unknown>[]): string {
  const requests = exchanges.map(({ summary, points }) => [summary, points.map(({ name }) => name)]);
  return createHash("sha256").update(JSON.stringify(requests)).digest("base64url");
}
