import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import type { CoapRequest, CoapResponse, DeliveryResult, Notification } from "../../coap/request.js";
import { readComposite } from "../operation/composite.js";
import { contentResponse, errorResponse } from "../operation/content.js";
import type { ReadResult } from "../operation/operations.js";
import { readSoFar } from "../views.js";
import type { Explainer } from "../why.js";
import { remember, stamped, told } from "./notification-content.js";
import { NotificationQueue } from "./notification-queue.js";
import { apartReason, sentReason } from "./notification-why.js";
import { deliveryOf } from "./observation.js";
import { ObserveSequence } from "./observe-sequence.js";
import { acknowledge, doubt, type Observation, tokenOf } from "./observed.js";

export interface NotifierOptions {
  readonly clock: Clock;
  notify(notification: Notification): Promise<DeliveryResult>;
  /** The server has acknowledged what was sent at this wall clock time. */
  onAcknowledged(sentAtMs: number): void;
  /** Nothing has proven for too long that the server lives: the next notification is to be confirmed. */
  isProofDue?(): boolean;
  /** The server did not acknowledge a notification in time. */
  onLost(): void;
  /** Kept over restarts; from 1 when absent. */
  readonly sequence?: ObserveSequence;
  /** Hears of each decision, and why. */
  readonly explainer?: Explainer | undefined;
}

/** What becomes of an observation that had its turn. */
export interface TurnListener {
  /** False when it has ended meanwhile. */
  isAlive(observation: Observation): boolean;
  onDelivered(observation: Observation): void;
  /** There is nothing to read yet. */
  onValueless(observation: Observation): void;
  /** The target cannot be read any more. */
  onUnreadable(observation: Observation, ending: CoapResponse): void;
  /** The server wants no more of it (RFC 7641 §3.6). */
  onReset(token: Uint8Array): void;
}

/** What is still to be said of an observation that is over (RFC 7641 §4.2). */
interface Ending {
  readonly token: Uint8Array;
  readonly request: CoapRequest;
  readonly ending: CoapResponse;
}

/** Makes notifications of observations whose turn it is, and sees them through. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #listener: TurnListener;
  readonly #sequence: ObserveSequence;
  readonly #queue: NotificationQueue<Observation | Ending>;

  constructor(options: NotifierOptions, listener: TurnListener) {
    this.#options = options;
    this.#listener = listener;
    this.#sequence = options.sequence ?? new ObserveSequence();
    this.#queue = new NotificationQueue({
      send: (due) => this.#takeTurn(due),
      notify: (notification) => options.notify(notification),
    });
  }

  get state(): "running" | "paused" {
    return this.#queue.state;
  }

  pause(): void {
    this.#queue.pause();
  }

  resume(): void {
    this.#queue.resume();
  }

  /** Forgets what waits for its turn. */
  clear(): void {
    this.#queue.clear();
  }

  close(): void {
    this.#sequence.close();
  }

  nextSequence(): number {
    return this.#sequence.next();
  }

  add(observation: Observation): void {
    const { pending } = observation;
    const isSample = pending !== undefined && pending !== "everything";
    observation.underwaySinceMs ??= isSample ? pending.atMs : this.#options.clock.nowMs();
    this.#queue.add(observation);
  }

  addEnding(ending: Ending): void {
    this.#queue.add(ending);
  }

  /** What was measured before; it does not count for the periods. */
  async tellStored(observation: Observation, content: CoapResponse): Promise<DeliveryResult> {
    if (this.#queue.state === "paused") return "timeout";
    const wallMs = this.#options.clock.nowMs();
    const { request } = observation;
    const token = tokenOf(observation);
    this.#options.explainer?.note?.(apartReason(observation, "stored"));
    observation.lastConMs = this.#options.clock.monotonicMs();
    const response = { ...content, observe: this.#sequence.next() };
    const result = await this.#queue.deliver({ token, request, response, delivery: "CON" });
    if (result === "acknowledged") this.#options.onAcknowledged(wallMs);
    else if (result === "reset") this.#listener.onReset(token);
    else this.#noteLoss();
    return result;
  }

  #takeTurn(due: Observation | Ending): void {
    if ("ending" in due) this.#sendEnding(due);
    else if (this.#listener.isAlive(due) && !due.isInFlight) this.#send(due);
  }

  #send(observation: Observation): void {
    const { clock, explainer } = this.#options;
    const nowMs = clock.monotonicMs();
    const wallMs = clock.nowMs();
    const wanted = this.#options.isProofDue?.() === true ? "CON" : observation.delivery;
    const delivery = deliveryOf(wanted, observation.lastConMs, nowMs);
    explainer?.note?.(sentReason(observation, wanted, delivery));
    const content = this.#contentOf(observation, delivery, wallMs);
    if (content === undefined) return;
    const { request, toldMs } = observation;
    const token = tokenOf(observation);
    if (delivery === "CON") observation.lastConMs = nowMs;
    observation.sentMs = nowMs;
    observation.isInFlight = true;
    const response = { ...content, observe: this.#sequence.next() };
    void this.#queue.deliver({ token, request, response, delivery }).then((result) => {
      observation.isInFlight = false;
      if (result === "acknowledged") this.#options.onAcknowledged(wallMs);
      if (!this.#listener.isAlive(observation)) return;
      if (result === "reset") this.#listener.onReset(token);
      else if (result === "timeout") this.#onLost(observation);
      else {
        acknowledge(observation, toldMs);
        this.#listener.onDelivered(observation);
      }
    });
  }

  /** Undefined when there is none. */
  #contentOf(observation: Observation, delivery: "CON" | "NON", wallMs: number): CoapResponse | undefined {
    const { codec, target } = observation;
    try {
      const current = readObserved(observation, wallMs);
      if (current.use === "value" && current.entries.length === 0) {
        this.#listener.onValueless(observation);
        return undefined;
      }
      const result = told(observation, current);
      const times = delivery === "CON" ? "all" : "historical";
      const content = contentResponse(codec, stamped(result, wallMs, delivery), target, wallMs, times);
      remember(observation, result);
      return content;
    } catch (error) {
      this.#listener.onUnreadable(observation, endingOf(error));
      return undefined;
    }
  }

  /** It goes on when the server is back: what it was told counts as not told. */
  #onLost(observation: Observation): void {
    doubt(observation, observation.underwaySinceMs ?? observation.toldMs);
    observation.pending ??= "everything";
    this.#noteLoss();
  }

  #noteLoss(): void {
    // A loss that is known is no news.
    if (this.#queue.state === "running") this.#options.onLost();
  }

  #sendEnding({ token, request, ending: response }: Ending): void {
    void this.#queue.deliver({ token, request, response, delivery: "CON" }).then((result) => {
      if (result === "timeout") this.#noteLoss();
    });
  }
}

function readObserved({ view, target, paths }: Observation, wallMs: number): ReadResult {
  return target.length === 0 ? readComposite(paths, wallMs) : readSoFar(view, target, wallMs);
}

/** The response that ends an observation because of the error. */
export function endingOf(error: unknown): CoapResponse {
  return errorResponse(error instanceof CausewayError ? error : new CausewayError("INTERNAL", String(error)));
}
