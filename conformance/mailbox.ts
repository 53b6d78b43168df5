import { systemClock } from "../src/base/clock.js";
import { Difference } from "./difference.js";

/** What arrives, in order, for a script that waits for it. */
export class Mailbox<T> {
  readonly #waiting: T[] = [];
  #wake: () => void = () => undefined;

  push(item: T): void {
    this.#waiting.push(item);
    this.#wake();
  }

  /** The next one that passes; those before it are dropped. */
  async take(what: string, passes: (item: T) => boolean, withinMs: number): Promise<T> {
    const untilMs = systemClock.monotonicMs() + withinMs;
    for (;;) {
      for (let item = this.#waiting.shift(); item !== undefined; item = this.#waiting.shift()) {
        if (passes(item)) return item;
      }
      const leftMs = untilMs - systemClock.monotonicMs();
      if (leftMs <= 0) throw new Difference(what, `it within ${withinMs} ms`, "nothing");
      await this.#arrival(leftMs);
    }
  }

  /** Forgets what has arrived so far. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #arrival(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = systemClock.schedule(withinMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
