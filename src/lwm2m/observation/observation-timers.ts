import type { Clock } from "../../base/clock.js";
import type { Observation } from "./observed.js";

/** One timer per observation; it is left alone when it fires early enough, since moving it at each notification costs. */
export class ObservationTimers {
  readonly #clock: Clock;
  readonly #onDue: (observation: Observation) => void;

  constructor(clock: Clock, onDue: (observation: Observation) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Replaces what was due before; undefined means nothing. Monotonic. */
  arm(observation: Observation, dueMs: number | undefined): void {
    observation.dueMs = dueMs;
    if (dueMs === undefined || (observation.timer !== undefined && observation.timer.atMs <= dueMs)) return;
    observation.timer?.timer.cancel();
    const timer = this.#clock.schedule(dueMs - this.#clock.monotonicMs(), () => {
      observation.timer = undefined;
      if (observation.dueMs === undefined) return;
      if (observation.dueMs > this.#clock.monotonicMs()) this.arm(observation, observation.dueMs);
      else this.#onDue(observation);
    });
    observation.timer = { atMs: dueMs, timer };
  }

  cancel(observation: Observation): void {
    for (const { held } of observation.evaluations?.values() ?? []) held?.timer.cancel();
    observation.timer?.timer.cancel();
    observation.timer = undefined;
  }
}
