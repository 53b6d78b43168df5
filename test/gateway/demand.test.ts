import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { METER_PATHS, Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
const FIRST = "/3300/0/5700";

async function begin(options: Partial<RigOptions>): Promise<Rig> {
  const rig = new Rig({ seed, lifetime: "1h", ...options });
  await rig.start();
  await rig.run(10_000);
  return rig;
}

/** Attributes from the server with this number. */
async function attach(rig: Rig, path: string, query: readonly string[], server = 0): Promise<void> {
  const code = rig.servers[server]?.ask("PUT", path, { query }) ?? Promise.resolve("no server");
  expect(await rig.during(code)).toBe("2.04");
  // The slots of the new period begin at their place in it.
  await rig.run(15_000);
}

/** How often points were read within a minute. */
async function reads(rig: Rig, ...points: readonly string[]): Promise<readonly number[]> {
  const before = rig.plant.served.length;
  await rig.run(MINUTE_MS);
  const served = rig.plant.served.slice(before);
  return points.map((point) => served.filter((one) => one.point === point).length);
}

describe(`the field is polled as observers ask (seed ${seed})`, () => {
  it("no sooner than epmin, by epmax, and as its class says when they are unset", async () => {
    await using rig = await begin({});
    expect(await reads(rig, "value0", "value1")).toEqual([60, 60]);
    await attach(rig, FIRST, ["epmin=10"]);
    expect(await reads(rig, "value0", "value1")).toEqual([6, 60]);
    await attach(rig, FIRST, ["epmin=2", "epmax=5"]);
    expect(await reads(rig, "value0", "value1")).toEqual([30, 60]);
    await attach(rig, FIRST, ["epmin", "epmax"]);
    expect(await reads(rig, "value0", "value1")).toEqual([60, 60]);
  });

  it("in one request where the periods are the same", async () => {
    await using rig = await begin({ devices: [{ name: "meter", profile: "meter", fast: "30s" }] });
    await attach(rig, FIRST, ["epmax=5"]);
    await attach(rig, "/3300/1/5700", ["epmax=5"]);
    const before = rig.gateway.field.status().buses[0]?.exchanges ?? 0;
    expect(await reads(rig, "value0", "value1", "value2")).toEqual([12, 12, 2]);
    expect((rig.gateway.field.status().buses[0]?.exchanges ?? 0) - before).toBe(14);
  });

  it("as soon as any of several servers wants it", async () => {
    await using rig = await begin({ servers: [METER_PATHS, METER_PATHS] });
    await attach(rig, "/3300", ["epmin=20"], 0);
    expect(await reads(rig, "value0")).toEqual([60]);
    await attach(rig, FIRST, ["epmin=10"], 1);
    expect(await reads(rig, "value0", "value1")).toEqual([6, 60]);
    await attach(rig, FIRST, ["epmax=3", "epmin"], 1);
    expect(await reads(rig, "value0")).toEqual([60]);
  });

  it("behind a prefix", async () => {
    const devices = [{ name: "meter", profile: "meter", expose: "gateway", id: "urn:dev:x-1", prefix: "m1" }] as const;
    await using rig = await begin({ devices, servers: [[`/m1${FIRST}`]] });
    await attach(rig, "/m1/3300", ["epmin=10"]);
    expect(await reads(rig, "value0", "value1")).toEqual([6, 60]);
  });

  it("also after a restart", async () => {
    await using rig = await begin({ ending: "suspend" });
    await attach(rig, FIRST, ["epmin=10"]);
    await rig.stop();
    await rig.start(rig.folder);
    await rig.run(15_000);
    expect(await reads(rig, "value0", "value1")).toEqual([6, 60]);
  });
});
