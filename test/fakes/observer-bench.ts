import { utf8Encode } from "../../src/base/bytes.js";
import type { DeliveryResult, Notification } from "../../src/coap/request.js";
import { FULL_ACCESS } from "../../src/lwm2m/access.js";
import { AttributeStore } from "../../src/lwm2m/attributes.js";
import { codecFor } from "../../src/lwm2m/codec/formats.js";
import { Observer, type ObserverOptions } from "../../src/lwm2m/observer.js";
import { read } from "../../src/lwm2m/operations.js";
import { parsePath } from "../../src/lwm2m/path.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import type { TreeView } from "../../src/lwm2m/views.js";
import { FakeClock, settle } from "./clock.js";
import { model } from "./lwm2m-client.js";
import { formatResponse, incoming } from "./lwm2m-server.js";

const SENML_JSON = 110;

/** An Observer by itself, over object 3303 with two instances, and the way to the server in the test's hands. */
export class ObserverBench {
  readonly clock: FakeClock;
  readonly tree = new ObjectTree();
  readonly view: TreeView;
  readonly observer: Observer;
  readonly told: Notification[] = [];
  readonly events: string[] = [];
  /** How notifications end; CON by default acknowledged, NON sent. */
  delivery: DeliveryResult | undefined;

  constructor(options: Partial<ObserverOptions> = {}, clock = new FakeClock()) {
    this.clock = clock;
    for (const instanceId of [0, 1]) {
      this.tree.addInstance(model(3303), instanceId);
      this.tree.set([3303, instanceId, 5700], { value: 20, atMs: clock.nowMs() });
    }
    this.view = {
      prefix: undefined,
      tree: this.tree,
      attributes: new AttributeStore(),
      access: FULL_ACCESS,
      state: "shown",
    };
    this.observer = new Observer({
      own: this.view,
      clock,
      defaults: () => ({ delivery: "CON" }),
      notify: async (notification) => {
        this.told.push(notification);
        return this.delivery ?? (notification.delivery === "CON" ? "acknowledged" : "sent");
      },
      onAcknowledged: () => undefined,
      onLost: () => this.events.push("lost"),
      onRejected: () => this.events.push("rejected"),
      onChange: () => undefined,
      ...options,
    });
  }

  observe(target: string, token = target, contentFormat = SENML_JSON): void {
    const path = parsePath(target);
    const codec = codecFor(contentFormat, "values") ?? codecFor(contentFormat, "value");
    if (codec === undefined) throw new Error(`no format ${contentFormat}`);
    const observable = { view: this.view, target: path, paths: [{ view: this.view, path }], codec, own: undefined };
    const request = incoming("GET", target, { observe: 0, accept: contentFormat }, token);
    this.observer.observe(
      { ...request, token: utf8Encode(token) },
      observable,
      read(this.tree, path, this.clock.nowMs()),
    );
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
