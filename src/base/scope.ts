import { setMaxListeners } from "node:events";

type Closer = () => void | Promise<void>;

/**
 * Owns everything that runs: closing the scope aborts its signal, waits for what was spawned and
 * runs the closers in reverse order. A child closes with its parent.
 */
export class Scope implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #closers: Closer[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: (error: unknown) => void;
  #closing: Promise<void> | undefined;

  /** `onFailure` hears of spawned work that rejects and of closers that throw; it must not throw itself. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    // Everything in a scope listens to the one signal: many listeners are no leak here.
    setMaxListeners(0, this.#abort.signal);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  child(): Scope {
    const child = new Scope(this.#onFailure);
    const closer: Closer = () => child[Symbol.asyncDispose]();
    this.defer(closer);
    // One that closes by itself leaves nothing behind.
    child.defer(() => {
      const index = this.#closers.indexOf(closer);
      if (index >= 0) this.#closers.splice(index, 1);
    });
    return child;
  }

  /** Registers a closer; on a scope that is already closed it runs at once. */
  defer(closer: Closer): void {
    if (this.#closing === undefined) this.#closers.push(closer);
    else void this.#runCloser(closer);
  }

  /** Keeps `resource` until the scope closes and returns it. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(async () => await resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Runs `work` with the scope's signal; a rejection after the abort is the expected end and is silent. */
  spawn(work: (signal: AbortSignal) => Promise<void>): void {
    const promise = work(this.signal)
      .catch((error: unknown) => {
        if (!this.signal.aborted) this.#onFailure(error);
      })
      .finally(() => this.#running.delete(promise));
    this.#running.add(promise);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#abort.abort(new Error("scope closed"));
    await Promise.all(this.#running);
    for (const closer of this.#closers.splice(0).reverse()) await this.#runCloser(closer);
  }

  async #runCloser(closer: Closer): Promise<void> {
    try {
      await closer();
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
