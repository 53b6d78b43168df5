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
}

interface InFlight extends Confirmable {
  timer: Timer;
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
  readonly #inFlight = new Map<number, InFlight>();
  readonly #queue: Confirmable[] = [];
  #queuedInFlight = 0;

  constructor(context: ConfirmablesContext) {
    this.#context = context;
  }

  has(messageId: number): boolean {
    return this.#inFlight.has(messageId);
  }

  /** For requests and notifications: waits while NSTART others do. */
  enqueue(messageId: number, datagram: Uint8Array, settle: Settle): void {
    const { nstart, queueLimit } = this.#context.parameters;
    const confirmable: Confirmable = { messageId, datagram, settle, order: "queued" };
    if (this.#queuedInFlight < nstart) this.#start(confirmable);
    else if (this.#queue.length < queueLimit) this.#queue.push(confirmable);
    else settle("overflow");
  }

  /** For separate responses: the peer's own NSTART limits them, and behind our requests they would come too late. */
  sendAtOnce(messageId: number, datagram: Uint8Array, settle: Settle): void {
    this.#start({ messageId, datagram, settle, order: "at-once" });
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
    const first = firstTransmission(this.#context.parameters, this.#context.random);
    this.#inFlight.set(confirmable.messageId, { ...confirmable, timer: this.#wait(confirmable.messageId, first) });
    this.#context.send(confirmable.datagram);
  }

  #wait(messageId: number, transmission: Transmission): Timer {
    return this.#context.clock.schedule(transmission.timeoutMs, () => {
      const confirmable = this.#inFlight.get(messageId);
      if (confirmable === undefined) return;
      const next = nextTransmission(transmission, this.#context.parameters);
      if (next === undefined) {
        this.#finish(messageId, "timeout");
        return;
      }
      confirmable.timer = this.#wait(messageId, next);
      this.#context.send(confirmable.datagram);
    });
  }

  #finish(messageId: number, outcome: Outcome | undefined): boolean {
    const confirmable = this.#inFlight.get(messageId);
    if (confirmable === undefined) return false;
    this.#inFlight.delete(messageId);
    confirmable.timer.cancel();
    if (confirmable.order === "queued") this.#queuedInFlight--;
    if (outcome !== undefined) confirmable.settle(outcome);
    const next = this.#queuedInFlight < this.#context.parameters.nstart ? this.#queue.shift() : undefined;
    if (next !== undefined) this.#start(next);
    return true;
  }
}
