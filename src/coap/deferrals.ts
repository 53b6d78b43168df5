import type { Clock, Timer } from "../base/clock.js";

/** Runs `onDue` for each item that is still there `delayMs` after it was added; one timer for all. */
export class Deferrals<T> implements Disposable {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  /** In order of their due time, since the delay is the same for all. */
  readonly #dueMs = new Map<T, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock, delayMs: number, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  add(item: T): void {
    this.#dueMs.set(item, this.#clock.monotonicMs() + this.#delayMs);
    this.#timer ??= this.#clock.schedule(this.#delayMs, () => this.#run());
  }

  delete(item: T): void {
    this.#dueMs.delete(item);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs.clear();
  }

  #run(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const [item, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) {
        this.#timer = this.#clock.schedule(dueMs - nowMs, () => this.#run());
        return;
      }
      this.#dueMs.delete(item);
      this.#onDue(item);
    }
  }
}
