import type { Clock, Timer } from "../../src/base/clock.js";

interface Pending {
  dueMs: number;
  order: number;
  callback: () => void;
}

/** A clock that moves only when told; `advance` runs every callback that falls due, in order. */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #startMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** The wall clock is set by so much; monotonic time goes on. */
  set(byMs: number): void {
    this.#startMs += byMs;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const pending = { dueMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  /** Lets promises settle, then moves `ms` ahead, running what falls due and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      this.#pending.delete(next);
      next.callback();
      await settle();
    }
    this.#elapsedMs = endMs;
  }

  #next(endMs: number): Pending | undefined {
    let best: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > endMs) continue;
      if (
        best === undefined ||
        pending.dueMs < best.dueMs ||
        (pending.dueMs === best.dueMs && pending.order < best.order)
      ) {
        best = pending;
      }
    }
    return best;
  }
}

/** One turn of the event loop: every promise that can settle without time or I/O has settled afterwards. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
