import { describe, expect, it } from "vitest";
import { SmallBroker } from "../../adapters/mqtt/small-broker.js";
import { settle } from "../fakes/clock.js";
import { random } from "../fakes/random.js";
import { Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const TEXT = 0;
const JSON_FORMAT = 110;

async function startRig(options: Partial<RigOptions>): Promise<Rig> {
  const rig = new Rig({ seed, servers: [[]], ...options });
  rig.plant.set("tracker", "lat", 43.5723);
  rig.plant.set("tracker", "lon", 153.2176);
  await rig.start();
  await rig.run(15_000);
  return rig;
}

describe(`a device with a position (seed ${seed})`, () => {
  const devices = [{ name: "tracker", profile: "tracker" }] as const;

  it.each([
    ["flat", ""],
    ["gateway", "/d01"],
  ] as const)("is Location in mode %s, with the time of its measurement", async (expose, prefix) => {
    const more = expose === "gateway" ? { prefix: "d01" } : {};
    await using rig = await startRig({ expose, devices: devices.map((device) => ({ ...device, ...more })) });
    const answer = await rig.during(rig.server.ask("GET", `${prefix}/6/0`, { accept: JSON_FORMAT }));
    const records: readonly { n: string; v: number }[] = JSON.parse(answer.slice("2.05 ".length));
    const values = Object.fromEntries(records.map(({ n, v }) => [n, v]));
    expect(values).toEqual({ 0: 43.5723, 1: 153.2176, 5: expect.any(Number) });
    const atMs = (values["5"] ?? 0) * 1000;
    expect(rig.clock.nowMs() - atMs).toBeGreaterThanOrEqual(0);
    expect(rig.clock.nowMs() - atMs).toBeLessThan(3000);
  });

  it("keeps instance 0 when another device takes its place", async () => {
    await using rig = await startRig({ devices });
    await rig.stop();
    await rig.configure(rig.folder, [{ name: "successor", profile: "tracker" }]);
    rig.plant.set("successor", "lat", 1);
    await rig.start(rig.folder);
    await rig.run(15_000);
    expect(await rig.during(rig.server.ask("GET", "/6/0/0", { accept: TEXT }))).toBe("2.05 1");
  });
});

describe(`what the gateway tells of itself (seed ${seed})`, () => {
  const silent = { objects: ["event-log"], devices: [{ name: "valve", profile: "valve" } as const] };

  it("has the objects that it was asked for", async () => {
    await using rig = await startRig({ objects: ["portfolio", "binary-app-data", "event-log"] });
    expect(rig.server.links).toMatch(/<\/16>,<\/19>,<\/20>;ver=2\.1,<\/20\/0>/);
  });

  it("logs what happens to it, for servers to read", async () => {
    await using rig = await startRig(silent);
    rig.plant.trouble("valve", "silent");
    await rig.run(60_000);
    const hex = (await rig.during(rig.server.ask("GET", "/20/0/4014", { accept: 42 }))).slice("2.05 ".length);
    const text = Buffer.from(hex, "hex").toString();
    expect(text).toContain("info registered ");
    expect(text).toMatch(/warn device .*offline.*"device":"valve"/);
  });

  it("has error code 8 while a device that is a part of it does not answer", async () => {
    await using rig = await startRig(silent);
    const code = () => rig.during(rig.server.ask("GET", "/3/0/11/0", { accept: TEXT }));
    expect(await code()).toBe("2.05 0");
    rig.plant.trouble("valve", "silent");
    await rig.run(60_000);
    expect(await code()).toBe("2.05 8");
    rig.plant.trouble("valve", "none");
    await rig.run(60_000);
    expect(await code()).toBe("2.05 0");
    rig.plant.cable("cut");
    await rig.run(1000);
    expect(await code()).toBe("2.05 8");
    rig.plant.cable("whole");
    await rig.run(10_000);
    expect(await code()).toBe("2.05 0");
  });
});

describe(`what a server has published (seed ${seed})`, () => {
  it.each([
    ["flat", "", "</6/0/0>"],
    ["gateway", "/d01", "</d01/6/0/0>"],
    ["gateway", "/d01", ""],
  ] as const)("goes to the broker it names: mode %s, %s, source '%s'", async (expose, prefix, source) => {
    await using broker = await SmallBroker.listen();
    const published: string[] = [];
    broker.onPublish = (_, payload) => published.push(String(Buffer.from(payload)));
    await using rig = await startRig({
      expose,
      devices: [{ name: "tracker", profile: "tracker", ...(expose === "flat" ? {} : { prefix: "d01" }) }],
      objects: ["mqtt-publication"],
    });
    const create = (object: number, records: readonly object[]): Promise<string> =>
      rig.during(
        rig.server.ask("POST", `/${object}`, { contentFormat: JSON_FORMAT, payload: JSON.stringify(records) }),
      );
    const uri = { bn: "/18830/0/", n: "0", vs: `mqtt://127.0.0.1:${broker.port}` };
    const session = [
      { n: "1", vs: "gw1" },
      { n: "2", vb: true },
      { n: "3", v: 60 },
      { n: "6", v: 3 },
    ];
    expect(await create(18830, [uri, ...session])).toMatch(/^2.01/);
    const from = { bn: "/18831/0/", n: "0", vs: source };
    const to = [
      { n: "1", vlo: "18830:0" },
      { n: "2", vs: "t" },
      { n: "3", v: 1 },
      { n: "4", vb: false },
    ];
    expect(await create(18831, [from, ...to])).toMatch(/^2.01/);
    rig.plant.set("tracker", "lat", 50.25);
    while (!published.some((text) => text.includes(`"bn":"${prefix}/6/0/`) && text.includes("50.25"))) {
      await rig.run(500);
      // The sockets are real ones.
      for (let turn = 0; turn < 50; turn++) await settle();
    }
  });
});
