import type { Clock, Timer } from "../base/clock.js";
import { firstTransmission, nextTransmission, type Transmission } from "./exchange.js";
import type { CoapParameters } from "./parameters.js";

/** How a confirmable message ended. `overflow`: the queue was full, it was never sent. */
export type Outcome = "acknowledged" | "reset" | "timeout" | "unreachable" | "closed" | "overflow";

export type Settle = (outcome: Outcome) => void;

interface Confirmable {
  readonly messageId: number;
  readonly datagram: Uint8Array;
  readonly settle: Settle;
  readonly order: "queued" | "at-once";
  /** What was sent last and, monotonic, when the wait that follows it ends; not yet for what is queued. */
  transmission: Transmission | undefined;
  dueMs: number;
}

export interface ConfirmablesContext {
  readonly send: (datagram: Uint8Array) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly parameters: CoapParameters;
}

/** Our own confirmable messages: retransmission, NSTART (RFC 7252 §4.2, §4.7). Settles each exactly once. */
export class Confirmables {
  readonly #context: ConfirmablesContext;
  readonly #inFlight = new Map<number, Confirmable>();
  readonly #queue: Confirmable[] = [];
  #queuedInFlight = 0;
  /** One for all: nearly every message is acknowledged before it is due, and a timer each would cost more than it does. */
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(context: ConfirmablesContext) {
    this.#context = context;
  }

  has(messageId: number): boolean {
    return this.#inFlight.has(messageId);
  }

  /** For requests and notifications: waits while NSTART others do. */
  enqueue(messageId: number, datagram: Uint8Array, settle: Settle): void {
    const { nstart, queueLimit } = this.#context.parameters;
    const confirmable = waiting(messageId, datagram, settle, "queued");
    if (this.#queuedInFlight < nstart) this.#start(confirmable);
    else if (this.#queue.length < queueLimit) this.#queue.push(confirmable);
    else settle("overflow");
  }

  /** For separate responses: the peer's own NSTART limits them, and behind our requests they would come too late. */
  sendAtOnce(messageId: number, datagram: Uint8Array, settle: Settle): void {
    this.#start(waiting(messageId, datagram, settle, "at-once"));
  }

  /** The peer's ACK or RST for one of ours; false when it is for none. */
  settle(messageId: number, outcome: "acknowledged" | "reset"): boolean {
    return this.#finish(messageId, outcome);
  }

  /** Forgets the message, queued or on its way, without settling it. */
  cancel(messageId: number): void {
    const queuedAt = this.#queue.findIndex((confirmable) => confirmable.messageId === messageId);
    if (queuedAt >= 0) this.#queue.splice(queuedAt, 1);
    else this.#finish(messageId, undefined);
  }

  /** Ends those that wait for an acknowledgement, and those queued behind them. */
  failAll(outcome: "unreachable" | "closed"): void {
    const queued = this.#queue.splice(0);
    for (const { messageId } of [...this.#inFlight.values()]) this.#finish(messageId, outcome);
    for (const { settle } of queued) settle(outcome);
  }

  #start(confirmable: Confirmable): void {
    if (confirmable.order === "queued") this.#queuedInFlight++;
    this.#inFlight.set(confirmable.messageId, confirmable);
    this.#transmit(confirmable, firstTransmission(this.#context.parameters, this.#context.random));
  }

  #transmit(confirmable: Confirmable, transmission: Transmission): void {
    confirmable.transmission = transmission;
    confirmable.dueMs = this.#context.clock.monotonicMs() + transmission.timeoutMs;
    this.#arm(confirmable.dueMs);
    this.#context.send(confirmable.datagram);
  }

  /** A timer that fires early enough is left alone. */
  #arm(dueMs: number): void {
    if (this.#timer !== undefined && this.#timer.atMs <= dueMs) return;
    this.#timer?.timer.cancel();
    const { clock } = this.#context;
    const timer = clock.schedule(dueMs - clock.monotonicMs(), () => this.#onTimer());
    this.#timer = { atMs: dueMs, timer };
  }

  #onTimer(): void {
    this.#timer = undefined;
    const nowMs = this.#context.clock.monotonicMs();
    for (const confirmable of [...this.#inFlight.values()]) if (confirmable.dueMs <= nowMs) this.#onDue(confirmable);
    const earliestMs = Math.min(...[...this.#inFlight.values()].map(({ dueMs }) => dueMs));
    if (this.#inFlight.size > 0) this.#arm(earliestMs);
  }

  #onDue(confirmable: Confirmable): void {
    // Those before it may have ended it.
    if (this.#inFlight.get(confirmable.messageId) !== confirmable || confirmable.transmission === undefined) return;
    const next = nextTransmission(confirmable.transmission, this.#context.parameters);
    if (next === undefined) this.#finish(confirmable.messageId, "timeout");
    else this.#transmit(confirmable, next);
  }

  #finish(messageId: number, outcome: Outcome | undefined): boolean {
    const confirmable = this.#inFlight.get(messageId);
    if (confirmable === undefined) return false;
    this.#inFlight.delete(messageId);
    if (confirmable.order === "queued") this.#queuedInFlight--;
    if (outcome !== undefined) confirmable.settle(outcome);
    const next = this.#queuedInFlight < this.#context.parameters.nstart ? this.#queue.shift() : undefined;
    if (next !== undefined) this.#start(next);
    if (this.#inFlight.size === 0) {
      this.#timer?.timer.cancel();
      this.#timer = undefined;
    }
    return true;
  }
}

function waiting(messageId: number, datagram: Uint8Array, settle: Settle, order: Confirmable["order"]): Confirmable {
  return { messageId, datagram, settle, order, transmission: undefined, dueMs: Number.POSITIVE_INFINITY };
}
