import type { IConnectPacket } from "mqtt-packet";
import { afterEach } from "vitest";
import { mqtt } from "../../adapters/mqtt/index.js";
import type { MqttLinkOptions } from "../../adapters/mqtt/options.js";
import { createLog } from "../../src/base/log.js";
import { isOfDevices } from "../../src/config/further-objects.js";
import { defineAdapter } from "../../src/field/adapter.js";
import { type ClientState, MemoryState } from "../../src/lwm2m/state/client-state.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { InstanceTable, memoryInstanceStore } from "../../src/mapping/instances.js";
import { MqttBrokers } from "../../src/mqtt-brokers.js";
import { MqttPublications } from "../../src/mqtt-publications.js";
import { MqttRig } from "../adapters/mqtt/mqtt-rig.js";
import { type Bench, model, shippedModels, startBench } from "./lwm2m-client.js";

export const TEXT = 0;
export const SENML_JSON = 110;
/** The instance of the link. */
export const OF_FILE = "/18830/60000";
export const adapter = defineAdapter(mqtt);

export interface Plant extends Bench {
  readonly rig: MqttRig;
  /** What clients said when they connected, the newest last. */
  readonly connects: IConnectPacket[];
  readonly log: Record<string, unknown>[];
  /** Of a device behind the prefix d01. */
  readonly behind: ObjectTree;
  ask(...request: Parameters<Bench["server"]["text"]>): Promise<string>;
  measure(value: number, tree?: ObjectTree): void;
  /** What was published in all, once there are so many. */
  published(count: number): Promise<readonly string[]>;
}

interface PlantOptions {
  readonly state?: ClientState;
  readonly link?: Partial<MqttLinkOptions>;
  readonly source?: "file" | "servers";
}

/** Closed after each test. */
const opened: MqttRig[] = [];
afterEach(async () => {
  for (const rig of opened.splice(0)) await rig[Symbol.asyncDispose]();
});

/** One broker as link of the file, both objects, a thermometer at /3303/0 and one behind d01, a client and its server. */
export async function openPlant({
  state = new MemoryState(),
  link = {},
  source = "servers",
}: PlantOptions = {}): Promise<Plant> {
  const connects: IConnectPacket[] = [];
  const admit = (packet: IConnectPacket): number => {
    connects.push(packet);
    return 0;
  };
  const rig = await MqttRig.listen({ admit });
  opened.push(rig);
  const { clock } = rig;
  const options = { ...rig.link, ...link };
  const config = { links: [{ name: "hall", adapter: "mqtt", options }], models: shippedModels };
  const instances = await InstanceTable.open(memoryInstanceStore());
  const behind = new ObjectTree();
  const made: { brokers?: MqttBrokers; publications?: MqttPublications } = {};
  const prepare = (tree: ObjectTree): void => {
    tree.addInstance(model(3303), 0);
    behind.addInstance(model(3303), 0);
    const brokers = new MqttBrokers({ tree, config, adapter, instances, clock, source });
    made.brokers = brokers;
    if (source === "file") return;
    made.publications = new MqttPublications({
      tree,
      model: model(18831),
      adapter,
      clock,
      isOfDevices,
      linkOf: (id) => brokers.linkOf(id),
      trees: () =>
        new Map([
          [undefined, tree],
          ["d01", behind],
        ]),
    });
  };
  const bench = await startBench({ prepare, state });
  const log: Record<string, unknown>[] = [];
  const ownLog = createLog("info", (line) => log.push(JSON.parse(line)));
  const field = await rig.open([], options, "hall");
  made.brokers?.attach(field, rig.scope, ownLog);
  made.publications?.attach(field, rig.scope, ownLog);
  await rig.until(() => rig.bus?.state === "up");
  return {
    ...bench,
    rig,
    connects,
    log,
    behind,
    async ask(...request) {
      const answer = await bench.server.text(...request);
      await clock.advance(0);
      return answer;
    },
    measure: (value, tree = bench.tree) => tree.set([3303, 0, 5700], { value, atMs: clock.nowMs() }),
    async published(count) {
      await rig.until(() => rig.published.length >= count);
      return rig.published;
    },
  };
}

export interface Wanted {
  readonly source?: string;
  readonly broker?: string;
  readonly topic?: string;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly active?: boolean;
  readonly encoding?: number;
}

export function publish({ ask }: Plant, wanted: Wanted = {}): Promise<string> {
  const { source = "</3303/0/5700>", broker = "18830:60000", topic = "site/hall", qos = 1, retain = false } = wanted;
  const records = [
    { bn: "/18831/0/", n: "0", vs: source },
    { n: "1", vlo: broker },
    { n: "2", vs: topic },
    { n: "3", v: qos },
    { n: "4", vb: retain },
    ...(wanted.active === undefined ? [] : [{ n: "5", vb: wanted.active }]),
    ...(wanted.encoding === undefined ? [] : [{ n: "6", v: wanted.encoding }]),
  ];
  return ask("POST", "/18831", { contentFormat: SENML_JSON, payload: JSON.stringify(records) });
}

export interface NamedBroker {
  readonly uri: string;
  readonly keepAlive?: number;
  readonly mode?: number;
  readonly user?: string;
  readonly password?: string;
  readonly usage?: number;
  readonly certificates?: { readonly broker?: Uint8Array; readonly own?: Uint8Array; readonly key?: Uint8Array };
}

export function nameBroker({ ask }: Plant, broker: NamedBroker): Promise<string> {
  const records = [
    { bn: "/18830/0/", n: "0", vs: broker.uri },
    { n: "1", vs: "gw1-reports" },
    { n: "2", vb: true },
    { n: "3", v: broker.keepAlive ?? 60 },
    ...(broker.user === undefined ? [] : [{ n: "4", vs: broker.user }]),
    ...opaque("5", broker.password === undefined ? undefined : Buffer.from(broker.password)),
    { n: "6", v: broker.mode ?? 3 },
    ...opaque("7", broker.certificates?.own),
    ...opaque("8", broker.certificates?.broker),
    ...opaque("9", broker.certificates?.key),
    ...(broker.usage === undefined ? [] : [{ n: "10", v: broker.usage }]),
  ];
  return ask("POST", "/18830", { contentFormat: SENML_JSON, payload: JSON.stringify(records) });
}

function opaque(n: string, bytes: Uint8Array | undefined) {
  return bytes === undefined ? [] : [{ n, vd: Buffer.from(bytes).toString("base64url") }];
}
