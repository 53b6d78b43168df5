import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { GATEWAY, METER_PATHS, Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
const VALVE = "urn:dev:os:32473-102";

const OPTIONS: RigOptions = {
  seed,
  expose: "gateway",
  servers: [METER_PATHS.map((path) => `/d01${path}`)],
  devices: [
    { name: "meter", profile: "meter", id: "urn:dev:os:32473-101", prefix: "d01" },
    { name: "valve", profile: "valve", id: VALVE, prefix: "d02" },
  ],
};

async function startRig(options: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = new Rig({ ...OPTIONS, ...options });
  rig.plant.set("valve", "setpoint", 200);
  rig.plant.set("valve", "pressure", 7);
  await rig.start();
  await rig.run(15_000);
  return rig;
}

/** Without the root link, whose formats are not the matter here. */
function objectsOf(rig: Rig, endpoint: string): string {
  return rig.server.linksOf(endpoint).replace(/^<\/>[^,]*,/, "");
}

describe(`devices behind object 25 (seed ${seed})`, () => {
  it("are listed there, not in the registration", async () => {
    await using rig = await startRig();
    const { server } = rig;
    expect(server.endpoints).toEqual([GATEWAY]);
    expect(objectsOf(rig, GATEWAY)).toBe("</1/0>,</3/0>,</25>;ver=2.0,</25/0>,</25/1>");
    const ask = (path: string): Promise<string> => rig.during(server.ask("GET", path));
    expect(await ask("/25/1/0")).toBe(`2.05 ${VALVE}`);
    expect(await ask("/25/1/1")).toBe("2.05 d02");
    expect(await ask("/25/1/3")).toBe("2.05 </3>;ver=1.2,</3/0>,</3308>;ver=1.1,</3308/0>,</3315>;ver=1.1,</3315/0>");
    expect(await ask("/d02/3/0/1")).toBe("2.05 A pressure, and a set point in tenths");
    expect(await ask("/d02/3308/0/5900")).toBe("2.05 20");
    expect(await ask("/3308/0/5900")).toBe("4.04");
  });

  it("take writes, and tell of their health", async () => {
    await using rig = await startRig();
    const { server, plant } = rig;
    expect(await rig.during(server.ask("PUT", "/d02/3308/0/5900", { payload: "21.5" }))).toBe("2.04");
    expect(plant.written).toEqual([{ station: "valve", point: "setpoint", value: 215 }]);
    plant.trouble("valve", "silent");
    await rig.run(10_000);
    expect(await rig.during(server.ask("GET", "/d02/3/0/11/0"))).toBe("2.05 8");
    expect(await rig.during(server.ask("GET", "/d01/3/0/11/0"))).toBe("2.05 0");
  });

  it.each([30, 300])(
    "lose nothing through an outage of %i s; what was buffered comes with the prefix",
    async (seconds) => {
      await using rig = await startRig();
      rig.server.presence = "silent";
      await rig.run(seconds * 1000);
      rig.server.presence = "there";
      await rig.run(15_000);
      rig.plant.trouble("meter", "resting");
      await expectBalance(rig, 5 * MINUTE_MS);
      const from = new Set(rig.server.arrivals.map(({ prefix, path }) => `${prefix} /${path.split("/")[1]}`));
      expect([...from].sort()).toEqual(["d01 /3300", "d02 /3308", "d02 /3315"]);
    },
  );

  it("lose nothing when the gateway is stopped and started in an outage, and keep their places", async () => {
    await using rig = await startRig();
    const objects = objectsOf(rig, GATEWAY);
    rig.server.presence = "silent";
    await rig.run(30_000);
    await rig.stop();
    await rig.configure(rig.folder, [...(OPTIONS.devices ?? [])].reverse());
    await rig.start(rig.folder);
    await rig.run(30_000);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 10 * MINUTE_MS);
    expect(objectsOf(rig, GATEWAY)).toBe(objects);
    expect(await rig.during(rig.server.ask("GET", "/25/1/1"))).toBe("2.05 d02");
  });

  it("a device that leaves the configuration leaves object 25, the others stay as they are", async () => {
    await using rig = await startRig();
    await rig.stop();
    await rig.configure(rig.folder, [{ name: "valve", profile: "valve", id: VALVE, prefix: "d02" }]);
    await rig.start(rig.folder);
    await rig.run(10_000);
    expect(objectsOf(rig, GATEWAY)).toBe("</1/0>,</3/0>,</25>;ver=2.0,</25/1>");
    expect(await rig.during(rig.server.ask("GET", "/d01/3/0"))).toBe("4.04");
  });

  it("a default prefix depends on the device alone", async () => {
    const devices = [
      { name: "a", profile: "meter" },
      { name: "b", profile: "meter" },
    ] as const;
    await using rig = await startRig({ devices, servers: [[]] });
    const prefix = await rig.during(rig.server.ask("GET", "/25/1/1"));
    expect(prefix).toMatch(/^2\.05 d[0-9a-f]{6}$/);
    const [, b] = devices;
    await rig.stop();
    await rig.start(await rig.makeFolder([b]));
    await rig.run(10_000);
    expect(await rig.during(rig.server.ask("GET", "/25/0/1"))).toBe(prefix);
  });

  it("every exposure at once: one device flat, one behind a prefix, one an endpoint", async () => {
    await using rig = await startRig({
      servers: [METER_PATHS],
      observesAt: GATEWAY,
      devices: [
        { name: "meter", profile: "meter", expose: "flat" },
        { name: "valve", profile: "valve", prefix: "d02" },
        { name: "spare", profile: "valve", expose: "endpoints", id: VALVE },
      ],
    });
    expect(rig.server.endpoints).toEqual([GATEWAY, VALVE]);
    expect(objectsOf(rig, GATEWAY)).toMatch(/^<\/1\/0>,<\/3\/0>,<\/25>;ver=2.0,<\/25\/0>,<\/3300>;ver=1.1,<\/3300\/0>/);
    expect(objectsOf(rig, GATEWAY)).not.toContain("3308");
    expect(objectsOf(rig, VALVE)).toContain("</3308/0>");
    const valve = await rig.during(rig.server.ask("GET", "/d02/3308/0/5900", { endpoint: GATEWAY }));
    expect(valve).toBe("2.05 20");
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, MINUTE_MS);
  });
});
