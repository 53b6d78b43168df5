import { performance } from "node:perf_hooks";

/** A pending callback; `cancel` is idempotent and safe after the callback has run. */
export interface Timer {
  cancel(): void;
}

/** The only source of time, so that tests can own it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump. */
  nowMs(): number;
  /** Never goes back; only differences have a meaning. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs` (negative counts as 0). */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** Smaller steps are what keeps a clock right. */
const SET_BACK_MS = 500;

/** Finds out that the wall clock was set back: from then on its times are earlier than ones that are known. */
export class SetBackDetector {
  readonly #clock: Clock;
  /** Wall clock at monotonic 0, the latest there was. */
  #originMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originMs = clock.nowMs() - clock.monotonicMs();
  }

  /** By how much since it was asked last; undefined when it was not. */
  take(): number | undefined {
    const originMs = this.#clock.nowMs() - this.#clock.monotonicMs();
    const byMs = this.#originMs - originMs;
    if (byMs > 0 && byMs < SET_BACK_MS) return undefined;
    this.#originMs = originMs;
    return byMs > 0 ? Math.round(byMs) : undefined;
  }
}

const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/** Node's own timers; delays beyond 24.8 days are chained, since setTimeout would fire them at once. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, callback) => new NodeTimer(delayMs, callback),
};

class NodeTimer implements Timer {
  readonly #callback: () => void;
  #remainingMs: number;
  #handle: NodeJS.Timeout | undefined;

  constructor(delayMs: number, callback: () => void) {
    this.#callback = callback;
    this.#remainingMs = Math.max(0, delayMs);
    this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(): void {
    const stepMs = Math.min(this.#remainingMs, LONGEST_TIMEOUT_MS);
    this.#remainingMs -= stepMs;
    this.#handle = setTimeout(() => (this.#remainingMs > 0 ? this.#arm() : this.#callback()), stepMs);
  }
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Settles as `promise` does, unless the signal aborts first; then it rejects with the signal's reason. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** As `abortable`, and rejects with what `late` makes when the promise has not settled after `timeoutMs`. */
export function withinTime<T>(
  promise: Promise<T>,
  timeoutMs: number,
  late: () => Error,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.schedule(timeoutMs, () => reject(late()));
    abortable(promise, signal)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}
