import { type Clock, sleep, type Timer } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { Point, Station, WatchSink } from "./adapter.js";
import type { AnyLink } from "./bus.js";
import type { Reading } from "./reading.js";

export interface StationWatchOptions {
  readonly station: Station<unknown>;
  /** All readable points. */
  readonly points: readonly Point<unknown>[];
  /** How long the station may be silent, where it is known only by what it says on its own; for ever when absent. */
  readonly silenceMs?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onReadings: (readings: readonly Reading[]) => void;
  /** What somebody else kept of the station's words, all of it `stale`: it does not tell whether the station is there. */
  readonly onKept: (readings: readonly Reading[]) => void;
  /** The watch could not be set up. */
  readonly onFailure: () => void;
  readonly onGone: (reason: string) => void;
}

const WATCH_RETRY_MS = 5000;
/** A station that usually speaks every so often may leave out four of five times. */
const INTERVALS_OF_SILENCE = 5;
/** Weight of the newest interval in the usual one. */
const LEARNING = 0.2;

/** Hears one station that speaks on its own, on one link until the signal, and notices its silence. */
export class StationWatch {
  readonly #options: StationWatchOptions;
  #heardAtMs: number | undefined;
  #intervalMs = 0;
  #silence: Timer | undefined;

  constructor(options: StationWatchOptions) {
    this.#options = options;
  }

  /** Tries until the watch stands or the link is gone; may be called for one link after the other. */
  async run(link: AnyLink, signal: AbortSignal): Promise<void> {
    const { station, points, clock, log } = this.#options;
    const sink: WatchSink = {
      readings: (readings) => !signal.aborted && this.#hear(readings),
      gone: (reason) => !signal.aborted && this.#options.onGone(reason),
    };
    signal.addEventListener("abort", () => this.#silence?.cancel(), { once: true });
    this.#awaitSilence();
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await link.watch?.(station, points, sink, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (attempt === 0) log.warn("device cannot be watched yet", { device: station.name, error });
        this.#options.onFailure();
        await sleep(clock, WATCH_RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  #hear(readings: readonly Reading[]): void {
    if (readings.every(({ quality }) => quality === "stale")) {
      this.#options.onKept(readings);
      return;
    }
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#heardAtMs !== undefined) {
      const gapMs = nowMs - this.#heardAtMs;
      this.#intervalMs += (gapMs - this.#intervalMs) * (this.#intervalMs === 0 ? 1 : LEARNING);
    }
    this.#heardAtMs = nowMs;
    this.#options.onReadings(readings);
    this.#awaitSilence();
  }

  #awaitSilence(): void {
    const { silenceMs, clock } = this.#options;
    this.#silence?.cancel();
    if (silenceMs === undefined) return;
    const allowedMs = Math.max(silenceMs, INTERVALS_OF_SILENCE * this.#intervalMs);
    this.#silence = clock.schedule(allowedMs, () =>
      this.#options.onGone(`nothing was heard for ${Math.round(allowedMs / 1000)} s`),
    );
  }
}
