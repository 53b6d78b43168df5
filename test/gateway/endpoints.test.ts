import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { GATEWAY, Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
const METER = `${GATEWAY}:meter`;
const VALVE = "urn:dev:os:32473-102";

const OPTIONS: RigOptions = {
  seed,
  expose: "endpoints",
  observesAt: METER,
  devices: [
    { name: "meter", profile: "meter" },
    { name: "valve", profile: "valve", id: VALVE },
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

describe(`each device is an endpoint (seed ${seed})`, () => {
  it("registers the gateway and every device, each with its own objects from instance 0 on", async () => {
    await using rig = await startRig();
    expect(rig.server.endpoints).toEqual([GATEWAY, METER, VALVE]);
    expect(objectsOf(rig, GATEWAY)).toBe("</1/0>,</3/0>");
    expect(objectsOf(rig, METER)).toMatch(/^<\/1\/0>,<\/3\/0>,<\/3300>;ver=1.1,<\/3300\/0>,.*<\/3300\/9>$/);
    expect(objectsOf(rig, VALVE)).toBe("</1/0>,</3/0>,</3308>;ver=1.1,</3308/0>,</3315>;ver=1.1,</3315/0>");
    const { endpoints } = await rig.gateway.status();
    expect(endpoints.map(({ endpoint, servers }) => [endpoint, servers.map(({ state }) => state)])).toEqual([
      [GATEWAY, ["registered"]],
      [METER, ["registered"]],
      [VALVE, ["registered"]],
    ]);
  });

  it("does not begin to register with all of them at once", async () => {
    await using rig = new Rig(OPTIONS);
    await rig.start();
    await rig.until(() => rig.server.registrations === 3, 10_000);
    const registers = rig.server.log.filter((line) => line.startsWith("POST /rd?"));
    expect(registers.map((line) => /ep=([^&]*)/.exec(line)?.[1])).toEqual([GATEWAY, METER, VALVE]);
  });

  it("answers for a device with its own object 3, and writes to it", async () => {
    await using rig = await startRig();
    const { server } = rig;
    const ask = (method: "GET" | "PUT" | "POST", path: string, payload?: string): Promise<string> =>
      rig.during(server.ask(method, path, { endpoint: VALVE, ...(payload === undefined ? {} : { payload }) }));
    expect(await ask("GET", "/3/0/1")).toBe("2.05 A pressure, and a set point in tenths");
    expect(await ask("GET", "/3/0/11/0")).toBe("2.05 0");
    expect(await ask("POST", "/3/0/4")).toMatch(/^4\.04/);
    expect(await ask("GET", "/3308/0/5900")).toBe("2.05 20");
    expect(await ask("PUT", "/3308/0/5900", "21.5")).toBe("2.04");
    expect(rig.plant.written).toEqual([{ station: "valve", point: "setpoint", value: 215 }]);
    rig.plant.trouble("valve", "silent");
    await rig.run(10_000);
    expect(await ask("GET", "/3/0/11/0")).toBe("2.05 8");
    expect(await rig.during(server.ask("GET", "/3/0/11/0", { endpoint: METER }))).toBe("2.05 0");
    rig.plant.trouble("valve", "resting");
    await rig.run(15_000);
    expect(await ask("GET", "/3/0/11/0")).toBe("2.05 0");
  });

  it("tells of each device that its link is away, also of one that is silent besides", async () => {
    await using rig = await startRig();
    const codes = (): Promise<readonly string[]> =>
      Promise.all(
        [METER, VALVE, GATEWAY].map((endpoint) => rig.during(rig.server.ask("GET", "/3/0/11/0", { endpoint }))),
      );
    rig.plant.trouble("valve", "silent");
    await rig.run(10_000);
    rig.plant.cable("cut");
    await rig.run(1000);
    expect(await codes()).toEqual(["2.05 8", "2.05 8", "2.05 0"]);
    rig.plant.cable("whole");
    await rig.run(5000);
    expect(await codes()).toEqual(["2.05 0", "2.05 8", "2.05 0"]);
    rig.plant.trouble("valve", "none");
    await rig.run(15_000);
    expect(await codes()).toEqual(["2.05 0", "2.05 0", "2.05 0"]);
  });

  it("loses nothing through an outage, and each reading comes from its own endpoint", async () => {
    await using rig = await startRig();
    rig.server.presence = "silent";
    await rig.run(2 * MINUTE_MS);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 5 * MINUTE_MS);
    const from = new Set(rig.server.arrivals.map(({ endpoint, path }) => `${endpoint} /${path.split("/")[1]}`));
    expect([...from].sort()).toEqual([`${VALVE} /3308`, `${VALVE} /3315`, `${METER} /3300`].sort());
  });

  it("takes leave of the servers with every endpoint", async () => {
    await using rig = await startRig();
    await rig.stop();
    expect(rig.server.registrations).toBe(0);
  });

  it("one device can be an endpoint while the others are flat", async () => {
    await using rig = await startRig({
      expose: "flat",
      observesAt: GATEWAY,
      devices: [
        { name: "meter", profile: "meter" },
        { name: "valve", profile: "valve", expose: "endpoints", id: VALVE },
      ],
    });
    expect(rig.server.endpoints).toEqual([GATEWAY, VALVE]);
    expect(objectsOf(rig, GATEWAY)).toContain("</3300/9>");
    expect(objectsOf(rig, GATEWAY)).not.toContain("</3308");
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, MINUTE_MS);
  });
});
