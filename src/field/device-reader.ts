import type { Clock } from "../base/clock.js";
import { toError } from "../base/errors.js";
import type { Point, Station } from "./adapter.js";
import type { Bus } from "./bus.js";
import type { ExchangeList, PlannedExchange } from "./exchanges.js";
import { isolate } from "./isolation.js";
import type { Priority } from "./queue.js";
import type { Reading } from "./reading.js";
import type { RefusedPoints } from "./refusals.js";

export interface DeviceReaderOptions {
  readonly station: Station<unknown>;
  readonly exchanges: ExchangeList;
  readonly bus: Bus;
  readonly clock: Clock;
  /** How often what got no answer is asked again before it counts. */
  readonly retries: number;
  /** Whether the device answered the last time: only then is silence worth a second question. */
  readonly isThere: () => boolean;
  readonly onReadings: (readings: readonly Reading[]) => void;
  /** The device answered, with a refusal that says nothing of the single points. */
  readonly onAnswer: () => void;
  /** The link is down; gives what the points are now. */
  readonly onUnreached: (points: readonly Point<unknown>[], error: Error) => readonly Reading[];
  readonly onRefused: (refused: RefusedPoints) => void;
}

const REFUSED_PAUSE_MS = 3_600_000;

/** Carries out the planned exchanges of one device, and finds out what of them the device refuses. */
export class DeviceReader {
  readonly #options: DeviceReaderOptions;

  constructor(options: DeviceReaderOptions) {
    this.#options = options;
  }

  /** Of an exchange that is refused as a whole it is found out why, at once and for later. */
  async read(planned: PlannedExchange, priority: Priority): Promise<readonly Reading[]> {
    if (planned.isolating !== undefined) return await planned.isolating;
    const { clock, exchanges, onReadings, onAnswer, onUnreached } = this.#options;
    planned.pending = true;
    let readings: readonly Reading[];
    try {
      readings = await this.#ask(planned.points, priority);
    } catch (error) {
      return onUnreached(planned.points, toError(error));
    } finally {
      planned.pending = false;
    }
    const refused = isRefused(readings);
    if (refused && planned.points.length > 1) {
      onAnswer();
      planned.isolating ??= this.#isolate(planned, priority);
      return await planned.isolating;
    }
    planned.done = planned.pace === "once" && !isSilence(readings);
    planned.refusedUntilMs = refused ? clock.monotonicMs() + REFUSED_PAUSE_MS : 0;
    onReadings(readings);
    const [point] = planned.points;
    const isAnswered = point !== undefined && !refused && !isSilence(readings);
    if (isAnswered && exchanges.clear(point)) this.#options.onRefused(exchanges.refused);
    return readings;
  }

  /** A damaged or missing answer of a device that is there is asked for again before it counts. */
  async #ask(points: readonly Point<unknown>[], priority: Priority): Promise<readonly Reading[]> {
    const { bus, station, retries, isThere } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const readings = await bus.read(station, points, priority);
      if (attempt >= retries || !isThere() || !isSilence(readings)) return readings;
    }
  }

  async #isolate(refused: PlannedExchange, priority: Priority): Promise<readonly Reading[]> {
    const { exchanges, onReadings, onAnswer, onRefused } = this.#options;
    const learned: Reading[] = [];
    refused.pending = true;
    try {
      const suspects = await isolate(refused.points, async (points) => {
        const readings = await this.#ask(points, priority).catch((): readonly Reading[] => []);
        if (readings.length === 0 || isSilence(readings)) return "failed";
        if (isRefused(readings)) {
          onAnswer();
          return "refused";
        }
        learned.push(...readings);
        onReadings(readings);
        return "answered";
      });
      if (suspects === undefined) return learned;
      const alone = exchanges.part(refused, suspects);
      onRefused(exchanges.refused);
      for (const planned of alone) learned.push(...(await this.read(planned, priority)));
      return learned;
    } finally {
      refused.pending = false;
      refused.isolating = undefined;
    }
  }
}

/** Nothing was heard that could be understood. */
export function isSilence(readings: readonly Reading[]): boolean {
  return readings.every(({ quality }) => quality === "timeout" || quality === "crc" || quality === "stale");
}

function isRefused(readings: readonly Reading[]): boolean {
  return readings.length > 0 && readings.every(({ quality }) => quality === "unsupported");
}
