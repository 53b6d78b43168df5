import type { Clock } from "../../base/clock.js";
import type { Path } from "../path.js";
import type { Sample } from "../value.js";
import type { Explainer } from "../why.js";
import { pacedReason } from "./notification-why.js";
import { keyOf, type ObservedPath } from "./observed.js";

/** A value that an observation is to be evaluated with. */
export type Evaluate = (part: ObservedPath, path: Path, sample: Sample) => void;

/** Evaluates no sooner than epmin after the last time (OMA LwM2M Core 1.2 §7.3.2); the newest value does not get lost. */
export class EvaluationPace {
  readonly #clock: Clock;
  readonly #evaluate: Evaluate;
  readonly #explainer: Explainer | undefined;

  /** `explainer` hears of each value that is held. */
  constructor(clock: Clock, evaluate: Evaluate, explainer?: Explainer) {
    this.#clock = clock;
    this.#evaluate = evaluate;
    this.#explainer = explainer;
  }

  /** Now, or when epmin is over; a newer value takes the place of one that waits. */
  take(part: ObservedPath, path: Path, sample: Sample): void {
    const { observation, attributes, view } = part;
    const epminMs = (attributes.epmin ?? 0) * 1000;
    if (epminMs === 0) {
      this.#evaluate(part, path, sample);
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const key = keyOf(observation, path, view.prefix);
    observation.evaluations ??= new Map();
    const last = observation.evaluations.get(key);
    if (last === undefined || nowMs >= last.atMs + epminMs) {
      last?.held?.timer.cancel();
      observation.evaluations.set(key, { atMs: nowMs, held: undefined });
      this.#evaluate(part, path, sample);
      return;
    }
    const waitMs = last.atMs + epminMs - nowMs;
    this.#explainer?.note?.(pacedReason({ part, view, path, value: sample.value, nowMs }, waitMs));
    if (last.held === undefined) {
      const timer = this.#clock.schedule(waitMs, () => {
        const held = last.held?.sample ?? sample;
        last.held = undefined;
        this.take(part, path, held);
      });
      last.held = { timer, sample };
    } else last.held.sample = sample;
  }
}
