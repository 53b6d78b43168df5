import { NO_BYTES } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import { Code } from "../coap/code.js";
import type { CoapResponse, DeliveryResult, IncomingRequest, Notification } from "../coap/request.js";
import { type AttributeStore, type Attributes, checkConsistent } from "./attributes.js";
import type { Codec } from "./codec/codec.js";
import { contentResponse, errorResponse } from "./content.js";
import { decide, deliveryOf, isTriggered, pmaxEndMs } from "./observation.js";
import { keyOf, type Observation, overtake, remember, stamped, type Telling, tellingOf, told } from "./observed.js";
import { type ReadResult, read, readableType } from "./operations.js";
import type { Path } from "./path.js";
import { PathIndex } from "./path-index.js";
import type { ObjectTree, TreeChange } from "./tree.js";
import type { Sample } from "./value.js";

/** What holds where no attribute says otherwise: /1/x/2, /1/x/3, /1/x/26. */
export interface ObservationDefaults {
  readonly pmin?: number;
  readonly pmax?: number;
  readonly delivery: "CON" | "NON";
}

export interface ObserverOptions {
  readonly tree: ObjectTree;
  readonly clock: Clock;
  readonly attributes: AttributeStore;
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
}

const MAX_OBSERVATIONS = 20_000;
/** What waits for its turn waits here, where a newer value takes the place of an older one, not in the endpoint. */
const MAX_IN_FLIGHT = 16;
const NOT_FOUND: CoapResponse = { code: Code.NotFound, payload: NO_BYTES };

/**
 * The observations of one server: what changes in the tree reaches it as the attributes ask (RFC 7641, OMA LwM2M Core
 * 1.2 §6.4). What changes in one go makes one notification.
 */
export class Observer implements Disposable {
  readonly #options: ObserverOptions;
  readonly #index = new PathIndex<Observation>();
  readonly #byToken = new Map<string, Observation>();
  /** Those that have something to say, in order. */
  readonly #due = new Set<Observation>();
  readonly #listening: Disposable;
  #flushing: "idle" | "scheduled" = "idle";
  #inFlight = 0;
  #sequence = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#listening = options.tree.listen((change) => this.#onChange(change));
  }

  get size(): number {
    return this.#byToken.size;
  }

  /**
   * Begins an observation, or begins it anew when the token is known, and gives the first notification. `initial` is
   * what the path holds now. Throws LWM2M_BAD_REQUEST when inherited attributes contradict each other.
   */
  observe(
    request: IncomingRequest,
    path: Path,
    codec: Codec,
    initial: ReadResult,
    own: Attributes | undefined,
  ): CoapResponse {
    const { clock } = this.#options;
    const tokenKey = keyOfToken(request.token);
    const attributes = this.#attributesFor(path, own);
    checkConsistent(attributes);
    this.#drop(tokenKey);
    const response = contentResponse(codec, initial.entries, path, clock.nowMs());
    if (this.#byToken.size >= MAX_OBSERVATIONS) return response;
    const { token, payload: _, ...rest } = request;
    const nowMs = clock.monotonicMs();
    const observation: Observation = {
      path,
      token,
      tokenKey,
      request: { ...rest, payload: NO_BYTES },
      codec,
      own,
      sinceMs: clock.nowMs(),
      attributes,
      delivery: this.#deliveryFor(path, attributes),
      sent: new Map(),
      sentMs: nowMs,
      lastConMs: nowMs,
      pending: undefined,
      isInFlight: false,
      underwaySinceMs: undefined,
      overtaken: undefined,
      ending: undefined,
      dueMs: undefined,
      timer: undefined,
    };
    remember(observation, initial);
    this.#byToken.set(tokenKey, observation);
    this.#index.add(path, observation);
    this.#arm(observation, pmaxEndMs(attributes, nowMs));
    this.#options.onChange();
    return { ...response, observe: this.#nextSequence() };
  }

  cancel(token: Uint8Array): void {
    if (this.#drop(keyOfToken(token))) this.#options.onChange();
  }

  /** A Reset was the answer to a notification (RFC 7641 §3.6). */
  reject(token: Uint8Array): void {
    const observation = this.#byToken.get(keyOfToken(token));
    if (observation === undefined) return;
    this.cancel(token);
    this.#options.onRejected(observation.underwaySinceMs ?? this.#options.clock.nowMs());
  }

  /** What notifications did about a measurement; of several observations the one that did most counts. */
  telling(path: Path, atMs: number): Telling {
    let best: Telling = "unobserved";
    this.#index.upwards(path, (observation) => {
      const telling = tellingOf(observation, atMs);
      if (TELLINGS.indexOf(telling) > TELLINGS.indexOf(best)) best = telling;
    });
    return best;
  }

  /** Attributes within the path, or the server's defaults (`[]`), are others now. */
  attributesChanged(path: Path): void {
    for (const observation of this.#index.within(path)) {
      observation.attributes = this.#attributesFor(observation.path, observation.own);
      observation.delivery = this.#deliveryFor(observation.path, observation.attributes);
      this.#reconsider(observation);
    }
  }

  /** A Register or De-register makes all observations void (OMA LwM2M Core 1.2 §6.4.1). */
  clear(): void {
    if (this.#byToken.size === 0) return;
    for (const observation of this.#byToken.values()) observation.timer?.timer.cancel();
    this.#byToken.clear();
    this.#index.clear();
    this.#due.clear();
    this.#options.onChange();
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.clear();
  }

  #onChange(change: TreeChange): void {
    if (change.kind === "instance-removed") this.#options.attributes.removeWithin(change.path);
    if (this.#byToken.size === 0) return;
    if (change.kind === "value") this.#onSample(change.path, change.sample);
    else this.#onStructure(change.path, change.kind);
  }

  #onSample(path: Path, sample: Sample): void {
    const [objectId = -1, instanceId = -1, resourceId = -1] = path;
    this.#index.upwards(path, (observation) => {
      if (observation.path.length < 3) {
        const model = this.#options.tree.resource(objectId, instanceId, resourceId)?.model;
        if (model === undefined || readableType(model) === undefined) return;
      }
      const { attributes, sentMs } = observation;
      const lastSent = { value: observation.sent.get(keyOf(path)), atMs: sentMs };
      if (observation.isInFlight || observation.pending !== undefined) {
        if (observation.pending === "structure" || !isTriggered(attributes, lastSent.value, sample.value)) return;
        if (isWithinPmin(observation, this.#options.clock.monotonicMs())) observation.pending = sample;
        else overtake(observation, sample);
        return;
      }
      const decision = decide(attributes, lastSent, sample.value, this.#options.clock.monotonicMs());
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

  #onStructure(path: Path, kind: "instance-added" | "instance-removed"): void {
    if (kind === "instance-removed") {
      for (const observation of this.#index.within(path)) this.#end(observation, NOT_FOUND);
    }
    this.#index.upwards(path, (observation) => {
      observation.pending = "structure";
      this.#reconsider(observation);
    });
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

  // What a poll or a write changes arrives value by value; the microtask comes after the last of them.
  #enqueue(observation: Observation): void {
    this.#due.add(observation);
    observation.underwaySinceMs ??= this.#changedAtMs(observation);
    if (this.#flushing === "scheduled") return;
    this.#flushing = "scheduled";
    queueMicrotask(() => {
      this.#flushing = "idle";
      this.#flush();
    });
  }

  #flush(): void {
    for (const observation of this.#due) {
      if (this.#inFlight >= MAX_IN_FLIGHT) return;
      this.#due.delete(observation);
      if (observation.ending !== undefined) this.#sendEnding(observation, observation.ending);
      else if (this.#isAlive(observation) && !observation.isInFlight) this.#send(observation);
    }
  }

  #send(observation: Observation): void {
    const { clock, tree } = this.#options;
    const nowMs = clock.monotonicMs();
    const wallMs = clock.nowMs();
    const wanted = this.#options.isProofDue?.() === true ? "CON" : observation.delivery;
    const delivery = deliveryOf(wanted, observation.lastConMs, nowMs);
    let content: CoapResponse;
    try {
      const result = told(observation, read(tree, observation.path, wallMs));
      const entries = stamped(result, wallMs, delivery);
      const times = delivery === "CON" ? "all" : "historical";
      content = contentResponse(observation.codec, entries, observation.path, wallMs, times);
      remember(observation, result);
    } catch (error) {
      const cause = error instanceof CausewayError ? error : new CausewayError("INTERNAL", String(error));
      this.#end(observation, errorResponse(cause));
      return;
    }
    if (delivery === "CON") observation.lastConMs = nowMs;
    observation.sentMs = nowMs;
    observation.isInFlight = true;
    this.#arm(observation, undefined);
    const { token, request } = observation;
    const response = { ...content, observe: this.#nextSequence() };
    void this.#deliver({ token, request, response, delivery }).then((result) => {
      observation.isInFlight = false;
      if (result === "acknowledged") this.#options.onAcknowledged(wallMs);
      if (!this.#isAlive(observation)) return;
      if (result === "reset") this.reject(token);
      else if (result === "timeout") this.#options.onLost();
      else this.#afterDelivery(observation);
    });
  }

  #changedAtMs({ pending }: Observation): number {
    return pending === undefined || pending === "structure" ? this.#options.clock.nowMs() : pending.atMs;
  }

  // What the server was told of a value that has gone on since must be made up for.
  #afterDelivery(observation: Observation): void {
    observation.underwaySinceMs = undefined;
    const [objectId = -1, instanceId = -1, resourceId = -1, resourceInstanceId = 0] = observation.path;
    if (observation.pending === undefined) {
      const resource = this.#options.tree.resource(objectId, instanceId, resourceId);
      const current = resource?.samples.get(resourceInstanceId);
      const before = observation.sent.get(keyOf(observation.path));
      if (current !== undefined && isTriggered(observation.attributes, before, current.value)) {
        observation.pending = current;
      }
    }
    this.#reconsider(observation);
  }

  async #deliver(notification: Notification): Promise<DeliveryResult> {
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

  /** Removes an observation whose target cannot be read any more; the server is told so (RFC 7641 §4.2). */
  #end(observation: Observation, response: CoapResponse): void {
    this.#drop(observation.tokenKey);
    observation.ending = response;
    this.#enqueue(observation);
    this.#options.onChange();
  }

  #sendEnding({ token, request }: Observation, response: CoapResponse): void {
    void this.#deliver({ token, request, response, delivery: "CON" }).then((result) => {
      if (result === "timeout") this.#options.onLost();
    });
  }

  #drop(tokenKey: string): boolean {
    const observation = this.#byToken.get(tokenKey);
    if (observation === undefined) return false;
    observation.timer?.timer.cancel();
    this.#byToken.delete(tokenKey);
    this.#index.remove(observation.path, observation);
    return true;
  }

  #isAlive(observation: Observation): boolean {
    return this.#byToken.get(observation.tokenKey) === observation;
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

  #attributesFor(path: Path, own: Attributes | undefined): Attributes {
    const { pmin, pmax } = this.#options.defaults();
    const base: Attributes = { ...(pmin === undefined ? {} : { pmin }), ...(pmax === undefined ? {} : { pmax }) };
    return { ...base, ...(own ?? this.#options.attributes.effective(path)) };
  }

  #deliveryFor(path: Path, attributes: Attributes): "CON" | "NON" {
    if (attributes.con === 1 || this.#options.attributes.wantsConBelow(path)) return "CON";
    return attributes.con === 0 ? "NON" : this.#options.defaults().delivery;
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xff_ffff;
    return this.#sequence;
  }
}

/** From the least that can be said to the most. */
const TELLINGS: readonly Telling[] = ["unobserved", "overtaken", "underway", "told"];

function isWithinPmin({ sentMs, attributes }: Observation, nowMs: number): boolean {
  return nowMs < sentMs + (attributes.pmin ?? 0) * 1000;
}

function keyOfToken(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString("latin1");
}
