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

  it("keeps to the limit of the profile on bits", () => {
    const coils = Array.from({ length: 40 }, (_, index) => modbusPoint(`c${index}`, "coil", index));
    expect(plan(coils, TCP, { maxBits: 16 })).toEqual([
      "FC1 unit 7, 16 bits from 0",
      "FC1 unit 7, 16 bits from 16",
      "FC1 unit 7, 8 bits from 32",
    ]);
  });

  const at = (register: number) => modbusPoint(`r${register}`, "holding", register, { type: "uint16" });
  const forbidden: readonly (readonly [string, readonly [number, number], number])[] = [
    ["between the points", [3, 5], 2],
    ["one register between them", [4, 4], 2],
    ["that reaches in from below", [0, 3], 2],
    ["elsewhere", [11, 20], 1],
    ["that is what was asked for", [2, 2], 1],
  ];
  it.each(forbidden)("never reads along a forbidden range %s", (_, range, requests) => {
    expect(plan([at(2), at(7)], TCP, { never: [range] })).toHaveLength(requests);
  });

  it("asks nothing of the broadcast on a line, where nobody answers", () => {
    const everybody = { name: "all", address: { unit: 0 }, traits: {} };
    expect(planExchanges(RTU, everybody, [at(0)])).toEqual([]);
    expect(planExchanges(TCP, everybody, [at(0)])).toHaveLength(1);
  });

  const latencies: readonly (readonly [number | undefined, number])[] = [
    [undefined, 14],
    [10, 14],
    [2, 10],
    [0, 10],
    [50, 33],
    [5000, 106],
  ];
  it.each(latencies)(
    "with answers that take %s ms reads across at most %d registers at 9600 Bd",
    (latencyMs, limit) => {
      const line = latencyMs === undefined ? {} : { latencyMs };
      const requests = (last: number): number =>
        planExchanges(RTU, { name: "d", address: { unit: 7 }, traits: {} }, [at(0), at(last)], line).length;
      expect([requests(1 + limit), requests(2 + limit)]).toEqual([1, 2]);
    },
  );

  it("reckons ASCII with two characters for each byte", () => {
    const ascii: ModbusLinkOptions = { transport: "ascii", port: "/dev/ttyS0", baudRate: 9600 };
    const [exchange] = planExchanges(ascii, { name: "d", address: { unit: 1 }, traits: {} }, [float32(0)]);
    // Frames of 7 characters each besides 5, 2 and 4 bytes, of 10 bits (7E1); two silences and 10 ms for the device.
    expect(exchange?.wireMs).toBeCloseTo(((14 + 22 + 7) * 10_000) / 9600 + 10, 6);
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
    [{ at: { table: "input", register: 65535 }, type: "uint16" }, undefined],
    [{ at: { table: "input", register: 65535 }, type: "float32" }, "ends beyond register 65535"],
    [{ at: { table: "input", register: 65533 }, type: "string", length: 4 }, "ends beyond register 65535"],
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
