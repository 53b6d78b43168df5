import { beforeEach, describe, expect, it } from "vitest";
import { ModbusLink } from "../../../adapters/modbus/link.js";
import { type ModbusPoint, pointProblem, pointSchema } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { planExchanges } from "../../../adapters/modbus/plan.js";
import { rtuFraming } from "../../../adapters/modbus/rtu-framing.js";
import { SerialTransport } from "../../../adapters/modbus/serial-transport.js";
import { SimulatedStations } from "../../../adapters/modbus/simulated-stations.js";
import { SlaveUnit } from "../../../adapters/modbus/slave.js";
import { readChain } from "../../../adapters/modbus/sunspec.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { Problems } from "../../../src/base/schema.js";
import { parseSource } from "../../../src/base/source.js";
import type { Point, RegisterType } from "../../../src/field/index.js";
import { FakeClock } from "../../fakes/clock.js";
import { SlaveLine } from "./slave-line.js";

const codec = await PduCodec.load();
const forever = new AbortController().signal;
const RTU = { transport: "rtu", port: "p", baudRate: 115200 } as const;

function point(
  name: string,
  model: number | readonly number[],
  register: number,
  type: RegisterType = "int16",
): Point<ModbusPoint> {
  return { name, access: "rw", pollClass: "fast", address: { at: { table: "holding", register, model }, type } };
}

/** The same unit, which refuses what touches these registers. */
function withoutRegisters(unit: SlaveUnit, registers: readonly number[]): SlaveUnit {
  const poorer = new SlaveUnit();
  for (let register = 40_000; register < 40_200; register++) {
    const word = registers.includes(register) ? undefined : unit.get("holding", register);
    if (word !== undefined) poorer.set("holding", register, word);
  }
  return poorer;
}

const INVERTER = [101, 102, 103];
const watts = point("w", INVERTER, 14);
const factor = point("wSf", INVERTER, 15);
const energy = point("wh", INVERTER, 24, "uint32");
const serial = point("sn", 1, 50, "uint16");
const station = { name: "pv", address: { unit: 1 }, traits: {} };

describe("the chain of SunSpec models", () => {
  const chainAt = (base: number): ReadonlyMap<number, number> =>
    new Map([
      ...[0x5375, 0x6e53, 1, 66].map((word, index) => [base + index, word] as const),
      ...[103, 50].map((word, index) => [base + 70 + index, word] as const),
      ...[103, 50].map((word, index) => [base + 122 + index, word] as const),
      ...[0xffff, 0].map((word, index) => [base + 174 + index, word] as const),
    ]);
  const readFrom = (words: ReadonlyMap<number, number>) => async (register: number, count: number) => {
    const found = Array.from({ length: count }, (_, index) => words.get(register + index));
    return found.every((word) => word !== undefined) ? found : undefined;
  };

  it.each([40_000, 50_000, 0])("is found at %d, the first of a kind counts", async (base) => {
    const chain = await readChain(readFrom(chainAt(base)));
    expect([...chain.models]).toEqual([
      [1, base + 2],
      [103, base + 70],
    ]);
  });

  it("is empty without a marker, and ends where the device refuses or never ends", async () => {
    expect((await readChain(readFrom(new Map()))).models.size).toBe(0);
    const cut = new Map([...chainAt(0)].filter(([register]) => register < 70));
    expect([...(await readChain(readFrom(cut))).models.keys()]).toEqual([1]);
    let reads = 0;
    const endless = async (register: number) => {
      reads++;
      return register === 40_000 ? [0x5375, 0x6e53] : [7, 0];
    };
    expect([...(await readChain(endless)).models.keys()]).toEqual([7]);
    expect(reads).toBeLessThan(100);
  });
});

describe("points of SunSpec models", () => {
  let clock: FakeClock;
  let line: SlaveLine;
  let link: ModbusLink;
  let stations: SimulatedStations;

  beforeEach(() => {
    clock = new FakeClock();
    line = new SlaveLine(clock);
    const timing = timingOf(RTU);
    link = new ModbusLink(new SerialTransport(line, rtuFraming, timing, clock), codec, timing, clock);
    stations = new SimulatedStations([{ station, points: [watts, factor, energy, serial] }]);
    const unit = stations.unit(1);
    if (unit !== undefined) line.units.set(1, unit);
  });

  async function within<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    await clock.advance(20_000);
    return await work;
  }

  it("are read where the device has them, which is asked once", async () => {
    stations.set("pv", "w", -1500);
    stations.set("pv", "wh", 123_456_789);
    const points = [watts, factor, energy];
    expect((await within(link.read(station, points, forever))).map(({ value }) => value)).toEqual([
      -1500, 0, 123_456_789,
    ]);
    line.written.length = 0;
    await within(link.read(station, points, forever));
    expect(line.written).toHaveLength(1);
  });

  it("are looked for again where a device refused before the end of its chain, which may have been a moment's", async () => {
    const unit = stations.unit(1);
    const end = [40_028, 40_029];
    const words = end.map((register) => unit?.get("holding", register) ?? 0);
    stations.set("pv", "w", 5);
    if (unit !== undefined) line.units.set(1, withoutRegisters(unit, end));
    expect(await within(link.read(station, [serial], forever))).toMatchObject([{ quality: "unsupported" }]);
    expect(words[0]).toBe(1);
    if (unit !== undefined) line.units.set(1, unit);
    await clock.advance(600_000);
    expect(await within(link.read(station, [serial], forever))).toMatchObject([{ quality: "good" }]);
  });

  it("are found anew when another device answers after a silence, and only then", async () => {
    stations.set("pv", "w", 5);
    expect((await within(link.read(station, [watts], forever))).map(({ value }) => value)).toEqual([5]);
    line.units.clear();
    expect(await within(link.read(station, [watts], forever))).toMatchObject([{ quality: "timeout" }]);
    const other = new SimulatedStations([{ station, points: [serial, watts, energy] }]);
    other.set("pv", "w", 6);
    const unit = other.unit(1);
    if (unit !== undefined) line.units.set(1, unit);
    expect((await within(link.read(station, [watts], forever))).map(({ value }) => value)).toEqual([6]);
    line.written.length = 0;
    await within(link.read(station, [watts], forever));
    expect(line.written).toHaveLength(1);
  });

  it("are written there", async () => {
    await within(link.write(station, watts, 77, forever));
    expect(stations.get("pv", "w")).toBe(77);
  });

  it("are unsupported where the device has no such model", async () => {
    const meter = point("m", [203, 204], 18);
    expect(await within(link.read(station, [meter], forever))).toMatchObject([
      { quality: "unsupported", reason: "the device has no SunSpec model 203, 204" },
    ]);
    await expect(within(link.write(station, meter, 1, forever))).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
  });

  it("are a timeout where nobody answers", async () => {
    line.units.clear();
    expect(await within(link.read(station, [watts], forever))).toMatchObject([{ quality: "timeout" }]);
  });

  it("share requests with those of the same model only", () => {
    const plain: Point<ModbusPoint> = {
      ...watts,
      name: "p",
      address: { at: { table: "holding", register: 16 }, type: "int16" },
    };
    const plan = planExchanges(RTU, station, [watts, plain, energy, serial]).map(({ summary }) => summary);
    expect(plan).toEqual([
      "FC3 unit 1, 1 registers from 16",
      "FC3 unit 1, 1 registers from 50 of SunSpec model 1",
      "FC3 unit 1, 12 registers from 14 of SunSpec model 101|102|103",
    ]);
  });

  it("are said as a model, or several of one layout, with an offset", () => {
    const read = (text: string) => {
      const { root } = parseSource(text, "test");
      const problems = new Problems();
      const point = root === undefined ? undefined : pointSchema.read(root, "", problems);
      return point?.at ?? problems.list.map(({ path }) => path);
    };
    expect(read("{ at: { sunspec: { model: [101, 103], offset: 14 } }, type: int16 }")).toEqual({
      table: "holding",
      register: 14,
      model: [101, 103],
    });
    expect(read("{ at: { sunspec: { model: 0, offset: 14 } }, type: int16 }")).toEqual(["at.sunspec.model"]);
    expect(pointProblem({ ...watts.address, write: { register: 1 } })).toMatch(/write.register/);
    expect(pointProblem(watts.address)).toBeUndefined();
  });
});
