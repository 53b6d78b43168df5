import type { DeliveryResult, Notification } from "../../coap/request.js";

export interface NotificationQueueOptions<T> {
  /** It is the item's turn. */
  send(item: T): void;
  notify(notification: Notification): Promise<DeliveryResult>;
}

/** What waits for its turn waits here, where a newer value takes the place of an older one, not in the endpoint. */
const MAX_IN_FLIGHT = 16;

/** What is to be told to one server, in order; nothing leaves while it is paused. */
export class NotificationQueue<T> {
  readonly #options: NotificationQueueOptions<T>;
  readonly #due = new Set<T>();
  #state: "running" | "paused" = "running";
  #flushing: "idle" | "scheduled" = "idle";
  #inFlight = 0;

  constructor(options: NotificationQueueOptions<T>) {
    this.#options = options;
  }

  get state(): "running" | "paused" {
    return this.#state;
  }

  // What a poll or a write changes arrives value by value; the microtask comes after the last of them.
  add(item: T): void {
    this.#due.add(item);
    if (this.#flushing === "scheduled") return;
    this.#flushing = "scheduled";
    queueMicrotask(() => {
      this.#flushing = "idle";
      this.#flush();
    });
  }

  /** How it ended; never rejects. */
  async deliver(notification: Notification): Promise<DeliveryResult> {
    this.#inFlight++;
    try {
      return await this.#options.notify(notification);
    } catch {
      return "timeout";
    } finally {
      this.#inFlight--;
      if (this.#due.size > 0) this.#flush();
    }
  }

  pause(): void {
    this.#state = "paused";
  }

  resume(): void {
    this.#state = "running";
    this.#flush();
  }

  clear(): void {
    this.#due.clear();
  }

  #flush(): void {
    for (const item of this.#due) {
      if (this.#state === "paused" || this.#inFlight >= MAX_IN_FLIGHT) return;
      this.#due.delete(item);
      this.#options.send(item);
    }
  }
}
