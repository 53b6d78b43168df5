import type { Timer } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Scope } from "./base/scope.js";
import { type Historian, type HistoryContext, targetOf } from "./history.js";
import { Drain, type DrainContext } from "./outbox/drain.js";

const WAKE_AFTER_MS = 100;

export type EndpointDrainsContext = HistoryContext & DrainContext;

/**
 * One drain for each server of an endpoint that wants history; they wake at commits of the endpoint's samples and at
 * news of its registrations.
 */
export class EndpointDrains {
  readonly #context: EndpointDrainsContext;
  readonly #scope: Scope;
  /** By Short Server ID. */
  readonly #drains = new Map<number, ServerDrain>();
  #timer: Timer | undefined;

  constructor(context: EndpointDrainsContext, scope: Scope) {
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
    for (const [shortServerId, drain] of this.#drains) {
      if (historians.some((one) => one.shortServerId === shortServerId)) continue;
      this.#drains.delete(shortServerId);
      drain.stop();
    }
    for (const historian of historians) {
      if (this.#drains.has(historian.shortServerId)) continue;
      const drain = new Drain(this.#context.outbox, targetOf(historian, this.#context), this.#context);
      this.#drains.set(historian.shortServerId, new ServerDrain(drain, this.#scope));
    }
    this.#wakeSoon();
  }

  /** Each acknowledgement is news; one look at the queue for many of them is enough. */
  #wakeSoon(): void {
    this.#timer ??= this.#context.clock.schedule(WAKE_AFTER_MS, () => {
      this.#timer = undefined;
      for (const drain of this.#drains.values()) drain.wake();
    });
  }
}

/** The drain of one server, which runs while there is something for it to do: in between it costs hardly any memory. */
class ServerDrain {
  readonly #drain: Drain;
  readonly #scope: Scope;
  /** How often it was woken. */
  #news = 0;
  #running: AbortController | undefined;

  constructor(drain: Drain, scope: Scope) {
    this.#drain = drain;
    this.#scope = scope;
  }

  wake(): void {
    this.#news++;
    if (this.#running === undefined) this.#scope.spawn((signal) => this.#run(signal));
  }

  stop(): void {
    this.#running?.abort(new CausewayError("COAP_CLOSED", "the server is none of the client's any more"));
  }

  async #run(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const running = new AbortController();
    // `AbortSignal.any` would stay with the scope's signal.
    const stop = (): void => running.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    this.#running = running;
    try {
      await this.#runUntilNoNews(running.signal);
    } catch (error) {
      if (!running.signal.aborted) throw error;
    } finally {
      this.#running = undefined;
      signal.removeEventListener("abort", stop);
    }
  }

  /** What was news while it ran may let more go. */
  async #runUntilNoNews(signal: AbortSignal): Promise<void> {
    for (let seen = -1; seen !== this.#news && !signal.aborted; ) {
      seen = this.#news;
      await this.#drain.run(signal);
    }
  }
}
