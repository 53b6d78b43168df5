import { abortable } from "causeway/adapter";

/** One at a time, in the order of asking. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects as the work does, or with the signal's reason while it waits. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#last;
    let done: () => void = () => undefined;
    const own = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#last = before.then(() => own);
    try {
      await abortable(before, signal);
      return await work();
    } finally {
      done();
    }
  }
}
