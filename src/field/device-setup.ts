import type { Clock, Timer } from "../base/clock.js";

export interface DeviceSetupOptions {
  readonly clock: Clock;
  /** Tells the device; rejects with the signal only. */
  readonly tell: () => Promise<"done" | "silent">;
  readonly onDone: () => void;
  readonly onSilent: () => void;
}

/** A device that nobody polls is told again after so long. */
const RETRY_MS = 5000;

/** What a device is told after each connect and when it comes back; until then its values may mean something else. */
export class DeviceSetup implements Disposable {
  readonly #options: DeviceSetupOptions;
  #state: "due" | "under way" | "done" = "due";
  /** Of the connect that it is for: what began before the last one does not count. */
  #round = 0;
  #retry: Timer | undefined;

  constructor(options: DeviceSetupOptions) {
    this.#options = options;
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** The device may have forgotten. */
  renew(): void {
    this.#round++;
    this.#retry?.cancel();
    this.#state = "due";
  }

  /** Nothing happens while it is under way or done. */
  async run(): Promise<void> {
    if (this.#state !== "due") return;
    this.#state = "under way";
    this.#retry?.cancel();
    const round = this.#round;
    const outcome = await this.#options.tell();
    if (round !== this.#round) return;
    this.#state = outcome === "done" ? "done" : "due";
    if (outcome === "done") {
      this.#options.onDone();
      return;
    }
    this.#retry = this.#options.clock.schedule(RETRY_MS, () => void this.run().catch(() => undefined));
    this.#options.onSilent();
  }

  [Symbol.dispose](): void {
    this.#round++;
    this.#retry?.cancel();
  }
}
