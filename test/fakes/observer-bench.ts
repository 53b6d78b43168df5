import { silentLog } from "../../src/base/log.js";
import type { DeliveryResult, Method, Notification } from "../../src/coap/request.js";
import { FULL_ACCESS } from "../../src/lwm2m/access.js";
import { AttributeShelves } from "../../src/lwm2m/observation/kept-attributes.js";
import { ObservationShelf } from "../../src/lwm2m/observation/kept-observations.js";
import { ObserveSequence } from "../../src/lwm2m/observation/observe-sequence.js";
import { Observer, type ObserverOptions } from "../../src/lwm2m/observation/observer.js";
import { observableOf, type ReadContext, readRequest } from "../../src/lwm2m/operation/read-request.js";
import type { ClientState } from "../../src/lwm2m/state/client-state.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { type TreeView, Views } from "../../src/lwm2m/views.js";
import { FakeClock, settle } from "./clock.js";
import { model } from "./lwm2m-client.js";
import { type Ask, formatResponse, incoming } from "./lwm2m-server.js";

const SENML_JSON = 110;

interface ObserverBenchOptions extends Partial<ObserverOptions> {
  readonly clock?: FakeClock;
  /** What is kept over restarts; nothing when absent. */
  readonly state?: ClientState;
  /** Measured before anything observes; 20 when absent. */
  readonly value?: number | "none";
}

/** An Observer by itself, over object 3303 with two instances, and the way to the server in the test's hands. */
export class ObserverBench {
  readonly clock: FakeClock;
  readonly tree = new ObjectTree();
  readonly views: Views;
  readonly observer: Observer;
  readonly told: Notification[] = [];
  readonly events: string[] = [];
  /** How notifications end; CON by default acknowledged, NON sent. */
  delivery: DeliveryResult | undefined;
  onNotify: ((notification: Notification) => DeliveryResult) | undefined;

  constructor({ clock = new FakeClock(), state, value = 20, ...options }: ObserverBenchOptions = {}) {
    this.clock = clock;
    for (const instanceId of [0, 1]) {
      this.tree.addInstance(model(3303), instanceId);
      this.tree.declare(3303, instanceId, 5700);
      if (value !== "none") this.tree.set([3303, instanceId, 5700], { value, atMs: clock.nowMs() });
    }
    const shelves = state === undefined ? undefined : new AttributeShelves(state, 1, silentLog);
    const listener = { onMade: () => undefined, onRemoved: () => undefined };
    this.views = new Views(this.tree, undefined, listener, FULL_ACCESS, shelves);
    const kept =
      state === undefined
        ? {}
        : { shelf: new ObservationShelf(state, 1, clock, silentLog), sequence: new ObserveSequence(state, 1) };
    this.observer = new Observer({
      own: this.view,
      clock,
      defaults: () => ({ delivery: "CON" }),
      notify: async (notification) => {
        this.told.push(notification);
        return (
          this.onNotify?.(notification) ?? this.delivery ?? (notification.delivery === "CON" ? "acknowledged" : "sent")
        );
      },
      onAcknowledged: () => undefined,
      onLost: () => this.events.push("lost"),
      onRejected: () => this.events.push("rejected"),
      onChange: () => undefined,
      ...kept,
      ...options,
    });
  }

  get view(): TreeView {
    return this.views.own;
  }

  /** Gives the sequence number; the token is the target. */
  observe(target: string, { accept = SENML_JSON, method = "GET", ...ask }: Ask & { method?: Method } = {}) {
    const request = incoming(method, target, { ...ask, observe: 0, accept }, target);
    const read = readRequest(request, this.#readContext());
    return this.observer.observe(request, observableOf(request, read, "1.2"), read.result).observe;
  }

  restore(): void {
    this.observer.restore((request) => {
      const read = readRequest(request, { ...this.#readContext(), valueless: "empty" });
      return [observableOf(request, read, "1.2"), read.result];
    });
  }

  /** A second later the resource has the value. */
  async measure(value: number, instanceId = 0): Promise<void> {
    await this.clock.advance(1000);
    this.tree.set([3303, instanceId, 5700], { value, atMs: this.clock.nowMs() });
    await settle();
  }

  /** Takes what was notified since the last call: the values with the seconds since the clock began. */
  async values(): Promise<string[]> {
    await settle();
    return this.told.splice(0).map(({ response }) => this.#summary(formatResponse(response)));
  }

  #readContext(): ReadContext {
    return { views: this.views, version: "1.2", nowMs: this.clock.nowMs(), alternatePath: [] };
  }

  #summary(text: string): string {
    const startS = (this.clock.nowMs() - this.clock.monotonicMs()) / 1000;
    const payload = /^2\.05 (\[.*\])$/.exec(text)?.[1];
    if (payload === undefined) return text;
    const records = JSON.parse(payload) as readonly { bn?: string; n?: string; bt?: number; t?: number; v?: number }[];
    let baseS = 0;
    return records
      .map((record) => {
        baseS = record.bt ?? baseS;
        const atS = baseS + (record.t ?? 0);
        return atS === 0 ? String(record.v) : `${record.v}@${atS - startS}`;
      })
      .join(" ");
  }
}
