import { abortable, type Clock, type Timer } from "../../base/clock.js";
import type { IncomingRequest } from "../../coap/request.js";

/** So long a server has to read object 25 before values come of devices that it may not know. */
const GRACE_MS = 2000;
const GATEWAY = "25";

/** Waits until a server has learned, by reading object 25, which devices are behind the gateway, or had the time to. */
export class Introduction implements Disposable {
  readonly #clock: Clock;
  #made: Promise<void> = Promise.resolve();
  #make: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A registration is new: the server knows nothing. */
  begin(): void {
    this.#end();
    this.#made = new Promise((resolve) => {
      this.#make = resolve;
    });
    this.#timer = this.#clock.schedule(GRACE_MS, () => this.#end());
  }

  note({ method, path }: IncomingRequest): void {
    if (this.#make !== undefined && method === "GET" && path[0] === GATEWAY) this.#end();
  }

  /** Rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<void> {
    return abortable(this.#made, signal);
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#make?.();
    this.#make = undefined;
  }
}
