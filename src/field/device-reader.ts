import type { Clock } from "../base/clock.js";
import { toError } from "../base/errors.js";
import type { Point, Station } from "./adapter.js";
import type { Bus } from "./bus.js";
import { type ExchangeList, type PlannedExchange, pauseRefused } from "./exchanges.js";
import { diagnose, type Outcome } from "./isolation.js";
import type { Priority } from "./queue.js";
import type { Quality, Reading } from "./reading.js";
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

/** Carries out the planned exchanges of one device, and finds out what of them the device refuses. */
export class DeviceReader {
  readonly #options: DeviceReaderOptions;

  constructor(options: DeviceReaderOptions) {
    this.#options = options;
  }

  /** Of an exchange that is refused as a whole it is found out why, at once and for later. */
  async read(planned: PlannedExchange, priority: Priority): Promise<readonly Reading[]> {
    if (planned.isolating !== undefined) return await planned.isolating;
    const { clock, onReadings, onAnswer, onUnreached } = this.#options;
    planned.pending = true;
    let readings: readonly Reading[];
    try {
      readings = await this.#ask(planned.points, priority);
    } catch (error) {
      return onUnreached(planned.points, toError(error));
    } finally {
      planned.pending = false;
    }
    const outcome = outcomeOf(readings);
    if (outcome === "refused" && planned.points.length > 1) {
      onAnswer();
      planned.isolating ??= this.#isolate(planned, priority);
      return await planned.isolating;
    }
    if (outcome === "refused") pauseRefused(planned, clock.monotonicMs());
    onReadings(readings);
    if (outcome === "answered") this.#succeed(planned);
    return readings;
  }

  /** What was refused before is forgotten. */
  #succeed(planned: PlannedExchange): void {
    const { exchanges, onRefused } = this.#options;
    planned.done = planned.pace === "once";
    planned.refusals = 0;
    planned.refusedUntilMs = 0;
    const [point, ...others] = planned.points;
    const isNews = point !== undefined && others.length === 0 ? exchanges.clear(point) : exchanges.join(planned.points);
    if (isNews) onRefused(exchanges.refused);
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
    const learned = new Map<string, Reading>();
    const refusals: Reading[] = [];
    let failure: readonly Reading[] | Error = [];
    refused.pending = true;
    try {
      const verdict = await diagnose(refused.points, async (points) => {
        try {
          const readings = await this.#ask(points, priority);
          const outcome = outcomeOf(readings);
          if (outcome === "refused") this.#options.onAnswer();
          if (outcome === "refused" && points.length === 1) refusals.push(...readings);
          if (outcome === "answered") this.#learn(learned, readings);
          if (outcome === "failed") failure = readings;
          return outcome;
        } catch (error) {
          failure = toError(error);
          return "failed";
        }
      });
      if (verdict.kind === "failed") this.#fail(refused, learned, failure);
      if (verdict.kind === "passed") this.#succeed(refused);
      if (verdict.kind === "everything") pauseRefused(refused, this.#options.clock.monotonicMs());
      if (verdict.kind === "parts") this.#part(refused, verdict.alone, verdict.cuts);
      if (verdict.kind === "everything" || verdict.kind === "parts") this.#learn(learned, refusals);
      return [...learned.values()];
    } finally {
      refused.pending = false;
      refused.isolating = undefined;
    }
  }

  #learn(learned: Map<string, Reading>, readings: readonly Reading[]): void {
    for (const reading of readings) learned.set(reading.point, reading);
    if (readings.length > 0) this.#options.onReadings(readings);
  }

  #part(refused: PlannedExchange, alone: readonly Point<unknown>[], cuts: readonly Point<unknown>[]): void {
    const { clock, exchanges, onRefused } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const planned of exchanges.part(refused, alone, cuts, nowMs)) pauseRefused(planned, nowMs);
    onRefused(exchanges.refused);
  }

  /** What was not answered before a request failed has the fault of that request. */
  #fail(refused: PlannedExchange, learned: Map<string, Reading>, failure: readonly Reading[] | Error): void {
    const missing = refused.points.filter(({ name }) => !learned.has(name));
    if (failure instanceof Error) {
      for (const reading of this.#options.onUnreached(missing, failure)) learned.set(reading.point, reading);
      return;
    }
    const [first] = failure;
    if (first === undefined) return;
    this.#learn(
      learned,
      missing.map(({ name }) => ({ ...first, point: name })),
    );
  }
}

/** Nothing was heard that could be understood. */
export function isSilence(readings: readonly Reading[]): boolean {
  return readings.every(({ quality }) => quality === "timeout" || quality === "crc" || quality === "stale");
}

/** A trouble of the station's own, such as being busy, says nothing of what it was asked for. */
function outcomeOf(readings: readonly Reading[]): Outcome {
  const isAll = (...qualities: readonly Quality[]): boolean =>
    readings.every(({ quality }) => qualities.includes(quality));
  if (isAll("timeout", "crc", "stale", "exception")) return "failed";
  return isAll("unsupported") ? "refused" : "answered";
}
