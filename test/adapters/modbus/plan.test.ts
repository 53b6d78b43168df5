import { describe, expect, it } from "vitest";
import {
  linkProblem,
  type ModbusLinkOptions,
  type ModbusPoint,
  pointProblem,
} from "../../../adapters/modbus/options.js";
import { planExchanges } from "../../../adapters/modbus/plan.js";
import type { DeviceTraits, Point } from "../../../src/field/index.js";
import { modbusPoint } from "./points.js";

const RTU: ModbusLinkOptions = { transport: "rtu", port: "/dev/ttyS0", baudRate: 9600 };
const TCP: ModbusLinkOptions = { transport: "tcp", host: "192.0.2.1" };

function plan(points: readonly Point<ModbusPoint>[], options = RTU, traits: DeviceTraits = {}): string[] {
  return planExchanges(options, { name: "d", address: { unit: 7 }, traits }, points).map(({ summary }) => summary);
}

function float32(register: number): Point<ModbusPoint> {
  return modbusPoint(`r${register}`, "input", register, { type: "float32" });
}

describe("planning Modbus reads", () => {
  it("reads the whole of an SDM630 in one request", () => {
    const registers = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 52, 56, 58, 62, 70, 72, 74];
    // 17 registers lie between 0x22+2 and 0x34: more than a request costs at 9600 Bd, unless the profile says so.
    expect(plan(registers.map(float32), RTU, { maxGap: 20 })).toEqual(["FC4 unit 7, 76 registers from 0"]);
    expect(plan(registers.map(float32), TCP)).toEqual(["FC4 unit 7, 76 registers from 0"]);
  });

  it("does not depend on the order of the points", () => {
    expect(plan([float32(4), float32(0), float32(2)])).toEqual(["FC4 unit 7, 6 registers from 0"]);
  });

  const gaps: readonly (readonly [string, ModbusLinkOptions, DeviceTraits, number])[] = [
    ["2400 Bd", { ...RTU, baudRate: 2400 }, {}, 11],
    ["9600 Bd", RTU, {}, 14],
    ["19200 Bd", { ...RTU, baudRate: 19200 }, {}, 19],
    ["115200 Bd", { ...RTU, baudRate: 115200 }, {}, 84],
    ["TCP", TCP, {}, 50],
    ["the profile's limit", RTU, { maxGap: 3 }, 3],
  ];
  it.each(gaps)("reads across gaps as long as they are cheaper than a request: %s", (_, options, traits, limit) => {
    const at = (register: number) => modbusPoint(`r${register}`, "holding", register, { type: "uint16" });
    expect(plan([at(0), at(1 + limit)], options, traits)).toHaveLength(1);
    expect(plan([at(0), at(2 + limit)], options, traits)).toHaveLength(2);
  });

  it("keeps to the limits of the protocol and of the profile", () => {
    const registers = Array.from({ length: 130 }, (_, index) =>
      modbusPoint(`r${index}`, "holding", index, { type: "int16" }),
    );
    expect(plan(registers)).toEqual(["FC3 unit 7, 125 registers from 0", "FC3 unit 7, 5 registers from 125"]);
    expect(plan(registers.slice(0, 5), RTU, { maxRegisters: 2 })).toHaveLength(3);
    const coils = Array.from({ length: 2001 }, (_, index) => modbusPoint(`c${index}`, "coil", index));
    expect(plan(coils)).toEqual(["FC1 unit 7, 2000 bits from 0", "FC1 unit 7, 1 bits from 2000"]);
  });

  it("never mixes tables, and shares a register between fields of bits", () => {
    const points = [
      modbusPoint("a", "holding", 0, { type: "uint16", bits: { at: 0 } }),
      modbusPoint("b", "holding", 0, { type: "uint16", bits: { at: 1 } }),
      modbusPoint("c", "input", 1, { type: "uint16" }),
      modbusPoint("d", "discrete", 2),
    ];
    expect(plan(points)).toEqual([
      "FC2 unit 7, 1 bits from 2",
      "FC3 unit 7, 1 registers from 0",
      "FC4 unit 7, 1 registers from 1",
    ]);
  });

  it("takes addresses that count from 1 down by one", () => {
    expect(plan([float32(3000)], RTU, { addressBase: 1 })).toEqual(["FC4 unit 7, 2 registers from 2999"]);
    expect(plan([float32(0), float32(2)], RTU, { addressBase: 1 })).toHaveLength(2);
  });

  it("reckons the time on the wire", () => {
    const [exchange] = planExchanges(RTU, { name: "d", address: { unit: 1 }, traits: {} }, [float32(0)]);
    // 17 characters of 10 bits, two silences of 3.5 characters, 10 ms for the device.
    expect(exchange?.wireMs).toBeCloseTo((24 * 10_000) / 9600 + 10, 6);
  });
});

describe("what the schema cannot see", () => {
  const links: readonly (readonly [ModbusLinkOptions, string | undefined])[] = [
    [{ transport: "rtu" }, "rtu needs 'port', the path of the serial port"],
    [{ transport: "rtu", port: 502 }, "rtu needs 'port', the path of the serial port"],
    [{ transport: "rtu", port: "/dev/ttyS0", host: "h" }, "rtu has no 'host'; use rtu-over-tcp for a serial server"],
    [{ transport: "tcp" }, "tcp needs 'host'"],
    [{ transport: "rtu-over-tcp", host: "h", port: "/dev/ttyS0" }, "'port' of rtu-over-tcp is a number"],
    [TCP, undefined],
    [RTU, undefined],
  ];
  it.each(links)("%o: %s", (options, problem) => {
    expect(linkProblem(options)).toBe(problem);
  });

  const points: readonly (readonly [ModbusPoint, string | undefined])[] = [
    [{ at: { table: "coil", register: 0 } }, undefined],
    [
      { at: { table: "coil", register: 0 }, type: "uint16" },
      "a coil is one bit: type bool, without order, bits and length",
    ],
    [{ at: { table: "holding", register: 0 } }, "a register needs 'type'"],
    [{ at: { table: "holding", register: 0 }, type: "string" }, "a string needs 'length' (in registers)"],
    [
      { at: { table: "input", register: 0 }, type: "int16", write: { function: "multiple" } },
      "an input register is written only elsewhere: give 'write.register'",
    ],
    [{ at: { table: "input", register: 0 }, type: "int16", write: { register: 5 } }, undefined],
  ];
  it.each(points)("%o: %s", (point, problem) => {
    expect(pointProblem(point)).toBe(problem);
  });
});
