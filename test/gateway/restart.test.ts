import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { METER_PATHS, Rig, type RigDevice } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
/** A reading is on disk within a second. */
const COMMIT_MS = 1000;

const METER: RigDevice = { name: "meter", profile: "meter" };
const SPARE: RigDevice = { name: "spare", profile: "meter" };

describe(`a restart loses nothing (seed ${seed})`, () => {
  it("the gateway is stopped and started in the middle of an outage", async () => {
    await using rig = new Rig({ seed });
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
  });

  it.each(["registered", "away"])("the power fails while the server is %s", async (state) => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(15_000);
    if (state === "away") rig.server.presence = "silent";
    await rig.run(20_000);
    const left = await rig.copyState();
    const failedAtMs = rig.clock.nowMs();
    // The gateway that lost its power says no farewell.
    rig.server.presence = "silent";
    await rig.stop();
    rig.server.forget();
    await rig.start(left);
    await rig.run(10_000);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    const counts = ({ atMs }: { atMs: number }): boolean => atMs < failedAtMs - COMMIT_MS || atMs > failedAtMs;
    await expectBalance(rig, 10 * MINUTE_MS, { counts });
  });

  it("instance ids stay with their devices, whatever the order in the configuration", async () => {
    await using rig = new Rig({ seed, devices: [METER, SPARE] });
    // Values that nobody takes for the other one's.
    for (const path of METER_PATHS) rig.plant.set("spare", `value${path.split("/")[2]}`, 1_000_000);
    await rig.start();
    await rig.run(10_000);
    const { links } = rig.server;
    await rig.stop();
    await rig.configure(rig.folder, [SPARE, METER]);
    await rig.start(rig.folder);
    await rig.run(10_000);
    expect(rig.server.links.split(",").sort()).toEqual(links.split(",").sort());
    await rig.stop();
    await rig.configure(rig.folder, [METER]);
    await rig.start(rig.folder);
    await rig.run(10_000);
    expect(rig.server.links).not.toContain("</3300/10>");
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, MINUTE_MS);
  });
});

describe(`Mute Send (seed ${seed})`, () => {
  it("is obeyed: buffered samples wait until the server takes them again", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(10_000);
    expect(await rig.during(rig.server.ask("PUT", "/1/0/23", { payload: "1" }))).toBe("2.04");
    const sends = (): number => rig.server.log.filter((line) => line === "POST /dp").length;
    const before = sends();
    rig.server.presence = "silent";
    await rig.run(2 * MINUTE_MS);
    rig.server.presence = "there";
    await rig.run(4 * MINUTE_MS);
    rig.plant.trouble("meter", "resting");
    expect(rig.server.registrations).toBe(1);
    expect(sends()).toBe(before);
    expect((await rig.gateway.status()).outbox.buffered).toBeGreaterThan(1000);
    expect(await rig.during(rig.server.ask("PUT", "/1/0/23", { payload: "0" }))).toBe("2.04");
    await expectBalance(rig, 2 * MINUTE_MS);
    expect(rig.messages("buffered samples were not acknowledged; they are kept")).toHaveLength(1);
  });
});
