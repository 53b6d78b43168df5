import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { METER_PATHS, Rig } from "./rig.js";

const { seed } = random();
const SETPOINT = "/3308/0/5900";

describe(`first light (seed ${seed})`, () => {
  it("registers what there is, and each reading arrives in time with its value", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(30_000);
    expect(rig.server.log[0]).toBe("POST /rd?ep=urn:dev:os:32473-1&lt=300&lwm2m=1.2&b=U");
    for (const path of METER_PATHS) expect(rig.server.links).toContain(`<${path.slice(0, -"/5700".length)}>`);
    rig.plant.trouble("meter", "resting");
    await rig.run(1000);
    await expectBalance(rig, 0);
    expect(rig.plant.served.length).toBeGreaterThan(280);
  });

  it("leaves with a De-register", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(5000);
    await rig.stop();
    // The network may let it overtake a Send that was on its way.
    expect(rig.server.log.filter((request) => request !== "POST /dp").at(-1)).toBe("DELETE /rd/1");
    expect(rig.server.registrations).toBe(0);
    expect(rig.clock.pendingCount).toBe(0);
  });
});

describe(`a server's write (seed ${seed})`, () => {
  /** A valve whose set point is 20.0, as its device keeps it: 200 tenths. */
  async function startValve(): Promise<Rig> {
    const rig = new Rig({ seed, devices: [{ name: "valve", profile: "valve" }], servers: [[SETPOINT]] });
    rig.plant.set("valve", "setpoint", 200);
    await rig.start();
    await rig.run(5000);
    return rig;
  }
  const write = (rig: Rig, payload: string) => rig.during(rig.server.ask("PUT", SETPOINT, { payload }));
  const read = (rig: Rig) => rig.during(rig.server.ask("GET", SETPOINT, { accept: 0 }));
  const arrived = (rig: Rig) => rig.server.arrivals.filter(({ path }) => path === SETPOINT).map(({ value }) => value);

  it("reaches the device, is confirmed after the read-back, and the new value is notified", async () => {
    await using rig = await startValve();
    const answer = rig.server.ask("PUT", SETPOINT, { payload: "21.5" }).then((code) => {
      return { code, readBack: rig.plant.served.some(({ value }) => value === 215) };
    });
    expect(await rig.during(answer)).toEqual({ code: "2.04", readBack: true });
    expect(rig.plant.written).toEqual([{ station: "valve", point: "setpoint", value: 215 }]);
    expect(rig.messages("written")).toMatchObject([{ device: "valve", point: "setpoint", origin: "server 1" }]);
    await rig.run(1000);
    expect(arrived(rig).at(-1)).toBe(21.5);
    expect(await read(rig)).toBe("2.05 21.5");
  });

  it.each([
    ["the device refuses", "refuses-writes", "4.00"],
    ["the device acknowledges and does nothing", "ignores-writes", "5.00"],
    ["the device does not answer", "silent", "5.00"],
  ] as const)(
    "is answered with an error when %s, and the tree keeps what the device holds",
    async (_, trouble, code) => {
      await using rig = await startValve();
      rig.plant.trouble("valve", trouble);
      expect(await write(rig, "21.5")).toBe(code);
      expect(await read(rig)).toBe("2.05 20");
      await rig.run(5000);
      expect(new Set(arrived(rig))).toEqual(new Set([20]));
    },
  );

  it.each(["100.1", "-1", "1e9", "warm", "NaN", ""])("of '%s' never reaches the device", async (payload) => {
    await using rig = await startValve();
    expect(await write(rig, payload)).toBe("4.00");
    expect(rig.plant.written).toEqual([]);
    expect(await read(rig)).toBe("2.05 20");
  });
});
