import { beforeEach, describe, expect, it } from "vitest";
import { ModbusLink } from "../../../adapters/modbus/link.js";
import type { ModbusPoint } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { rtuFraming } from "../../../adapters/modbus/rtu-framing.js";
import { SerialTransport } from "../../../adapters/modbus/serial-transport.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import type { DeviceTraits, Point, Scalar } from "../../../src/field/index.js";
import { FakeClock } from "../../fakes/clock.js";
import { modbusPoint } from "./points.js";
import { SlaveLine } from "./slave-line.js";

const codec = await PduCodec.load();

describe("a Modbus link", () => {
  let clock: FakeClock;
  let line: SlaveLine;
  let link: ModbusLink;
  const forever = new AbortController().signal;

  beforeEach(() => {
    clock = new FakeClock();
    line = new SlaveLine(clock);
    const timing = timingOf({ transport: "rtu", port: "p", baudRate: 115200 });
    link = new ModbusLink(new SerialTransport(line, rtuFraming, timing, clock), codec, timing, clock);
    const unit = line.unit(3);
    for (let register = 0; register < 20; register++) {
      unit.set("holding", register, 0x1000 + register);
      unit.set("input", register, 0x2000 + register);
      unit.set("coil", register, register & 1);
      unit.set("discrete", register, 1 - (register & 1));
    }
  });

  async function within<T>(work: Promise<T>): Promise<T> {
    const settled = work.catch(() => undefined);
    await clock.advance(5000);
    await settled;
    return await work;
  }

  const station = (traits: DeviceTraits = {}) => ({ name: "pump", address: { unit: 3 }, traits });

  async function read(points: readonly Point<ModbusPoint>[], traits?: DeviceTraits) {
    const readings = await within(link.read(station(traits), points, forever));
    return readings.map((reading) => ("reason" in reading ? `${reading.quality}: ${reading.reason}` : reading.value));
  }

  const write = (point: Point<ModbusPoint>, value: Scalar) => within(link.write(station(), point, value, forever));

  it("reads points of one request, each at its place", async () => {
    const points = [
      modbusPoint("a", "holding", 2, { type: "uint16" }),
      modbusPoint("b", "holding", 4, { type: "uint32", order: "CDAB" }),
      modbusPoint("c", "holding", 4, { type: "uint16", bits: { at: 12, width: 4 } }),
    ];
    expect(await read(points)).toEqual([0x1002, 0x10051004, 1]);
    expect(line.written).toHaveLength(1);
  });

  it.each([
    ["coil", [false, true]],
    ["discrete", [true, false]],
  ] as const)("reads bits of the table %s", async (table, values) => {
    expect(await read([modbusPoint("a", table, 8), modbusPoint("b", table, 17)])).toEqual(values);
  });

  it("counts from 1 where the profile does", async () => {
    expect(await read([modbusPoint("a", "input", 1, { type: "uint16" })], { addressBase: 1 })).toEqual([0x2000]);
    expect(await read([modbusPoint("a", "input", 0, { type: "uint16" })], { addressBase: 1 })).toEqual([
      "unsupported: register -1 does not exist on the wire",
    ]);
  });

  it("calls what is no number invalid, never 0", async () => {
    line.unit(3).set("holding", 0, 0x7fc0);
    line.unit(3).set("holding", 1, 0);
    expect(await read([modbusPoint("a", "holding", 0, { type: "float32" })])).toEqual(["invalid: NaN is not a number"]);
  });

  it("reports refusals and silence as what they are", async () => {
    expect(await read([modbusPoint("a", "holding", 99, { type: "uint16" })])).toEqual([
      "unsupported: exception 2, illegal data address",
    ]);
    line.units.clear();
    expect(await read([modbusPoint("a", "holding", 1, { type: "uint16" })])).toEqual([
      "timeout: unit 3 did not answer within 1000 ms",
    ]);
  });

  it.each([
    [4, "exception: exception 4, server device failure"],
    [11, "timeout: exception 11, gateway target failed to respond"],
    [6, "exception: exception 6, server device busy"],
  ])("reports exception %i", async (code, text) => {
    line.unit(3).respond = () => Uint8Array.of(0x83, code);
    expect(await read([modbusPoint("a", "holding", 1, { type: "uint16" })])).toEqual([text]);
    expect(line.written).toHaveLength(code === 6 ? 2 : 1);
  });

  it("asks a busy station once more", async () => {
    const unit = line.unit(3);
    const respond = unit.respond.bind(unit);
    unit.respond = (pdu) => (line.written.length === 1 ? Uint8Array.of(0x83, 6) : respond(pdu));
    expect(await read([modbusPoint("a", "holding", 1, { type: "uint16" })])).toEqual([0x1001]);
  });

  const writes: readonly (readonly [string, Point<ModbusPoint>, Scalar, string])[] = [
    ["FC5", modbusPoint("a", "coil", 2), true, "05 0002 ff00"],
    ["FC5 off", modbusPoint("a", "coil", 2), false, "05 0002 0000"],
    ["FC15", modbusPoint("a", "coil", 2, { write: { function: "multiple" } }), true, "0f 0002 0001 01 01"],
    ["FC6", modbusPoint("a", "holding", 2, { type: "int16" }), -2, "06 0002 fffe"],
    [
      "FC16 of one",
      modbusPoint("a", "holding", 2, { type: "int16", write: { function: "multiple" } }),
      7,
      "10 0002 0001 02 0007",
    ],
    ["FC16", modbusPoint("a", "holding", 2, { type: "float32" }), 1, "10 0002 0002 04 3f800000"],
    [
      "FC22",
      modbusPoint("a", "holding", 2, { type: "uint16", bits: { at: 4, width: 2 }, write: { function: "mask" } }),
      3,
      "16 0002 ffcf 0030",
    ],
    [
      "FC23",
      modbusPoint("a", "holding", 2, { type: "uint32", write: { function: "read-write" } }),
      7,
      "17 0002 0002 0002 0002 04 00000007",
    ],
    ["elsewhere", modbusPoint("a", "input", 2, { type: "uint16", write: { register: 9 } }), 7, "06 0009 0007"],
  ];
  it.each(writes)("writes with %s", async (_, point, value, pdu) => {
    await write(point, value);
    expect(toHex(line.written.at(-1)?.slice(1, -2) ?? new Uint8Array())).toBe(pdu.replaceAll(" ", ""));
  });

  it("changes bits with one request where the station knows FC22", async () => {
    const bits = { at: 4, width: 2 };
    await write(modbusPoint("a", "holding", 2, { type: "uint16", bits, write: { function: "mask" } }), 3);
    expect(line.unit(3).get("holding", 2)).toBe(0x1032);
    expect(line.written).toHaveLength(1);
  });

  it("says when FC23 brings something else back than was written", async () => {
    const unit = line.unit(3);
    const point = modbusPoint("a", "holding", 2, { type: "uint16", write: { function: "read-write" } });
    await write(point, 7);
    expect(unit.get("holding", 2)).toBe(7);
    unit.respond = () => fromHex("17020006");
    await expect(write(point, 7)).rejects.toMatchObject({ code: "FIELD_NOT_CONFIRMED" });
  });

  it("broadcasts to unit 0 without waiting for an answer, and never reads from it", async () => {
    const everybody = { name: "all", address: { unit: 0 }, traits: {} };
    const point = modbusPoint("a", "holding", 2, { type: "int16" });
    await within(link.write(everybody, point, 5, forever));
    expect(toHex(line.written[0]?.slice(0, -2) ?? new Uint8Array())).toBe("000600020005");
    const [reading] = await within(link.read(everybody, [point], forever));
    expect(reading).toMatchObject({ quality: "unsupported" });
    const bits = modbusPoint("a", "holding", 2, { type: "uint16", bits: { at: 1 } });
    await expect(within(link.write(everybody, bits, 1, forever))).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
  });

  it("changes bits and leaves their neighbours", async () => {
    await write(modbusPoint("a", "holding", 2, { type: "uint16", bits: { at: 4, width: 2 } }), 3);
    expect(line.unit(3).get("holding", 2)).toBe(0x1032);
  });

  it.each([
    ["FIELD_NOT_WRITABLE", modbusPoint("a", "input", 2, { type: "int16" }), 1],
    ["FIELD_EXCEPTION", modbusPoint("a", "holding", 99, { type: "int16" }), 1],
    ["VALUE_INVALID", modbusPoint("a", "holding", 1, { type: "int16" }), 40000],
    ["VALUE_INVALID", modbusPoint("a", "coil", 1), "on"],
  ] as const)("refuses to write: %s", async (code, point, value) => {
    await expect(write(point, value)).rejects.toMatchObject({ code });
  });
});
