import { setImmediate as turn } from "node:timers/promises";
import type { Clock, Timer } from "../src/base/clock.js";

/** Time that passes as fast as the work in it allows: hours of a slow line in seconds, and exact. */
export class VirtualClock implements Clock {
  readonly #due = new Map<symbol, { readonly atMs: number; readonly callback: () => void }>();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const key = Symbol("timer");
    this.#due.set(key, { atMs: this.#nowMs + Math.max(0, delayMs), callback });
    return { cancel: () => this.#due.delete(key) };
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await turn();
    for (let key = this.#first(endMs); key !== undefined; key = this.#first(endMs)) {
      const timer = this.#due.get(key);
      this.#due.delete(key);
      this.#nowMs = Math.max(this.#nowMs, timer?.atMs ?? 0);
      timer?.callback();
      await turn();
    }
    this.#nowMs = endMs;
  }

  #first(endMs: number): symbol | undefined {
    let first: symbol | undefined;
    let firstMs = endMs;
    for (const [key, { atMs }] of this.#due) {
      if (atMs > endMs || (first !== undefined && atMs >= firstMs)) continue;
      first = key;
      firstMs = atMs;
    }
    return first;
  }
}
