import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { Exchange, LineKnowledge, Point, Station, WriteTerms } from "./adapter.js";
import type { Bus } from "./bus.js";
import type { HealthState } from "./health.js";
import type { PollPeriods } from "./poll-period.js";
import type { Poller } from "./poller.js";
import type { Reading, Scalar } from "./reading.js";
import type { RefusedPoints } from "./refusals.js";

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

export interface DeviceOptions {
  readonly name: string;
  readonly link: string;
  readonly station: Station<unknown>;
  readonly points: readonly Point<unknown>[];
  readonly poll: PollPeriods;
  /** Of a device that only speaks on its own. */
  readonly silenceMs?: number;
  readonly plan: (points: readonly Point<unknown>[], line: LineKnowledge) => readonly Exchange<unknown>[];
  /** Read back at once and as often as one likes, unless given. */
  readonly terms?: (point: Point<unknown>) => WriteTerms;
  /** How often what got no answer is asked again before it counts; 0 unless given. */
  readonly retries?: number;
  /** What was learned before of reads that the device refuses, and who keeps it. */
  readonly refused?: RefusedPoints;
  readonly onRefused?: (refused: RefusedPoints) => void;
  readonly fit: (point: Point<unknown>, value: Scalar) => Scalar;
  readonly bus: Bus;
  readonly poller: Poller;
  readonly clock: Clock;
  readonly log: Log;
  readonly onReadings: (readings: readonly Reading[]) => void;
  readonly onHealth?: (health: HealthState) => void;
}

export const PLAIN_TERMS: WriteTerms = { readBack: { delayMs: 0 }, minIntervalMs: 0 };
