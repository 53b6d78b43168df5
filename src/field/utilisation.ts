import type { Clock } from "../base/clock.js";

const SLICE_MS = 5000;
const SLICES = 12;

/** Share of the last minute in which something was busy, in slices of five seconds. */
export class Utilisation {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #busyMs = new Float64Array(SLICES);
  #slice: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#slice = this.#sliceNow();
  }

  /** It was busy for so long until now. */
  add(busyMs: number): void {
    this.#turn();
    const index = this.#slice % SLICES;
    this.#busyMs[index] = (this.#busyMs[index] ?? 0) + busyMs;
  }

  /** 0 to 1. */
  get share(): number {
    this.#turn();
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = Math.max(this.#startedMs, (this.#slice - SLICES + 1) * SLICE_MS);
    const busyMs = this.#busyMs.reduce((sum, ms) => sum + ms, 0);
    return nowMs <= sinceMs ? 0 : Math.min(1, busyMs / (nowMs - sinceMs));
  }

  #sliceNow(): number {
    return Math.floor(this.#clock.monotonicMs() / SLICE_MS);
  }

  #turn(): void {
    const now = this.#sliceNow();
    const passed = Math.min(now - this.#slice, SLICES);
    for (let step = 1; step <= passed; step++) this.#busyMs[(now - passed + step) % SLICES] = 0;
    this.#slice = now;
  }
}
