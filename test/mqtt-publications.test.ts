import { describe, expect, it } from "vitest";
import { MemoryState } from "../src/lwm2m/state/client-state.js";
import { sourcesOf } from "../src/mqtt-publication.js";
import { settle } from "./fakes/clock.js";
import { nameBroker, OF_FILE, openPlant, publish, TEXT, type Wanted } from "./fakes/mqtt-plant.js";

const LWM2M_CBOR = 11544;

describe("object 18831, MQTT Publication", () => {
  it("publishes a value as a text, now and whenever it is measured, once a second at most", async () => {
    const plant = await openPlant();
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
    const plant = await openPlant();
    const atMs = plant.rig.clock.nowMs();
    plant.measure(21.5);
    await publish(plant, { source: "</3303/0>" });
    const [text = ""] = await plant.published(1);
    expect(JSON.parse(text.slice("site/hall ".length))).toEqual([{ bn: "/3303/0/5700", bt: atMs / 1000, v: 21.5 }]);
  });

  it("has several sources, also behind the gateway, and those that come later", async () => {
    const plant = await openPlant();
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
    const plant = await openPlant();
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
    const plant = await openPlant();
    plant.measure(1);
    await publish(plant, { topic: "site/{id}", retain: true, encoding: TEXT });
    expect(await plant.published(1)).toEqual(["site/{id} 1"]);
    expect(plant.rig.broker.retained).toEqual(["site/{id}"]);
  });

  it("does nothing while it is not active", async () => {
    const plant = await openPlant();
    plant.measure(1);
    await publish(plant, { active: false, encoding: TEXT });
    await plant.rig.clock.advance(5000);
    expect(plant.rig.published).toEqual([]);
    expect(await plant.ask("PUT", "/18831/0/5", { contentFormat: TEXT, payload: "1" })).toBe("2.04");
    expect(await plant.published(1)).toEqual(["site/hall 1"]);
  });

  it("goes to a broker that a server has named, and stops with the instance", async () => {
    const plant = await openPlant();
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
    const plant = await openPlant();
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
    const plant = await openPlant();
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
    const plant = await openPlant();
    expect(await publish(plant, wanted)).toBe("4.00");
    expect(await plant.ask("GET", "/18831/0")).toBe("4.04");
  });

  it("survives a restart with the broker that a server has named", async () => {
    const state = new MemoryState();
    const before = await openPlant({ state });
    await nameBroker(before, { uri: `mqtt://127.0.0.1:${before.rig.broker.port}` });
    await publish(before, { broker: "18830:0", encoding: TEXT });
    expect([...state.load("instances").keys()]).toEqual(expect.arrayContaining(["/18830/0", "/18831/0"]));
    expect([...state.load("instances").keys()]).not.toContain(OF_FILE);
    const after = await openPlant({ state });
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
