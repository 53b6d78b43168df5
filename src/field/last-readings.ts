import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { Point } from "./adapter.js";
import type { Reading } from "./reading.js";

export interface LastReadingsOptions {
  /** Of the device. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of points whose quality changed without a reading of the device. */
  readonly onChange: (readings: readonly Reading[]) => void;
}

/** The last reading of each point of a device, and what becomes of them when nothing comes any more. */
export class LastReadings {
  readonly #options: LastReadingsOptions;
  readonly #byPoint = new Map<string, Reading>();

  constructor(options: LastReadingsOptions) {
    this.#options = options;
  }

  /** Of a point that was never read, too. */
  get(point: string): Reading {
    const atMs = this.#options.clock.nowMs();
    return this.#byPoint.get(point) ?? { point, atMs, quality: "never-read", reason: "nothing has come yet" };
  }

  /** By point; those that were never read are not there. */
  snapshot(): ReadonlyMap<string, Reading> {
    return new Map(this.#byPoint);
  }

  get unsupported(): readonly string[] {
    return [...this.#byPoint.values()].filter(({ quality }) => quality === "unsupported").map(({ point }) => point);
  }

  remember(readings: readonly Reading[]): void {
    const { log, name } = this.#options;
    const refused = readings.filter(
      ({ point, quality }) => quality === "unsupported" && this.#byPoint.get(point)?.quality !== "unsupported",
    );
    for (const reading of readings) this.#byPoint.set(reading.point, reading);
    const [first] = refused;
    if (first === undefined || !("reason" in first)) return;
    const points = refused.map(({ point }) => point).join(", ");
    log.warn("device refuses points", { device: name, points, reason: first.reason });
  }

  /** The link is down, which is not the device's fault; told once, not at every slot. */
  unreached(points: readonly Point<unknown>[], error: Error): readonly Reading[] {
    const atMs = this.#options.clock.nowMs();
    const readings = points.map(({ name }): Reading => {
      const last = this.#byPoint.get(name);
      const quality = last === undefined || last.quality === "never-read" ? "never-read" : "stale";
      return { point: name, atMs, quality, reason: error.message };
    });
    this.#tellChanges(readings);
    return readings;
  }

  /** Values that were good are not any more, also those of points whose next poll would be far. */
  expire(reason: string): void {
    const atMs = this.#options.clock.nowMs();
    const good = [...this.#byPoint.values()].filter(({ quality }) => quality === "good");
    this.#tellChanges(good.map(({ point }) => ({ point, atMs, quality: "timeout", reason })));
  }

  #tellChanges(readings: readonly Reading[]): void {
    const changed = readings.filter((reading) => this.#byPoint.get(reading.point)?.quality !== reading.quality);
    for (const reading of changed) this.#byPoint.set(reading.point, reading);
    if (changed.length > 0) this.#options.onChange(changed);
  }
}
