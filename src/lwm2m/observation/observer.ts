import { NO_BYTES } from "../../base/bytes.js";
import { Code } from "../../coap/code.js";
import type { CoapRequest, CoapResponse, IncomingRequest } from "../../coap/request.js";
import { contentResponse } from "../operation/content.js";
import { type ReadResult, readableType } from "../operation/operations.js";
import type { Path } from "../path.js";
import type { TreeChange } from "../tree.js";
import type { Sample } from "../value.js";
import { mayRead, type TreeView } from "../views.js";
import type { Explainer } from "../why.js";
import { checkConsistent } from "./attributes.js";
import { demandOf, type EvaluationDemand, isDemanding, jointDemand } from "./evaluation-demand.js";
import { type Evaluate, EvaluationPace } from "./evaluation-pace.js";
import type { ObservationShelf } from "./kept-observations.js";
import { remember } from "./notification-content.js";
import { apartReason, decisionReason, heldReason } from "./notification-why.js";
import { endingOf, Notifier, type NotifierOptions } from "./notifier.js";
import { decide, isOffEdge, isTriggered, pmaxEndMs } from "./observation.js";
import { ObservationTable } from "./observation-table.js";
import { type ObservationDefaults, type ObservationTerms, termsOf } from "./observation-terms.js";
import { ObservationTimers } from "./observation-timers.js";
import {
  beginObservation,
  beginTimes,
  type Change,
  doubt,
  isWithinPmin,
  keyOf,
  keyOfToken,
  type Observable,
  type Observation,
  type ObservedPath,
  overtake,
  TELLINGS,
  type Telling,
  tellingOf,
  tokenOf,
} from "./observed.js";
import { restoreObservation } from "./restored-observation.js";
import { StoredNotifications, type StoredNotificationsOptions } from "./stored-notifications.js";

export interface ObserverOptions extends NotifierOptions, StoredNotificationsOptions {
  /** The client's own tree; others are watched as they come. */
  readonly own: TreeView;
  defaults(): ObservationDefaults;
  /**
   * The server rejected a notification: it has cancelled the observation, or forgotten all of them. What was measured
   * since then (wall clock) was not taken.
   */
  onRejected(sinceMs: number): void;
  /** An observation began or ended. */
  onChange(): void;
  /** What `demandOf` says may be another now. */
  onDemand?(): void;
  /** Where observations outlive the process. */
  readonly shelf?: ObservationShelf;
}

const NOT_FOUND: CoapResponse = { code: Code.NotFound, payload: NO_BYTES };

/**
 * The observations of one server: what changes in the tree reaches it as the attributes ask (RFC 7641, OMA LwM2M Core
 * 1.2 §6.4). What changes in one go makes one notification.
 */
export class Observer implements Disposable {
  readonly #options: ObserverOptions;
  readonly #table = new ObservationTable();
  readonly #timers: ObservationTimers;
  readonly #notifier: Notifier;
  readonly #pace: EvaluationPace;
  readonly stored: StoredNotifications;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#notifier = new Notifier(options, {
      isAlive: (observation) => this.#table.has(observation),
      onDelivered: (observation) => this.#onDelivered(observation),
      onValueless: (observation) => this.#waitForValue(observation),
      onUnreadable: (observation, ending) => this.#end(observation, ending),
      onReset: (token) => this.reject(token),
    });
    this.stored = new StoredNotifications(this.#table, this.#notifier, options);
    const evaluate: Evaluate = (part, path, sample) => this.#evaluate(part, path, sample);
    this.#pace = new EvaluationPace(options.clock, evaluate, options.explainer);
    this.#timers = new ObservationTimers(options.clock, (observation) => this.#notifier.add(observation));
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
    this.#notifier.pause();
    if (doubtSinceMs === undefined) return;
    for (const observation of this.#table.all) doubt(observation, doubtSinceMs);
  }

  /** The wall clock was set back. */
  beginTimes(nowMs: number): void {
    for (const observation of this.#table.all) beginTimes(observation, nowMs);
  }

  resume(): void {
    for (const observation of this.#table.all) this.#reconsider(observation);
    this.#notifier.resume();
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
    const observation = beginObservation(observable, request, terms, nowMs, clock.nowMs());
    remember(observation, initial);
    this.#table.add(observation);
    this.#noteDemand(observation);
    this.#options.shelf?.keep(observation);
    this.#timers.arm(observation, pmaxEndMs(observation.attributes, nowMs));
    this.#options.onChange();
    return { ...response, observe: this.#notifier.nextSequence() };
  }

  /**
   * Goes on with what was kept, paused until `resume`; `prepare` gives what a request observes and what is there now. Of
   * what is gone the server is told that it ended.
   */
  restore(prepare: (request: CoapRequest) => readonly [Observable, ReadResult]): void {
    this.pause();
    for (const kept of this.#options.shelf?.kept ?? []) {
      try {
        const [observable, current] = prepare(kept.request);
        const terms = this.#termsOf(observable);
        const observation = restoreObservation(kept, observable, current, terms, this.#options.clock);
        this.#table.add(observation);
        this.#noteDemand(observation);
      } catch (error) {
        this.#options.shelf?.forget(kept.token);
        this.#notifier.addEnding({ token: kept.token, request: kept.request, ending: endingOf(error) });
      }
    }
    if (this.#table.size > 0) this.#options.onChange();
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
      const telling = tellingOf(observation, keyOf(observation, path, view.prefix), atMs);
      if (TELLINGS.indexOf(telling) > TELLINGS.indexOf(best)) best = telling;
    });
    return best;
  }

  /** How often the server wants the resource to be measured; undefined when it does not observe it. */
  demandOf(view: TreeView, path: Path): EvaluationDemand | undefined {
    const demands: EvaluationDemand[] = [];
    this.#table.upwards(view, path, ({ attributes }) => demands.push(demandOf(attributes)));
    return jointDemand(demands);
  }

  /** Attributes of the path, or the server's defaults (`[]`), are others now. */
  attributesChanged(view: TreeView, path: Path): void {
    const concerned = new Set(this.#table.within(view, path).map((part) => part.observation));
    // Below what is observed, con still counts.
    this.#table.upwards(view, path, ({ observation }) => concerned.add(observation));
    for (const observation of concerned) {
      this.#noteDemand(observation);
      this.#govern(observation, this.#termsOf(observation));
      this.#noteDemand(observation);
      this.#reconsider(observation);
    }
  }

  /** A Register or De-register makes all observations void (OMA LwM2M Core 1.2 §6.4.1). */
  clear(): void {
    this.#options.shelf?.clear();
    this.#forgetAll();
  }

  /** What is observed now is kept for `restore`, where there is a shelf. */
  [Symbol.dispose](): void {
    this.#options.shelf?.close();
    this.#notifier.close();
    this.#forgetAll();
    this.#table[Symbol.dispose]();
  }

  #forgetAll(): void {
    this.#notifier.clear();
    if (this.#table.size === 0) return;
    const ended = [...this.#table.all];
    this.#table.clear();
    for (const observation of ended) {
      this.#timers.cancel(observation);
      this.#noteDemand(observation);
    }
    this.#options.onChange();
  }

  #onChange(view: TreeView, change: TreeChange): void {
    if (change.kind === "instance-removed") view.attributes.removeWithin(change.path);
    if (this.#table.size === 0) return;
    if (change.kind === "value") this.#onSample(view, change.path, change.sample);
    else this.#onStructure(view, change.path, change.kind);
  }

  #onSample(view: TreeView, path: Path, sample: Sample): void {
    const [objectId = -1, instanceId = -1, resourceId = -1] = path;
    this.#table.upwards(view, path, (part) => {
      const { target } = part.observation;
      if (target.length === 1 && !mayRead(view, path)) return;
      if (target.length < 3) {
        const model = view.tree.resource(objectId, instanceId, resourceId)?.model;
        if (model === undefined || readableType(model) === undefined) return;
      }
      this.#pace.take(part, path, sample);
    });
  }

  #evaluate(part: ObservedPath, path: Path, sample: Sample): void {
    const { observation, attributes, view } = part;
    const key = keyOf(observation, path, view.prefix);
    const before = observation.sent.get(key);
    const nowMs = this.#options.clock.monotonicMs();
    if (isOffEdge(attributes, before, sample.value)) observation.sent.set(key, sample.value);
    if (observation.isInFlight || observation.pending !== undefined) {
      this.#note?.(heldReason({ part, view, path, value: sample.value, nowMs }, this.#notifier.state));
      if (!isTriggered(attributes, before, sample.value)) return;
      const change = changeOf(part, path, sample);
      if (isWithinPmin(observation, nowMs)) observation.pending = change;
      else overtake(observation, change, this.#notifier.state);
      return;
    }
    const decision = decide(attributes, { value: before, atMs: observation.sentMs }, sample.value, nowMs);
    this.#note?.(decisionReason({ part, view, path, value: sample.value, nowMs }, decision, this.#notifier.state));
    if (decision.send === "no") return;
    if (decision.send === "now") {
      observation.pending = changeOf(part, path, sample);
      this.#notifier.add(observation);
    } else if (decision.because === "change") {
      observation.pending = changeOf(part, path, sample);
      this.#timers.arm(observation, decision.ms);
    }
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
    if (dueMs !== undefined && dueMs <= this.#options.clock.monotonicMs()) this.#notifier.add(observation);
    else this.#timers.arm(observation, dueMs);
  }

  /** After a restart, until the device has answered. */
  #waitForValue(observation: Observation): void {
    observation.pending = undefined;
    observation.underwaySinceMs = undefined;
    this.#timers.arm(observation, pmaxEndMs(observation.attributes, this.#options.clock.monotonicMs()));
  }

  #onDelivered(observation: Observation): void {
    this.#options.shelf?.note(observation);
    this.#reconsider(observation);
  }

  /** Removes an observation whose target cannot be read any more; the server is told so (RFC 7641 §4.2). */
  #end(observation: Observation, ending: CoapResponse): void {
    this.#note?.(apartReason(observation, "ended"));
    this.#drop(observation.tokenKey);
    this.#notifier.addEnding({ token: tokenOf(observation), request: observation.request, ending });
    this.#options.onChange();
  }

  /** Undefined while nobody listens. */
  get #note(): Explainer["note"] {
    return this.#options.explainer?.note;
  }

  #drop(tokenKey: string): boolean {
    const observation = this.#table.remove(tokenKey);
    if (observation === undefined) return false;
    this.#timers.cancel(observation);
    this.#noteDemand(observation);
    this.#options.shelf?.forget(tokenOf(observation));
    return true;
  }

  #noteDemand({ paths }: Observation): void {
    if (paths.some(({ attributes }) => isDemanding(attributes))) this.#options.onDemand?.();
  }

  #termsOf(observable: Observable): ObservationTerms {
    return termsOf(observable, this.#options.defaults());
  }

  #govern(observation: Observation, { each, whole, delivery }: ObservationTerms): void {
    observation.attributes = whole;
    observation.delivery = delivery;
    for (const [index, part] of observation.paths.entries()) part.attributes = each[index] ?? whole;
  }
}

function changeOf({ view }: ObservedPath, path: Path, { value, atMs }: Sample): Change {
  return { value, atMs, path, prefix: view.prefix };
}
