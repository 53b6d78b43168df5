import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { Rig } from "./rig.js";

const { seed } = random();
const HOUR_MS = 3_600_000;

function lost(rig: Rig): readonly string[] {
  const heard = new Set(rig.server.arrivals.map(({ path, value }) => `${path} ${String(value)}`));
  return rig.plant.served
    .filter(({ station }) => station === "meter")
    .map(({ point, value }) => `/3300/${point.replace("value", "")}/5700 ${value}`)
    .filter((reading) => !heard.has(reading));
}

async function expectNothingLost(rig: Rig, withinMs: number): Promise<void> {
  for (let leftMs = withinMs; leftMs > 0 && lost(rig).length > 0; leftMs -= 5000) await rig.run(5000);
  expect(lost(rig)).toEqual([]);
}

describe.each([-HOUR_MS, HOUR_MS])(`the wall clock is set by %i ms (seed ${seed})`, (byMs) => {
  it.each(["send", "notify"] as const)("in the middle of everything: nothing is lost (%s)", async (history) => {
    await using rig = new Rig({ seed, history });
    await rig.start();
    await rig.run(90_000);
    rig.clock.set(byMs);
    await rig.run(20_000);
    rig.server.presence = "silent";
    await rig.run(150_000);
    rig.server.presence = "there";
    await rig.run(30_000);
    rig.plant.trouble("meter", "resting");
    await expectNothingLost(rig, 4 * 60_000);
    await rig.run(30_000);
    expect((await rig.gateway.status()).outbox.buffered).toBeLessThan(1000);
  });

  it("during an outage: nothing is lost", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(90_000);
    rig.server.presence = "silent";
    await rig.run(60_000);
    rig.clock.set(byMs);
    await rig.run(60_000);
    rig.server.presence = "there";
    await rig.run(30_000);
    rig.plant.trouble("meter", "resting");
    await expectNothingLost(rig, 4 * 60_000);
    await rig.run(30_000);
    expect((await rig.gateway.status()).outbox.buffered).toBeLessThan(1000);
  });
});
