import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { Rig } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
/** A reading is on disk within a second. */
const COMMIT_MS = 1000;

function registers(rig: Rig): readonly string[] {
  return rig.server.log.filter((line) => line.startsWith("POST /rd?"));
}

describe(`within the lifetime of its registration (seed ${seed})`, () => {
  it("a gateway that was suspended goes on with it, and with what is observed", async () => {
    await using rig = new Rig({ seed, ending: "suspend" });
    await rig.start();
    await rig.run(15_000);
    await rig.stop();
    await rig.run(20_000, "nobody");
    await rig.start(rig.folder);
    await rig.run(15_000);
    expect(registers(rig)).toHaveLength(1);
    expect(rig.server.log).not.toContain("DELETE /rd/1");
    expect(rig.messages("the registration of before is taken up again")).toHaveLength(1);
    expect(rig.messages("in touch again, the registration goes on")).toHaveLength(1);
    expect((await rig.gateway.status()).endpoints[0]?.servers[0]?.observations).toBe(10);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 2 * MINUTE_MS);
  });

  it.each(["there", "silent"] as const)(
    "one that lost its power does, too, when the server was %s",
    async (presence) => {
      await using rig = new Rig({ seed });
      await rig.start();
      await rig.run(15_000);
      rig.server.presence = presence;
      await rig.run(20_000);
      const left = await rig.copyState();
      const failedAtMs = rig.clock.nowMs();
      // The gateway that lost its power says no farewell.
      rig.server.presence = "silent";
      await rig.stop();
      await rig.start(left);
      await rig.run(10_000);
      rig.server.presence = "there";
      await rig.run(2 * MINUTE_MS);
      expect(registers(rig)).toHaveLength(1);
      expect((await rig.gateway.status()).endpoints[0]?.servers[0]?.observations).toBe(10);
      rig.plant.trouble("meter", "resting");
      const counts = ({ atMs }: { atMs: number }): boolean => atMs < failedAtMs - COMMIT_MS || atMs > failedAtMs;
      await expectBalance(rig, 5 * MINUTE_MS, { counts });
    },
  );

  it("one that has another address registers anew, and is observed anew", async () => {
    await using rig = new Rig({ seed, ending: "suspend" });
    await rig.start();
    await rig.run(15_000);
    await rig.stop();
    rig.route.addresses = "taken";
    await rig.start(rig.folder);
    await rig.run(15_000);
    expect(rig.messages("registration lost, registering anew")).toMatchObject([
      { failure: "the gateway has another address now" },
    ]);
    expect(registers(rig)).toHaveLength(2);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 2 * MINUTE_MS);
  });

  it("one whose server has forgotten it meanwhile registers anew", async () => {
    await using rig = new Rig({ seed, ending: "suspend" });
    await rig.start();
    await rig.run(15_000);
    await rig.stop();
    rig.server.forget();
    await rig.start(rig.folder);
    await rig.run(15_000);
    expect(registers(rig)).toHaveLength(2);
    rig.plant.trouble("meter", "resting");
    await expectBalance(rig, 2 * MINUTE_MS);
  });
});

describe("after it", () => {
  it("a gateway registers anew", async () => {
    await using rig = new Rig({ seed, ending: "suspend", lifetime: "1m" });
    await rig.start();
    await rig.run(15_000);
    await rig.stop();
    await rig.run(2 * MINUTE_MS, "nobody");
    await rig.start(rig.folder);
    await rig.run(15_000);
    expect(registers(rig)).toHaveLength(2);
  });
});

describe("what a server sets", () => {
  it("outlives the gateway: its lifetime and its attributes", async () => {
    await using rig = new Rig({ seed, ending: "suspend" });
    await rig.start();
    await rig.run(5000);
    const ask = (method: "GET" | "PUT", path: string, options = {}) =>
      rig.during(rig.server.ask(method, path, options));
    expect(await ask("PUT", "/1/0/1", { payload: "600" })).toBe("2.04");
    expect(await ask("PUT", "/3300/0", { query: ["pmin=7"] })).toBe("2.04");
    await rig.run(2000);
    await rig.stop();
    await rig.start(rig.folder);
    await rig.run(5000);
    expect(await ask("GET", "/1/0/1")).toBe("2.05 600");
    expect(await ask("GET", "/3300/0", { accept: 40 })).toContain("</3300/0>;pmin=7");
    expect(rig.server.log.filter((line) => line.includes("lt=600"))).toHaveLength(1);
  });

  it("is forgotten by a Factory Reset /3/0/5", async () => {
    await using rig = new Rig({ seed, ending: "suspend" });
    await rig.start();
    await rig.run(5000);
    const ask = (method: "GET" | "PUT" | "POST", path: string, options = {}) =>
      rig.during(rig.server.ask(method, path, options));
    expect(await ask("PUT", "/1/0/1", { payload: "600" })).toBe("2.04");
    expect(await ask("PUT", "/3300/0", { query: ["pmin=7"] })).toBe("2.04");
    await rig.run(2000);
    expect(await ask("POST", "/3/0/5")).toBe("2.04");
    await rig.stop();
    await rig.start(rig.folder);
    await rig.run(5000);
    expect(registers(rig)).toHaveLength(2);
    expect(await ask("GET", "/1/0/1")).toBe("2.05 300");
    expect(await ask("GET", "/3300/0", { accept: 40 })).not.toContain("pmin=7");
  });
});
