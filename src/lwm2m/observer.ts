import { NO_BYTES } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import { Code } from "../coap/code.js";
import type { CoapRequest, CoapResponse, DeliveryResult, IncomingRequest, Notification } from "../coap/request.js";
import { checkConsistent } from "./attributes.js";
import { readComposite } from "./composite.js";
import { contentResponse, errorResponse } from "./content.js";
import { remember, stamped, told } from "./notification-content.js";
import { NotificationQueue } from "./notification-queue.js";
import { decisionReason, endedReason, heldReason, sentReason } from "./notification-why.js";
import { decide, deliveryOf, isTriggered, pmaxEndMs } from "./observation.js";
import { ObservationTable } from "./observation-table.js";
import { type ObservationDefaults, type ObservationTerms, termsOf } from "./observation-terms.js";
import {
  acknowledge,
  beginObservation,
  doubt,
  isWithinPmin,
  keyOf,
  type Observable,
  type Observation,
  overtake,
  TELLINGS,
  type Telling,
  tellingOf,
} from "./observed.js";
import { type ReadResult, readableType } from "./operations.js";
import type { Path } from "./path.js";
import type { TreeChange } from "./tree.js";
import type { Sample } from "./value.js";
import { mayRead, readView, type TreeView } from "./views.js";
import type { Explainer } from "./why.js";

export interface ObserverOptions {
  /** The client's own tree; others are watched as they come. */
  readonly own: TreeView;
  readonly clock: Clock;
  defaults(): ObservationDefaults;
  notify(notification: Notification): Promise<DeliveryResult>;
  /** The server has acknowledged what was sent at this wall clock time. */
  onAcknowledged(sentAtMs: number): void;
  /** Nothing has proven for too long that the server lives: the next notification is to be confirmed. */
  isProofDue?(): boolean;
  /** The server did not acknowledge a notification in time. */
  onLost(): void;
  /**
   * The server rejected a notification: it has cancelled the observation, or forgotten all of them. What was measured
   * since then (wall clock) was not taken.
   */
  onRejected(sinceMs: number): void;
  /** An observation began or ended. */
  onChange(): void;
  /** Hears of each decision, and why. */
  readonly explainer?: Explainer | undefined;
}

/** What is still to be said of an observation that is over. */
interface Ending {
  readonly token: Uint8Array;
  readonly request: CoapRequest;
  readonly ending: CoapResponse;
}

const NOT_FOUND: CoapResponse = { code: Code.NotFound, payload: NO_BYTES };

/**
 * The observations of one server: what changes in the tree reaches it as the attributes ask (RFC 7641, OMA LwM2M Core
 * 1.2 §6.4). What changes in one go makes one notification.
 */
export class Observer implements Disposable {
  readonly #options: ObserverOptions;
  readonly #table = new ObservationTable();
  readonly #queue: NotificationQueue<Observation | Ending>;
  #sequence = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#queue = new NotificationQueue({
      send: (due) => this.#takeTurn(due),
      notify: (notification) => options.notify(notification),
    });
    this.watch(options.own);
  }

  /** What changes in the tree reaches the server from now on, if it is observed. */
  watch(view: TreeView): void {
    this.#table.watch(view, (change) => this.#onChange(view, change));
  }

  /** The device behind the prefix is gone: what was observed there ends (OMA LwM2M Gateway 1.1.1). */
  unwatch(view: TreeView): void {
    this.#onStructure(view, [], "instance-removed");
    this.#table.unwatch(view);
  }

  get size(): number {
    return this.#table.size;
  }

  /**
   * Nothing is sent until `resume`; what changes meanwhile is kept as far as it would be told then. `doubtSinceMs`: what
   * the server was told of measurements since then (wall clock) may not have arrived, because the server was lost.
   */
  pause(doubtSinceMs?: number): void {
    this.#queue.pause();
    if (doubtSinceMs === undefined) return;
    for (const observation of this.#table.all) doubt(observation, doubtSinceMs);
  }

  resume(): void {
    for (const observation of this.#table.all) this.#reconsider(observation);
    this.#queue.resume();
  }

  /**
   * Begins an observation, or begins it anew when the token is known, and gives the first notification. `initial` is
   * what the paths hold now. Throws LWM2M_BAD_REQUEST when inherited attributes contradict each other.
   */
  observe(request: IncomingRequest, observable: Observable, initial: ReadResult): CoapResponse {
    const { clock } = this.#options;
    const tokenKey = keyOfToken(request.token);
    const terms = this.#termsOf(observable);
    for (const attributes of terms.each) checkConsistent(attributes);
    this.#drop(tokenKey);
    const { target, paths, codec } = observable;
    const response = contentResponse(codec, initial.entries, target, clock.nowMs());
    if (!this.#table.hasRoomFor(paths.length)) return response;
    const nowMs = clock.monotonicMs();
    const observation = beginObservation(observable, request, tokenKey, terms, nowMs, clock.nowMs());
    remember(observation, initial);
    this.#table.add(observation);
    this.#arm(observation, pmaxEndMs(observation.attributes, nowMs));
    this.#options.onChange();
    return { ...response, observe: this.#nextSequence() };
  }

  cancel(token: Uint8Array): void {
    if (this.#drop(keyOfToken(token))) this.#options.onChange();
  }

  /** A Reset was the answer to a notification (RFC 7641 §3.6). */
  reject(token: Uint8Array): void {
    const observation = this.#table.get(keyOfToken(token));
    if (observation === undefined) return;
    this.cancel(token);
    this.#options.onRejected(observation.underwaySinceMs ?? this.#options.clock.nowMs());
  }

  /** What notifications did about a measurement; of several observations the one that did most counts. */
  telling(view: TreeView, path: Path, atMs: number): Telling {
    let best: Telling = "unobserved";
    this.#table.upwards(view, path, ({ observation }) => {
      const telling = tellingOf(observation, atMs);
      if (TELLINGS.indexOf(telling) > TELLINGS.indexOf(best)) best = telling;
    });
    return best;
  }

  /** Attributes of the path, or the server's defaults (`[]`), are others now. */
  attributesChanged(view: TreeView, path: Path): void {
    const concerned = new Set(this.#table.within(view, path).map((part) => part.observation));
    // Below what is observed, con still counts.
    this.#table.upwards(view, path, ({ observation }) => concerned.add(observation));
    for (const observation of concerned) {
      this.#govern(observation, this.#termsOf(observation));
      this.#reconsider(observation);
    }
  }

  /** A Register or De-register makes all observations void (OMA LwM2M Core 1.2 §6.4.1). */
  clear(): void {
    this.#queue.clear();
    if (this.#table.size === 0) return;
    for (const observation of this.#table.all) observation.timer?.timer.cancel();
    this.#table.clear();
    this.#options.onChange();
  }

  [Symbol.dispose](): void {
    this.clear();
    this.#table[Symbol.dispose]();
  }

  #onChange(view: TreeView, change: TreeChange): void {
    if (change.kind === "instance-removed") view.attributes.removeWithin(change.path);
    if (this.#table.size === 0) return;
    if (change.kind === "value") this.#onSample(view, change.path, change.sample);
    else this.#onStructure(view, change.path, change.kind);
  }

  #onSample(view: TreeView, path: Path, sample: Sample): void {
    const { tree, prefix } = view;
    const [objectId = -1, instanceId = -1, resourceId = -1] = path;
    this.#table.upwards(view, path, (part) => {
      const { observation, attributes } = part;
      if (observation.target.length === 1 && !mayRead(view, path)) return;
      if (observation.target.length < 3) {
        const model = tree.resource(objectId, instanceId, resourceId)?.model;
        if (model === undefined || readableType(model) === undefined) return;
      }
      const lastSent = { value: observation.sent.get(keyOf(observation, path, prefix)), atMs: observation.sentMs };
      const nowMs = this.#options.clock.monotonicMs();
      if (observation.isInFlight || observation.pending !== undefined) {
        this.#note?.(heldReason({ part, view, path, value: sample.value, nowMs }, this.#queue.state));
        if (!isTriggered(attributes, lastSent.value, sample.value)) return;
        if (isWithinPmin(observation, nowMs)) observation.pending = sample;
        else overtake(observation, sample, this.#queue.state);
        return;
      }
      const decision = decide(attributes, lastSent, sample.value, nowMs);
      this.#note?.(decisionReason({ part, view, path, value: sample.value, nowMs }, decision, this.#queue.state));
      if (decision.send === "no") return;
      if (decision.send === "now") {
        observation.pending = sample;
        this.#enqueue(observation);
      } else if (decision.because === "change") {
        observation.pending = sample;
        this.#arm(observation, decision.ms);
      }
    });
  }

  #onStructure(view: TreeView, path: Path, kind: "instance-added" | "instance-removed"): void {
    const changed = new Set<Observation>();
    for (const { observation } of this.#table.within(view, path)) {
      // What an Observe-Composite names may come and go.
      if (observation.target.length === 0) changed.add(observation);
      else if (kind === "instance-removed") this.#end(observation, NOT_FOUND);
    }
    this.#table.upwards(view, path, ({ observation }) => changed.add(observation));
    for (const observation of changed) {
      observation.pending = "everything";
      this.#reconsider(observation);
    }
  }

  /** Sends, or waits for the next time at which something is due. */
  #reconsider(observation: Observation): void {
    if (observation.isInFlight) return;
    const { attributes, pending, sentMs } = observation;
    const pminEndMs = sentMs + (attributes.pmin ?? 0) * 1000;
    const dueMs = pending === undefined ? pmaxEndMs(attributes, sentMs) : pminEndMs;
    if (dueMs !== undefined && dueMs <= this.#options.clock.monotonicMs()) this.#enqueue(observation);
    else this.#arm(observation, dueMs);
  }

  #enqueue(observation: Observation): void {
    observation.underwaySinceMs ??= this.#changedAtMs(observation);
    this.#queue.add(observation);
  }

  #takeTurn(due: Observation | Ending): void {
    if ("ending" in due) this.#sendEnding(due);
    else if (this.#table.has(due) && !due.isInFlight) this.#send(due);
  }

  #send(observation: Observation): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const wallMs = clock.nowMs();
    const wanted = this.#options.isProofDue?.() === true ? "CON" : observation.delivery;
    const delivery = deliveryOf(wanted, observation.lastConMs, nowMs);
    this.#note?.(sentReason(observation, delivery));
    let content: CoapResponse;
    try {
      const result = told(observation, this.#read(observation, wallMs));
      const entries = stamped(result, wallMs, delivery);
      const times = delivery === "CON" ? "all" : "historical";
      content = contentResponse(observation.codec, entries, observation.target, wallMs, times);
      remember(observation, result);
    } catch (error) {
      const cause = error instanceof CausewayError ? error : new CausewayError("INTERNAL", String(error));
      this.#end(observation, errorResponse(cause));
      return;
    }
    if (delivery === "CON") observation.lastConMs = nowMs;
    const { toldMs } = observation;
    observation.sentMs = nowMs;
    observation.isInFlight = true;
    this.#arm(observation, undefined);
    const { token, request } = observation;
    const response = { ...content, observe: this.#nextSequence() };
    void this.#queue.deliver({ token, request, response, delivery }).then((result) => {
      observation.isInFlight = false;
      if (result === "acknowledged") this.#options.onAcknowledged(wallMs);
      if (!this.#table.has(observation)) return;
      if (result === "reset") this.reject(token);
      else if (result === "timeout") this.#onLost(observation);
      else this.#afterDelivery(observation, toldMs);
    });
  }

  /** It goes on when the server is back: what it was told counts as not told. */
  #onLost(observation: Observation): void {
    doubt(observation, observation.underwaySinceMs ?? observation.toldMs);
    observation.pending ??= "everything";
    if (this.#queue.state === "running") this.#options.onLost();
  }

  #read({ view, target, paths }: Observation, wallMs: number): ReadResult {
    return target.length === 0 ? readComposite(paths, wallMs) : readView(view, target, wallMs);
  }

  #changedAtMs({ pending }: Observation): number {
    return pending === undefined || pending === "everything" ? this.#options.clock.nowMs() : pending.atMs;
  }

  // What the server was told of a value that has gone on since must be made up for.
  #afterDelivery(observation: Observation, toldMs: number): void {
    acknowledge(observation, toldMs);
    const [objectId = -1, instanceId = -1, resourceId = -1, resourceInstanceId = 0] = observation.target;
    if (observation.pending === undefined) {
      const resource = observation.view.tree.resource(objectId, instanceId, resourceId);
      const current = resource?.samples.get(resourceInstanceId);
      const before = observation.sent.get(keyOf(observation, observation.target, observation.view.prefix));
      if (current !== undefined && isTriggered(observation.attributes, before, current.value)) {
        observation.pending = current;
      }
    }
    this.#reconsider(observation);
  }

  /** Removes an observation whose target cannot be read any more; the server is told so (RFC 7641 §4.2). */
  #end(observation: Observation, ending: CoapResponse): void {
    this.#note?.(endedReason(observation));
    this.#drop(observation.tokenKey);
    this.#queue.add({ token: observation.token, request: observation.request, ending });
    this.#options.onChange();
  }

  #sendEnding({ token, request, ending: response }: Ending): void {
    void this.#queue.deliver({ token, request, response, delivery: "CON" }).then((result) => {
      if (result === "timeout" && this.#queue.state === "running") this.#options.onLost();
    });
  }

  /** Undefined while nobody listens. */
  get #note(): Explainer["note"] {
    return this.#options.explainer?.note;
  }

  #drop(tokenKey: string): boolean {
    const observation = this.#table.remove(tokenKey);
    observation?.timer?.timer.cancel();
    return observation !== undefined;
  }

  /** One timer per observation; it is left alone when it fires early enough, since moving it at each notification costs. */
  #arm(observation: Observation, dueMs: number | undefined): void {
    observation.dueMs = dueMs;
    if (dueMs === undefined || (observation.timer !== undefined && observation.timer.atMs <= dueMs)) return;
    observation.timer?.timer.cancel();
    const { clock } = this.#options;
    const timer = clock.schedule(dueMs - clock.monotonicMs(), () => {
      observation.timer = undefined;
      if (observation.dueMs === undefined) return;
      if (observation.dueMs > clock.monotonicMs()) this.#arm(observation, observation.dueMs);
      else this.#enqueue(observation);
    });
    observation.timer = { atMs: dueMs, timer };
  }

  #termsOf(observable: Observable): ObservationTerms {
    return termsOf(observable, this.#options.defaults());
  }

  #govern(observation: Observation, { each, whole, delivery }: ObservationTerms): void {
    observation.attributes = whole;
    observation.delivery = delivery;
    for (const [index, part] of observation.parts.entries()) part.attributes = each[index] ?? whole;
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xff_ffff;
    return this.#sequence;
  }
}

function keyOfToken(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString("latin1");
}
