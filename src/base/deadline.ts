import type { Clock, Timer } from "./clock.js";

/**
 * A signal that aborts when the parent does, or after a time. Node's own `AbortSignal.any` loses a timeout signal to the
 * garbage collector, so that it never aborts (seen in Node 20).
 */
export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #parent: AbortSignal;
  readonly #timer: Timer;
  readonly #onAbort = (): void => this.#abort.abort(this.#parent.reason);

  constructor(clock: Clock, delayMs: number, parent: AbortSignal) {
    this.#parent = parent;
    const over = (): void => this.#abort.abort(new Error(`not within ${delayMs} ms`));
    this.#timer = clock.schedule(delayMs, over);
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#parent.removeEventListener("abort", this.#onAbort);
  }
}
