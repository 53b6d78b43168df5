import { abortable, type Timer } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import { type Historian, type HistoryContext, targetOf } from "./history.js";
import { drain } from "./outbox/drain.js";

const WAKE_AFTER_MS = 100;

export interface DrainContext extends HistoryContext {
  readonly log: Log;
  readonly random: () => number;
}

/**
 * One drain for each server of an endpoint that wants history; they wake at commits of the endpoint's samples and at
 * news of its registrations.
 */
export class EndpointDrains {
  readonly #context: DrainContext;
  readonly #scope: Scope;
  readonly #wake = new Signal();
  /** By Short Server ID. */
  readonly #running = new Map<number, AbortController>();
  #timer: Timer | undefined;

  constructor(context: DrainContext, scope: Scope) {
    this.#context = context;
    this.#scope = scope;
    const onState = context.client.onState(() => this.#wakeSoon());
    const onCommit = context.outbox.onCommit((endpoints) => {
      if (endpoints.has(context.endpoint)) this.#wakeSoon();
    });
    scope.defer(() => {
      onState[Symbol.dispose]();
      onCommit[Symbol.dispose]();
      this.#timer?.cancel();
    });
  }

  /** The servers that want history now; the outbox has their queues. */
  serve(historians: readonly Historian[]): void {
    for (const [shortServerId, running] of this.#running) {
      if (historians.some((one) => one.shortServerId === shortServerId)) continue;
      this.#running.delete(shortServerId);
      running.abort(new CausewayError("COAP_CLOSED", "the server is none of the client's any more"));
    }
    for (const historian of historians) if (!this.#running.has(historian.shortServerId)) this.#start(historian);
  }

  #start(historian: Historian): void {
    const { outbox } = this.#context;
    const running = new AbortController();
    this.#running.set(historian.shortServerId, running);
    const target = targetOf(historian, this.#context, (signal) => abortable(this.#wake.next, signal));
    this.#scope.spawn(async (signal) => {
      signal.throwIfAborted();
      // One signal instead of `AbortSignal.any`, which costs 1 kB for each of hundreds of servers.
      const stop = (): void => running.abort(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      try {
        await drain(outbox, target, this.#context, running.signal);
      } catch (error) {
        if (!running.signal.aborted) throw error;
      } finally {
        signal.removeEventListener("abort", stop);
      }
    });
  }

  /** Each acknowledgement is news; one look at the queue for many of them is enough. */
  #wakeSoon(): void {
    this.#timer ??= this.#context.clock.schedule(WAKE_AFTER_MS, () => {
      this.#timer = undefined;
      this.#wake.fire();
    });
  }
}

/** A promise that is renewed each time it fires. */
class Signal {
  #fire: () => void = () => undefined;
  next: Promise<void>;

  constructor() {
    this.next = this.#renew();
  }

  fire(): void {
    const fire = this.#fire;
    this.next = this.#renew();
    fire();
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      this.#fire = resolve;
    });
  }
}
