import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import type { Arrival } from "../fakes/wire-server.js";
import { expectBalance } from "./balance.js";
import { METER_PATHS, Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
const [FIRST = "", SECOND = "", THIRD = ""] = METER_PATHS;
/** A reading is on disk within a second. */
const COMMIT_MS = 1000;
/** What took longer than that was not told as it came. */
const LATE_MS = 3000;

function begin(options: Partial<RigOptions> = {}): Rig {
  return new Rig({ seed, history: "notify", ...options });
}

/** What the server was told later, by path. */
function late(rig: Rig, since = 0): ReadonlyMap<string, readonly Arrival[]> {
  const byPath = new Map<string, Arrival[]>();
  for (const arrival of rig.server.arrivals.slice(since)) {
    const { how, path, atMs, arrivedAtMs } = arrival;
    if (how !== "notified" || atMs === undefined || arrivedAtMs - atMs < LATE_MS) continue;
    const own = byPath.get(path);
    if (own === undefined) byPath.set(path, [arrival]);
    else own.push(arrival);
  }
  return byPath;
}

/** No Send, and what came later came in the order of its times; only what was under way may come twice. */
function expectStoredInOrder(rig: Rig): void {
  expect(rig.server.log.filter((line) => line === "POST /dp")).toEqual([]);
  for (const [path, arrivals] of late(rig)) {
    const times = [...new Set(arrivals.map(({ atMs = 0 }) => atMs))];
    expect(times, path).toEqual([...times].sort((a, b) => a - b));
    expect(arrivals.length - times.length, path).toBeLessThanOrEqual(2);
  }
}

describe(`stored notifications (seed ${seed})`, () => {
  it.each([
    ["30 s, within the lifetime", 30, "1h"],
    ["3 min, after which the server has to be registered with anew", 180, "60s"],
    ["10 min", 600, "5m"],
  ])("tell all of an outage of %s", async (_, seconds, lifetime) => {
    await using rig = begin({ lifetime });
    await rig.start();
    await rig.run(15_000);
    rig.server.presence = "silent";
    await rig.run(seconds * 1000);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 10 * MINUTE_MS);
    expectStoredInOrder(rig);
    expect(late(rig).size).toBe(METER_PATHS.length);
  });

  it("tell all to a server that was started anew", async () => {
    await using rig = begin({ lifetime: "1h" });
    await rig.start();
    await rig.run(15_000);
    rig.server.presence = "silent";
    await rig.run(30_000);
    rig.server.forget();
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 5 * MINUTE_MS);
    expectStoredInOrder(rig);
  });

  it("tell all on a bad network", async () => {
    await using rig = begin();
    Object.assign(rig.route.weather, { loss: 0.1, duplication: 0.1, minDelayMs: 5, maxDelayMs: 200 });
    await rig.start();
    await rig.run(MINUTE_MS);
    rig.server.presence = "silent";
    await rig.run(MINUTE_MS);
    rig.server.presence = "there";
    await rig.run(MINUTE_MS);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 10 * MINUTE_MS);
  });

  it.each(["suspend", "deregister"] as const)("tell all when the gateway is stopped meanwhile (%s)", async (ending) => {
    await using rig = begin({ lifetime: "1h", ending });
    await rig.start();
    await rig.run(15_000);
    rig.server.presence = "silent";
    await rig.run(30_000);
    await rig.stop();
    await rig.start(rig.folder);
    await rig.run(30_000);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 10 * MINUTE_MS);
    expect(rig.server.log.filter((line) => line === "POST /dp")).toEqual([]);
  });

  it("tell all when the power fails meanwhile", async () => {
    await using rig = begin({ lifetime: "1h" });
    await rig.start();
    await rig.run(15_000);
    rig.server.presence = "silent";
    await rig.run(20_000);
    const left = await rig.copyState();
    const failedAtMs = rig.clock.nowMs();
    await rig.stop();
    await rig.start(left);
    await rig.run(10_000);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    const counts = ({ atMs }: { atMs: number }): boolean => atMs < failedAtMs - COMMIT_MS || atMs > failedAtMs;
    await expectBalance(rig, 10 * MINUTE_MS, { counts });
    expect(rig.server.log.filter((line) => line === "POST /dp")).toEqual([]);
  });

  it("of a path are no more than hqmax, the newest; none where /1/x/6 says so", async () => {
    await using rig = begin({ lifetime: "1h" });
    await rig.start();
    await rig.run(10_000);
    expect(await rig.during(rig.server.ask("PUT", FIRST, { query: ["hqmax=5"] }))).toBe("2.04");
    expect(await rig.during(rig.server.ask("PUT", SECOND, { query: ["hqmax=0"] }))).toBe("2.04");
    await rig.run(5000);
    rig.server.presence = "silent";
    await rig.run(3 * MINUTE_MS);
    rig.server.presence = "there";
    await rig.run(2 * MINUTE_MS);
    const told = late(rig);
    // What newer values overtake after the outage, and what was under way when it began, come besides.
    expect(told.get(FIRST)?.length).toBeGreaterThanOrEqual(5);
    expect(told.get(FIRST)?.length).toBeLessThanOrEqual(15);
    expect(told.get(SECOND)?.length ?? 0).toBeLessThanOrEqual(5);
    expect(told.get(THIRD)?.length).toBeGreaterThan(150);
    expectStoredInOrder(rig);
    const before = rig.server.arrivals.length;
    expect(await rig.during(rig.server.ask("PUT", "/1/0/6", { payload: "0" }))).toBe("2.04");
    rig.server.presence = "silent";
    await rig.run(30_000);
    rig.server.presence = "there";
    await rig.run(MINUTE_MS);
    // What was under way when the server went, and the newest value when it was back.
    for (const [path, arrivals] of late(rig, before)) expect(arrivals.length, path).toBeLessThanOrEqual(5);
    expect((await rig.gateway.status()).outbox.buffered).toBeLessThan(100);
  });

  it("are given up when nobody observes again", async () => {
    await using rig = begin({ lifetime: "60s", servers: [[]] });
    await rig.start();
    await rig.run(5 * MINUTE_MS);
    // Those since the last Update, which proves that the server lives.
    expect((await rig.gateway.status()).outbox.buffered).toBeLessThan(400);
  });
});
