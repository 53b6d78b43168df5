import type { IConnectPacket } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { mqtt } from "../adapters/mqtt/index.js";
import type { MqttLinkOptions } from "../adapters/mqtt/options.js";
import { createLog } from "../src/base/log.js";
import { isOfDevices } from "../src/config/further-objects.js";
import { defineAdapter } from "../src/field/adapter.js";
import { type ClientState, MemoryState } from "../src/lwm2m/state/client-state.js";
import { ObjectTree } from "../src/lwm2m/tree.js";
import { InstanceTable, memoryInstanceStore } from "../src/mapping/instances.js";
import { MqttBrokers } from "../src/mqtt-brokers.js";
import { sourcesOf } from "../src/mqtt-publication.js";
import { MqttPublications } from "../src/mqtt-publications.js";
import { MqttRig } from "./adapters/mqtt/mqtt-rig.js";
import { settle } from "./fakes/clock.js";
import { type Bench, model, shippedModels, startBench } from "./fakes/lwm2m-client.js";

const TEXT = 0;
const SENML_JSON = 110;
const LWM2M_CBOR = 11544;
/** What the gateway's file might say. */
const SECRET = ["$", "{env:MQTT_PASSWORD}"].join("");
const OF_FILE = "/18830/60000";
const adapter = defineAdapter(mqtt);

interface Plant extends Bench {
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

const opened: MqttRig[] = [];
afterEach(async () => {
  for (const rig of opened.splice(0)) await rig[Symbol.asyncDispose]();
});

/** One broker as link of the file, both objects, a thermometer at /3303/0 and one behind d01, a client and its server. */
async function open({ state = new MemoryState(), link = {}, source = "servers" }: PlantOptions = {}): Promise<Plant> {
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

interface Wanted {
  readonly source?: string;
  readonly broker?: string;
  readonly topic?: string;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly active?: boolean;
  readonly encoding?: number;
}

function publish({ ask }: Plant, wanted: Wanted = {}): Promise<string> {
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

interface NamedBroker {
  readonly uri: string;
  readonly keepAlive?: number;
  readonly mode?: number;
  readonly user?: string;
  readonly password?: string;
  readonly usage?: number;
}

function nameBroker({ ask }: Plant, broker: NamedBroker, path = "/18830"): Promise<string> {
  const records = [
    { bn: "/18830/0/", n: "0", vs: broker.uri },
    { n: "1", vs: "gw1-reports" },
    { n: "2", vb: true },
    { n: "3", v: broker.keepAlive ?? 60 },
    ...(broker.user === undefined ? [] : [{ n: "4", vs: broker.user }]),
    ...(broker.password === undefined ? [] : [{ n: "5", vd: Buffer.from(broker.password).toString("base64url") }]),
    { n: "6", v: broker.mode ?? 3 },
    ...(broker.usage === undefined ? [] : [{ n: "10", v: broker.usage }]),
  ];
  return ask("POST", path, { contentFormat: SENML_JSON, payload: JSON.stringify(records) });
}

describe("object 18830, MQTT Broker", () => {
  it("shows the brokers of the file, but not who the gateway is there", async () => {
    const plant = await open({ link: { clientId: "gw1", clean: false, username: "gw", password: "open sesame" } });
    const { ask, rig } = plant;
    const read = async (id: number): Promise<string> => await ask("GET", `${OF_FILE}/${id}`);
    expect(await read(0)).toBe(`2.05 mqtt://127.0.0.1:${rig.broker.port}`);
    expect([await read(1), await read(2), await read(3), await read(6)]).toEqual(
      ["gw1", "0", "30", "3"].map((value) => `2.05 ${value}`),
    );
    expect([await read(4), await read(5)]).toEqual(["4.04", "4.04"]);
  });

  it.each(["file", "servers"] as const)("of the file is not for servers to change (%s)", async (source) => {
    const { ask } = await open({ source });
    expect(await ask("PUT", `${OF_FILE}/0`, { contentFormat: TEXT, payload: "mqtt://192.0.2.1" })).toBe("4.05");
    expect(await ask("DELETE", OF_FILE)).toBe("4.05");
    expect(await ask("GET", `${OF_FILE}/3`)).toBe("2.05 30");
  });

  it("cannot be made by servers where the file alone says which there are", async () => {
    const plant = await open({ source: "file" });
    expect(await nameBroker(plant, { uri: "mqtt://192.0.2.1" })).toBe("4.05");
  });

  it("that a server makes is connected to as it says, and left when the server deletes it", async () => {
    const plant = await open();
    const { rig, connects, ask } = plant;
    const uri = `mqtt://127.0.0.1:${rig.broker.port}`;
    expect(await nameBroker(plant, { uri, user: "reports", password: "hush" })).toBe("2.01 /18830/0");
    await rig.until(() => connects.length === 2);
    expect(connects[1]).toMatchObject({ clientId: "gw1-reports", clean: true, keepalive: 60, username: "reports" });
    expect(String(connects[1]?.password)).toBe("hush");
    expect(rig.field?.status().buses.map(({ links }) => links)).toEqual([["hall"], ["/18830/0"]]);
    expect(await ask("DELETE", "/18830/0")).toBe("2.02");
    await rig.until(() => rig.field?.status().buses.length === 1);
  });

  it("that a server changes is connected to anew", async () => {
    const plant = await open();
    const { rig, connects, ask } = plant;
    await nameBroker(plant, { uri: `mqtt://127.0.0.1:${rig.broker.port}` });
    await rig.until(() => connects.length === 2);
    expect(await ask("PUT", "/18830/0/1", { contentFormat: TEXT, payload: "gw1-b" })).toBe("2.04");
    await rig.until(() => connects.length === 3);
    expect(connects[2]?.clientId).toBe("gw1-b");
    await rig.until(() => rig.field?.status().buses[1]?.state === "up");
  });

  it("a server's password never stands for a secret of the gateway", async () => {
    const plant = await open();
    const { rig, connects } = plant;
    const uri = `mqtt://127.0.0.1:${rig.broker.port}`;
    await nameBroker(plant, { uri, user: "reports", password: SECRET });
    await rig.until(() => connects.length === 2);
    expect(String(connects[1]?.password)).toBe(SECRET);
  });

  it.each<[string, NamedBroker]>([
    ["a URI of something else", { uri: "http://192.0.2.1" }],
    ["no Keep Alive", { uri: "mqtt://192.0.2.1", keepAlive: 0 }],
    ["a pre-shared key, which MQTT has not", { uri: "mqtts://192.0.2.1", mode: 0 }],
    ["a use of the certificate that is not known", { uri: "mqtts://192.0.2.1", mode: 2, usage: 0 }],
  ])("refuses %s", async (_, broker) => {
    const plant = await open();
    expect(await nameBroker(plant, broker)).toBe("4.00");
    expect(await plant.ask("GET", "/18830/0")).toBe("4.04");
  });

  it.each<[string, NamedBroker, string]>([
    ["the URI has a user", { uri: "mqtt://a:b@192.0.2.1" }, "must not have a user"],
    ["URI and Security Mode differ", { uri: "mqtts://192.0.2.1" }, "needs Security Mode 2"],
  ])("%s: the log says why it is not used", async (_, broker, why) => {
    const plant = await open();
    expect(await nameBroker(plant, broker)).toBe("2.01 /18830/0");
    expect(plant.log).toMatchObject([{ path: "/18830/0", why: expect.stringContaining(why) }]);
  });

  it("leaves the numbers of the file's brokers to the file, and has an end", async () => {
    const plant = await open();
    const create = (id: number): Promise<string> =>
      plant.ask("POST", "/18830", {
        contentFormat: SENML_JSON,
        payload: JSON.stringify([
          { bn: `/18830/${id}/`, n: "0", vs: "mqtt://127.0.0.1:1" },
          { n: "1", vs: `c${id}` },
          { n: "2", vb: true },
          { n: "3", v: 60 },
          { n: "6", v: 3 },
        ]),
      });
    expect(await create(60_001)).toBe("4.00");
    for (let id = 0; id < 8; id++) expect(await create(id)).toBe(`2.01 /18830/${id}`);
    expect(await create(8)).toBe("4.00");
  });
});

describe("object 18831, MQTT Publication", () => {
  it("publishes a value as a text, now and whenever it is measured, once a second at most", async () => {
    const plant = await open();
    const { measure, published, rig } = plant;
    measure(21.5);
    expect(await publish(plant, { encoding: TEXT })).toBe("2.01 /18831/0");
    expect(await published(1)).toEqual(["site/hall 21.5"]);
    await settle();
    measure(21.6);
    measure(21.7);
    await settle();
    expect(rig.published.length).toBe(1);
    await rig.clock.advance(1000);
    expect(await published(2)).toEqual(["site/hall 21.5", "site/hall 21.7"]);
    expect(plant.log.map(({ msg }) => msg)).toEqual(["MQTT publication goes out"]);
  });

  it("has the times of measurement, in SenML unless something else is asked for", async () => {
    const plant = await open();
    const atMs = plant.rig.clock.nowMs();
    plant.measure(21.5);
    await publish(plant, { source: "</3303/0>" });
    const [text = ""] = await plant.published(1);
    expect(JSON.parse(text.slice("site/hall ".length))).toEqual([{ bn: "/3303/0/5700", bt: atMs / 1000, v: 21.5 }]);
  });

  it("has several sources, also behind the gateway, and those that come later", async () => {
    const plant = await open();
    plant.measure(20);
    await publish(plant, { source: "</3303/0>; </d01/3303/0/5700>" });
    expect((await plant.published(1))[0]).not.toContain("d01");
    await settle();
    plant.measure(30, plant.behind);
    await plant.rig.clock.advance(1000);
    const [, text = ""] = await plant.published(2);
    const records: readonly { bn?: string; n?: string; v: number }[] = JSON.parse(text.slice("site/hall ".length));
    expect(records.map(({ v }) => v)).toEqual([20, 30]);
    expect(text).toContain("/d01/3303/0/5700");
  });

  it("without a source publishes what devices tell anew", async () => {
    const plant = await open();
    await publish(plant, { source: "" });
    plant.measure(20);
    plant.tree.set([3, 0, 15], { value: "Europe/Berlin", atMs: 0 });
    const [text = ""] = await plant.published(1);
    expect(text).toContain("/3303/0/5700");
    expect(text).not.toContain("Berlin");
    await settle();
    plant.measure(30, plant.behind);
    await plant.rig.clock.advance(1000);
    const [, next = ""] = await plant.published(2);
    expect(JSON.parse(next.slice("site/hall ".length))).toMatchObject([{ bn: "/d01/3303/0/5700", v: 30 }]);
  });

  it("keeps what it publishes at the broker when that is asked for; braces in a topic are no template", async () => {
    const plant = await open();
    plant.measure(1);
    await publish(plant, { topic: "site/{id}", retain: true, encoding: TEXT });
    expect(await plant.published(1)).toEqual(["site/{id} 1"]);
    expect(plant.rig.broker.retained).toEqual(["site/{id}"]);
  });

  it("does nothing while it is not active", async () => {
    const plant = await open();
    plant.measure(1);
    await publish(plant, { active: false, encoding: TEXT });
    await plant.rig.clock.advance(5000);
    expect(plant.rig.published).toEqual([]);
    expect(await plant.ask("PUT", "/18831/0/5", { contentFormat: TEXT, payload: "1" })).toBe("2.04");
    expect(await plant.published(1)).toEqual(["site/hall 1"]);
  });

  it("goes to a broker that a server has named, and stops with the instance", async () => {
    const plant = await open();
    const { rig } = plant;
    await nameBroker(plant, { uri: `mqtt://127.0.0.1:${rig.broker.port}` });
    plant.measure(5);
    expect(await publish(plant, { broker: "18830:0", encoding: TEXT })).toBe("2.01 /18831/0");
    expect(await plant.published(1)).toEqual(["site/hall 5"]);
    expect(await plant.ask("DELETE", "/18831/0")).toBe("2.02");
    plant.measure(6);
    await rig.clock.advance(5000);
    expect(rig.published.length).toBe(1);
  });

  it("gives the values of now once the broker is back, and says so once", async () => {
    const plant = await open();
    const { rig, log } = plant;
    plant.measure(1);
    await publish(plant, { encoding: TEXT });
    await plant.published(1);
    await rig.clock.advance(1000);
    const { port } = rig.broker;
    await rig.broker[Symbol.asyncDispose]();
    await rig.until(() => rig.bus?.state === "down");
    for (const value of [2, 3, 4]) {
      plant.measure(value);
      for (let s = 0; s < 20; s++) await rig.clock.advance(1000);
    }
    await rig.reopen(port);
    while (rig.published.length < 2) {
      await rig.clock.advance(1000);
      await settle();
    }
    expect(rig.published).toEqual(["site/hall 1", "site/hall 4"]);
    expect(log.map(({ msg }) => msg)).toEqual([
      "MQTT publication goes out",
      "MQTT publication does not go out",
      "MQTT publication goes out",
    ]);
  });

  it("tells when the format cannot carry what is to be published", async () => {
    const plant = await open();
    plant.measure(1);
    await publish(plant, { source: "</3303/0>,</3>", encoding: TEXT });
    await settle();
    expect(plant.log).toMatchObject([{ msg: "MQTT publication does not go out", path: "/18831/0" }]);
    expect(await plant.ask("PUT", "/18831/0/6", { contentFormat: TEXT, payload: String(LWM2M_CBOR) })).toBe("2.04");
    await plant.published(1);
  });

  it.each<[string, Wanted]>([
    ["a broker that is not there", { broker: "18830:7" }],
    ["a link to something else", { broker: "3:0" }],
    ["no topic", { topic: "" }],
    ["a topic with wildcards", { topic: "site/#" }],
    ["keys as source", { source: "</0/0>" }],
    ["passwords of brokers as source", { source: "</18830>" }],
    ["everything as source", { source: "</>" }],
    ["a source that is no link", { source: "/3303/0" }],
    ["an encoding that is not known", { encoding: 50 }],
    ["a QoS that is none", { qos: 3 }],
  ])("refuses %s", async (_, wanted) => {
    const plant = await open();
    expect(await publish(plant, wanted)).toBe("4.00");
    expect(await plant.ask("GET", "/18831/0")).toBe("4.04");
  });

  it("survives a restart with the broker that a server has named", async () => {
    const state = new MemoryState();
    const before = await open({ state });
    await nameBroker(before, { uri: `mqtt://127.0.0.1:${before.rig.broker.port}` });
    await publish(before, { broker: "18830:0", encoding: TEXT });
    expect([...state.load("instances").keys()]).toEqual(expect.arrayContaining(["/18830/0", "/18831/0"]));
    expect([...state.load("instances").keys()]).not.toContain(OF_FILE);
    const after = await open({ state });
    expect(
      await after.ask("PUT", "/18830/0/0", {
        contentFormat: TEXT,
        payload: `mqtt://127.0.0.1:${after.rig.broker.port}`,
      }),
    ).toBe("2.04");
    after.measure(9);
    expect(await after.published(1)).toEqual(["site/hall 9"]);
  });
});

describe("sources of a publication", () => {
  it.each<[string, readonly object[]]>([
    ["", []],
    ["</3303/0/5700>", [{ path: [3303, 0, 5700] }]],
    ["</3303/0/5700>; </3336/0>", [{ path: [3303, 0, 5700] }, { path: [3336, 0] }]],
    ["</d01/3303>,</3303>", [{ path: [3303], prefix: "d01" }, { path: [3303] }]],
  ])("'%s'", (text, paths) => {
    expect(sourcesOf(text)).toEqual(paths);
  });
});
