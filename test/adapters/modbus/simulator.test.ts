import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { modbus } from "../../../adapters/modbus/index.js";
import type { ModbusPoint, ModbusStation } from "../../../adapters/modbus/options.js";
import { ModbusSimulator } from "../../../adapters/modbus/simulator.js";
import { silentLog } from "../../../src/base/log.js";
import type { Link } from "../../../src/field/index.js";
import { FakeClock } from "../../fakes/clock.js";
import { modbusPoint } from "./points.js";

const POINTS = [
  modbusPoint("temperature", "input", 10, { type: "int16" }),
  modbusPoint("energy", "input", 20, { type: "uint64", order: "CDAB" }),
  modbusPoint("setpoint", "holding", 0, { type: "float32" }),
  modbusPoint("mode", "holding", 5, { type: "uint16", bits: { at: 4, width: 3 } }),
  modbusPoint("relay", "coil", 3),
  modbusPoint("door", "discrete", 3),
  modbusPoint("model", "holding", 30, { type: "string", length: 4 }),
];

describe("the Modbus simulator", () => {
  const forever = new AbortController().signal;
  const station = { name: "ahu", address: { unit: 17 }, traits: { responseTimeoutMs: 1000 } };
  let clock: FakeClock;
  let simulator: ModbusSimulator;
  let link: Link<ModbusStation, ModbusPoint>;

  beforeEach(async () => {
    clock = new FakeClock();
    simulator = new ModbusSimulator([{ station, points: POINTS }], clock);
    await simulator.listen(0);
    link = await modbus.open(
      simulator.link,
      { name: "sim", clock, log: silentLog, secret: (text: string) => Promise.resolve(text) },
      forever,
    );
  });

  afterEach(async () => {
    await link[Symbol.asyncDispose]();
    await simulator[Symbol.asyncDispose]();
    expect(clock.pendingCount).toBe(0);
  });

  const only = (name: string) => POINTS.filter((point) => point.name === name);

  it("answers what was set, through one link over a real socket", async () => {
    const values = {
      temperature: -55,
      energy: 2n ** 60n,
      setpoint: 21.5,
      mode: 5,
      relay: true,
      door: true,
      model: "AHU-7",
    };
    for (const [name, value] of Object.entries(values)) simulator.set("ahu", name, value);
    const readings = await link.read(station, POINTS, forever);
    expect(Object.fromEntries(readings.map(({ point, value }) => [point, value]))).toEqual(values);
  });

  it("keeps what is written", async () => {
    for (const [name, value] of [
      ["setpoint", 18.25],
      ["mode", 3],
      ["relay", true],
      ["model", "neu"],
    ] as const) {
      for (const point of only(name)) await link.write(station, point, value, forever);
      expect(simulator.get("ahu", name)).toBe(value);
    }
  });

  it("refuses registers that no point and no gap of a read has", async () => {
    const [reading] = await link.read(station, [modbusPoint("x", "holding", 500, { type: "uint16" })], forever);
    expect(reading).toMatchObject({ quality: "unsupported", reason: "exception 2, illegal data address" });
  });

  const faults = [
    ["wrong-unit", { kind: "wrong-unit" }, "crc"],
    ["exception 4", { kind: "exception", code: 4 }, "exception"],
  ] as const;
  it.each(faults)("can be made to misbehave: %s", async (_, fault, quality) => {
    simulator.misbehave(() => fault);
    const [reading] = await link.read(station, only("temperature"), forever);
    expect(reading?.quality).toBe(quality);
  });

  it("can be silent", async () => {
    const asked = new Promise<void>((resolve) =>
      simulator.misbehave(() => {
        resolve();
        return { kind: "silent" };
      }),
    );
    const reading = link.read(station, only("temperature"), forever);
    await asked;
    await clock.advance(1001);
    expect((await reading)[0]?.quality).toBe("timeout");
  });

  it.each(["garbled", "close"] as const)("can end a session: %s", async (kind) => {
    simulator.misbehave(() => ({ kind }));
    await expect(link.read(station, only("temperature"), forever)).rejects.toMatchObject({
      code: expect.stringMatching(/^LINK_/),
    });
    expect(await link.closed).toMatchObject({ code: expect.stringMatching(/^LINK_/) });
  });

  it("can answer in two pieces", async () => {
    simulator.set("ahu", "temperature", 7);
    const asked = new Promise<void>((resolve) =>
      simulator.misbehave(() => {
        resolve();
        return { kind: "fragment", bytes: 9 };
      }),
    );
    const reading = link.read(station, only("temperature"), forever);
    await asked;
    await clock.advance(1);
    expect((await reading)[0]).toMatchObject({ quality: "good", value: 7 });
  });
});
