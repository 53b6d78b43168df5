import { expect, it } from "vitest";
import { random } from "../fakes/random.js";
import type { WireLwm2mServer } from "../fakes/wire-server.js";
import { Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const PRESSURE = "/3315/0/5700";
const SETPOINT = "/3308/0/5900";

async function startRig(
  options: Partial<RigOptions> = {},
): Promise<{ rig: Rig; operator: WireLwm2mServer; watcher: WireLwm2mServer }> {
  const rig = new Rig({
    seed,
    devices: [{ name: "valve", profile: "valve" }],
    servers: [
      [PRESSURE, SETPOINT],
      [PRESSURE, SETPOINT],
    ],
    rights: [
      { default: ["read", "execute"], 3308: ["read", "write"] },
      { default: [], 3315: ["read"] },
    ],
    ...options,
  });
  rig.plant.set("valve", "setpoint", 200);
  rig.plant.set("valve", "pressure", 70);
  await rig.start();
  const [operator, watcher] = rig.servers;
  if (operator === undefined || watcher === undefined) throw new Error("there are two servers");
  await rig.run(15_000);
  return { rig, operator, watcher };
}

function pathsAt(server: WireLwm2mServer): readonly string[] {
  return [...new Set(server.arrivals.map(({ path }) => path))].sort();
}

it(`Show 3: two servers with different rights and attributes, each gets exactly its own (seed ${seed})`, async () => {
  const { rig, operator, watcher } = await startRig();
  await using _ = rig;
  const ask = (server: WireLwm2mServer, ...request: Parameters<WireLwm2mServer["ask"]>) =>
    rig.during(server.ask(...request));
  expect(await ask(operator, "PUT", PRESSURE, { query: ["gt=100"] })).toBe("2.04");
  expect(await ask(watcher, "PUT", PRESSURE, { query: ["lt=50"] })).toBe("2.04");
  for (const server of rig.servers) server.arrivals.length = 0;
  for (const pressure of [90, 120, 90, 40, 60, 130]) {
    rig.plant.set("valve", "pressure", pressure);
    await rig.run(3000);
  }
  const pressures = (server: WireLwm2mServer) =>
    server.arrivals.filter(({ path, how }) => path === PRESSURE && how === "notified").map(({ value }) => value);
  expect(pressures(operator)).toEqual([120, 90, 130]);
  expect(pressures(watcher)).toEqual([40, 60]);

  expect(await ask(watcher, "GET", SETPOINT)).toBe("4.01");
  expect(await ask(watcher, "PUT", SETPOINT, { payload: "30" })).toBe("4.01");
  expect(await ask(operator, "PUT", PRESSURE, { payload: "30" })).toBe("4.01");
  expect(await ask(operator, "PUT", SETPOINT, { payload: "30" })).toBe("2.04");
  expect(rig.plant.written).toEqual([{ station: "valve", point: "setpoint", value: 300 }]);
});

it(`what a server may not read never reaches it, neither by notifications nor by Send after an outage (seed ${seed})`, async () => {
  const { rig, operator, watcher } = await startRig();
  await using _ = rig;
  for (const server of rig.servers) server.presence = "silent";
  for (const value of [210, 220, 230]) {
    rig.plant.set("valve", "setpoint", value);
    rig.plant.set("valve", "pressure", value);
    await rig.run(20_000);
  }
  for (const server of rig.servers) server.presence = "there";
  const endMs = rig.clock.nowMs();
  await rig.run(400_000);
  expect(watcher.arrivals.some(({ how, path }) => how === "sent" && path === PRESSURE)).toBe(true);
  expect(pathsAt(operator)).toContain(SETPOINT);
  expect(pathsAt(watcher).filter((path) => !path.startsWith("/3315/"))).toEqual([]);
  // Nothing that is held back holds up the queue.
  expect((await rig.gateway.status()).outbox.oldestAtMs).toBeGreaterThan(endMs);
});

it.each([
  ["endpoints", "urn:valve", "", "4.01"],
  ["gateway", "urn:dev:os:32473-1", "/d01", "2.04"],
] as const)(
  "in mode %s a device has its own lists, or none behind a prefix",
  async (expose, endpoint, prefix, answer) => {
    const devices = [{ name: "valve", profile: "valve", id: "urn:valve", prefix: "d01" }] as const;
    const { rig, operator, watcher } = await startRig({ expose, devices });
    await using _ = rig;
    const write = (server: WireLwm2mServer) =>
      rig.during(server.ask("PUT", `${prefix}${SETPOINT}`, { payload: "30", endpoint }));
    expect(await write(watcher)).toBe(answer);
    expect(await write(operator)).toBe("2.04");
  },
);
