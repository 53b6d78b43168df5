import type { Clock, Timer } from "../../base/clock.js";

/**
 * How long a client in queue mode stays reachable after each message, its own or the server's (OMA LwM2M Core 1.2
 * §6.6). Starts awake.
 */
export class AwakeWindow implements Disposable {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #onSleep: () => void;
  #timer: Timer | undefined;
  #untilMs = 0;
  #state: "awake" | "asleep" = "awake";
  #waiting: (() => void)[] = [];

  constructor(clock: Clock, windowMs: number, onSleep: () => void) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#onSleep = onSleep;
    this.touch();
  }

  get state(): "awake" | "asleep" {
    return this.#state;
  }

  /** A message was sent or has come: the window begins anew. */
  touch(): void {
    this.#state = "awake";
    this.#untilMs = this.#clock.monotonicMs() + this.#windowMs;
    // The timer is left alone: it looks whether the window has moved on.
    this.#timer ??= this.#clock.schedule(this.#windowMs, () => this.#look());
  }

  /** Resolves at the next `settle`. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The server has been told that the client is awake, or cannot be told. */
  settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  [Symbol.dispose](): void {
    this.settle();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const leftMs = this.#untilMs - this.#clock.monotonicMs();
    this.#timer = leftMs > 0 ? this.#clock.schedule(leftMs, () => this.#look()) : undefined;
    if (leftMs > 0) return;
    this.#state = "asleep";
    this.#onSleep();
  }
}
