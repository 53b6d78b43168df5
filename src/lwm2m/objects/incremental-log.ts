import type { Clock, Timer } from "../../base/clock.js";
import { type EventLine, EventLines } from "./event-lines.js";

/**
 * LogDataIncremental /20/x/4016: what was logged since the last Send, sent again when there is something new and the
 * minimum interval is over. It knows nothing of LogStart and LogStop.
 */
export class IncrementalLog implements Disposable {
  readonly #clock: Clock;
  readonly #send: (lines: EventLines) => Promise<void>;
  readonly #lines = new EventLines();
  #intervalS = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #state: "idle" | "sending" = "idle";

  constructor(clock: Clock, send: (lines: EventLines) => Promise<void>) {
    this.#clock = clock;
    this.#send = send;
  }

  get intervalS(): number {
    return this.#intervalS;
  }

  /** 0 ends it. */
  setInterval(seconds: number): void {
    this.#intervalS = seconds;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (seconds === 0) this.#lines.clear();
    this.#schedule();
  }

  add(line: EventLine): void {
    if (this.#intervalS === 0) return;
    this.#lines.add(line);
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.setInterval(0);
  }

  #schedule(): void {
    if (this.#lines.all.length === 0 || this.#state === "sending" || this.#timer !== undefined) return;
    const delayMs = this.#sentMs + this.#intervalS * 1000 - this.#clock.monotonicMs();
    this.#timer = this.#clock.schedule(Math.max(0, delayMs), () => {
      this.#timer = undefined;
      void this.#sendNow();
    });
  }

  async #sendNow(): Promise<void> {
    const last = this.#lines.all.at(-1);
    if (last === undefined) return;
    this.#state = "sending";
    this.#sentMs = this.#clock.monotonicMs();
    try {
      await this.#send(this.#lines);
      this.#lines.dropThrough(last);
    } catch {
      // No server has taken it; all of it is sent after the next interval.
    }
    this.#state = "idle";
    this.#schedule();
  }
}
