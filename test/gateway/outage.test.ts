import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { METER_PATHS, Rig, type RigOptions } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
const OUT_OF_TOUCH = "the server is out of touch; the registration is kept up as long as it lasts";

/** Ten readings per second all the time; in the end the values rest until everything has had time to arrive. */
async function throughOutage(options: Partial<RigOptions>, outage: (rig: Rig) => Promise<void>): Promise<Rig> {
  const rig = new Rig({ seed, ...options });
  await rig.start();
  await rig.run(15_000);
  await outage(rig);
  await rig.run(15_000);
  rig.plant.trouble("meter", "resting");
  return rig;
}

describe(`an outage loses nothing (seed ${seed})`, () => {
  it.each([3, 30, 60, 80])("the server is silent for %d s and still knows the gateway", async (seconds) => {
    await using rig = await throughOutage({}, async ({ server, run }) => {
      server.presence = "silent";
      await run(seconds * 1000);
      server.presence = "there";
    });
    await expectBalance(rig, 3 * MINUTE_MS);
  });

  it("the server is silent for 10 min", async () => {
    await using rig = await throughOutage({}, async ({ server, run }) => {
      server.presence = "silent";
      await run(10 * MINUTE_MS);
      server.presence = "there";
    });
    expect(rig.plant.served.length).toBeGreaterThan(6000);
    await expectBalance(rig, 10 * MINUTE_MS);
    expect((await rig.gateway.status()).outbox).toMatchObject({ uncommitted: 0, dropped: 0 });
    // Whoever reads the log finds the outage once, not once per attempt.
    expect(rig.messages(OUT_OF_TOUCH)).toHaveLength(1);
    expect(rig.messages("registration lost, registering anew")).toHaveLength(1);
    expect(rig.messages("registration failed, it is tried again")).toHaveLength(0);
  });

  it("nothing listens at the server's address for 60 s", async () => {
    await using rig = await throughOutage({}, async ({ route, run }) => {
      route.state = "unreachable";
      await run(MINUTE_MS);
      route.state = "open";
    });
    await expectBalance(rig, 2 * MINUTE_MS);
    // The registration was kept up, and the observations with it.
    expect(rig.server.registrations).toBe(1);
    expect(rig.messages(OUT_OF_TOUCH)).toHaveLength(1);
    expect(rig.messages("in touch again, the registration goes on")).toHaveLength(1);
  });

  it("the gateway has another address afterwards", async () => {
    await using rig = await throughOutage({}, async ({ route, run }) => {
      route.state = "unreachable";
      await run(MINUTE_MS);
      route.addresses = "taken";
      route.state = "open";
    });
    await expectBalance(rig, 2 * MINUTE_MS);
  });

  it("the server is started anew and has forgotten the registration, which was to last for an hour", async () => {
    await using rig = await throughOutage({ lifetime: "1h" }, async ({ server, run }) => {
      server.presence = "silent";
      await run(30_000);
      server.forget();
      server.presence = "there";
    });
    await expectBalance(rig, 2 * MINUTE_MS);
    expect(rig.server.registrations).toBe(1);
  });

  it("the outage begins as soon as the server has registered the gateway", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.until(() => rig.server.registrations > 0, 10_000);
    rig.server.presence = "silent";
    await rig.run(5 * MINUTE_MS);
    rig.server.presence = "there";
    await rig.run(15_000);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 10 * MINUTE_MS);
  });

  it("the network loses 20 %, doubles 10 % and reorders all the time", async () => {
    await using rig = new Rig({ seed });
    Object.assign(rig.route.weather, { loss: 0.2, duplication: 0.1, minDelayMs: 5, maxDelayMs: 200 });
    await rig.start();
    await rig.run(MINUTE_MS);
    rig.server.presence = "silent";
    await rig.run(MINUTE_MS);
    rig.server.presence = "there";
    await rig.run(MINUTE_MS);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 10 * MINUTE_MS);
  });

  it("the field is faster than the network: 100 readings per second, some 15 notifications", async () => {
    const devices = [{ name: "meter", profile: "meter", fast: "100ms" }] as const;
    await using rig = await throughOutage({ devices }, async ({ server, run }) => {
      server.presence = "silent";
      await run(10_000);
      server.presence = "there";
    });
    expect(rig.plant.served.length).toBeGreaterThan(3500);
    await expectBalance(rig, 5 * MINUTE_MS);
  });

  it("one of two servers is away: the other hears everything in time, and then it, too", async () => {
    await using rig = await throughOutage({ servers: [METER_PATHS, METER_PATHS] }, async ({ servers, run }) => {
      const [, away] = servers;
      if (away === undefined) throw new Error("no second server");
      away.presence = "silent";
      await run(2 * MINUTE_MS);
      away.presence = "there";
    });
    await expectBalance(rig, 5000);
    for (const server of rig.servers) await expectBalance(rig, 5 * MINUTE_MS, { server });
  });
});
