import type { HealthState } from "./health.js";
import type { Reading } from "./reading.js";

/** Periods of the poll classes; `once` has none. */
export interface PollPeriods {
  readonly fastMs: number;
  readonly normalMs: number;
  readonly slowMs: number;
}

export interface DeviceStatus {
  readonly name: string;
  readonly link: string;
  readonly health: HealthState;
  /** Wall clock since when the health holds. */
  readonly sinceMs: number;
  /** Wall clock of the last answer; absent before the first. */
  readonly lastAnswerMs?: number;
  /** The last reading of each point, by name; points not yet read are not there. */
  readonly readings: ReadonlyMap<string, Reading>;
  /** Poll slots that were left out because the one before was still waiting for the bus. */
  readonly skippedSlots: number;
  /** Points that the device refuses. */
  readonly unsupported: readonly string[];
}
