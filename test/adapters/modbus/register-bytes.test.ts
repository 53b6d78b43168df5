import { beforeEach, describe, expect, it } from "vitest";
import { answerProblem } from "../../../adapters/modbus/answer.js";
import { ModbusLink } from "../../../adapters/modbus/link.js";
import { type ModbusPoint, pointProblem } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { planExchanges } from "../../../adapters/modbus/plan.js";
import { rtuFraming } from "../../../adapters/modbus/rtu-framing.js";
import { SerialTransport } from "../../../adapters/modbus/serial-transport.js";
import { SlaveUnit } from "../../../adapters/modbus/slave.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import type { DeviceTraits, Point, Scalar } from "../../../src/field/index.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";
import { modbusPoint } from "./points.js";
import { SlaveLine } from "./slave-line.js";

/** Long integers and floats of Daniel and Enron; all else has two bytes. */
const ENRON: DeviceTraits = {
  fourBytes: [
    [5001, 5999],
    [7001, 7999],
  ],
};
const RTU = { transport: "rtu", port: "p", baudRate: 9600 } as const;
const TCP = { transport: "tcp", host: "192.0.2.1" } as const;

const codec = await PduCodec.load();

function long(register: number): Point<ModbusPoint> {
  return modbusPoint(`l${register}`, "holding", register, { type: "uint32" });
}

function short(register: number): Point<ModbusPoint> {
  return modbusPoint(`s${register}`, "holding", register, { type: "uint16" });
}

describe("planning reads of registers of four bytes", () => {
  const plan = (points: readonly Point<ModbusPoint>[], traits = ENRON, options: typeof RTU | typeof TCP = TCP) =>
    planExchanges(options, { name: "d", address: { unit: 7 }, traits }, points);

  const plans: readonly (readonly [string, readonly Point<ModbusPoint>[], DeviceTraits, readonly string[]])[] = [
    [
      "one register for 32 bits, two for 64",
      [long(5001), modbusPoint("f", "holding", 5002, { type: "float64" }), long(5004)],
      ENRON,
      ["4 registers of 4 bytes from 5001"],
    ],
    [
      "at most 62 in an answer",
      Array.from({ length: 63 }, (_, index) => long(5001 + index)),
      ENRON,
      ["62 registers of 4 bytes from 5001", "1 registers of 4 bytes from 5063"],
    ],
    [
      "at most as many as the profile says",
      [long(5001), long(5002), long(5003)],
      { ...ENRON, maxRegisters: 2 },
      ["2 registers of 4 bytes from 5001", "1 registers of 4 bytes from 5003"],
    ],
    [
      "two bytes and four apart",
      [short(4999), short(5000), long(5001), long(5002)],
      ENRON,
      ["2 registers from 4999", "2 registers of 4 bytes from 5001"],
    ],
    [
      "nothing across registers of the other kind",
      [short(5000), short(5012)],
      { fourBytes: [[5005, 5006]] },
      ["1 registers from 5000", "1 registers from 5012"],
    ],
    [
      "four bytes at both ends, two between",
      [long(5), long(7)],
      {
        fourBytes: [
          [5, 5],
          [7, 7],
        ],
      },
      ["1 registers of 4 bytes from 5", "1 registers of 4 bytes from 7"],
    ],
    [
      "bits as ever",
      [modbusPoint("b", "coil", 5001), modbusPoint("c", "coil", 5005)],
      ENRON,
      ["FC1 unit 7, 5 bits from 5001"],
    ],
    ["registers counted from 1", [long(5002)], { ...ENRON, addressBase: 1 }, ["1 registers of 4 bytes from 5001"]],
  ];
  it.each(plans)("%s", (_, points, traits, summaries) => {
    const expected = summaries.map((summary) => (summary.startsWith("FC") ? summary : `FC3 unit 7, ${summary}`));
    expect(plan(points, traits).map(({ summary }) => summary)).toEqual(expected);
  });

  it("reckons four bytes for each on the wire, also of those that are read along", () => {
    const [exchange] = plan([long(5001), long(5002)], ENRON, RTU);
    // 8 characters ask, 5 and 8 bytes of data answer; two silences of 3.5 characters, 10 ms for the device.
    expect(exchange?.wireMs).toBeCloseTo(((21 + 7) * 10_000) / 9600 + 10, 6);
    expect(plan([long(5001), long(5009)], ENRON, RTU)).toHaveLength(1);
    expect(plan([long(5001), long(5010)], ENRON, RTU)).toHaveLength(2);
    expect(plan([short(1), short(16)], ENRON, RTU)).toHaveLength(1);
  });
});

describe("an answer with registers of four bytes", () => {
  const remedy = "('limits: { fourBytes: … }' of a mapping, --register-bytes of read)";
  const answers: readonly (readonly [2 | 4, string, string | undefined])[] = [
    [4, "0308 00000001 00000002", undefined],
    [2, "0304 0001 0002", undefined],
    [4, "0304 0001 0002", `2 bytes for each register instead of 4 ${remedy}`],
    [2, "0308 00000001 00000002", `4 bytes for each register instead of 2 ${remedy}`],
    [4, "0306 00000001 0002", "8 bytes instead of 10"],
    [4, "030a 00000001 00000002 0003", "12 bytes instead of 10"],
    [4, "0304 00000001 00000002", "byte count 4 instead of 8"],
    [2, "0304 00000001 00000002", "10 bytes instead of 6"],
    [4, "8302", undefined],
  ];
  it.each(answers)("%i bytes: %s: %s", (registerBytes, hex, problem) => {
    const request = { pdu: fromHex("0313890002"), registerBytes };
    expect(answerProblem(request, fromHex(hex.replaceAll(" ", "")))).toBe(problem);
  });
});

describe("a Modbus link to a device with registers of four bytes", () => {
  let clock: FakeClock;
  let line: SlaveLine;
  let link: ModbusLink;
  const forever = new AbortController().signal;
  const station = (traits = ENRON) => ({ name: "flow", address: { unit: 3 }, traits });

  beforeEach(() => {
    clock = new FakeClock();
    line = new SlaveLine(clock);
    const timing = timingOf(RTU);
    link = new ModbusLink(new SerialTransport(line, rtuFraming, timing, clock), codec, timing, clock);
    const unit = line.unit(3);
    unit.layout = ENRON;
    for (let index = 0; index < 4; index++) {
      unit.set("holding", 3001 + index, 0x1000 + index);
      unit.set("holding", 5001 + index, 0xfff00000 + index);
    }
  });

  async function within<T>(work: Promise<T>): Promise<T> {
    const settled = work.catch(() => undefined);
    await clock.advance(5000);
    await settled;
    return await work;
  }

  async function read(points: readonly Point<ModbusPoint>[], traits = ENRON): Promise<readonly unknown[]> {
    const readings = await within(link.read(station(traits), points, forever));
    return readings.map((reading) => ("reason" in reading ? `${reading.quality}: ${reading.reason}` : reading.value));
  }

  const at5002 = (format: Parameters<typeof modbusPoint>[3]) => modbusPoint("a", "holding", 5002, format);
  const values: readonly (readonly [string, Point<ModbusPoint>, Scalar])[] = [
    ["unsigned", at5002({ type: "uint32" }), 0xfff00001],
    ["signed", at5002({ type: "int32" }), -0xfffff],
    ["the low word first", at5002({ type: "uint32", order: "CDAB" }), 0x0001fff0],
    ["a field of bits", at5002({ type: "uint32", bits: { at: 20, width: 8 } }), 0xff],
    ["two of them", at5002({ type: "uint64" }), 0xfff00001fff00002n],
  ];
  it.each(values)("reads a number: %s", async (_, point, value) => {
    expect(await read([long(5001), short(3002), point])).toEqual([0x1001, 0xfff00000, value]);
  });

  it("takes neither more nor fewer bytes than were agreed, and says what came", async () => {
    const hint = "bytes for each register instead of";
    expect((await read([short(3001)], {}))[0]).toBe(0x1000);
    expect((await read([short(5001)], {}))[0]).toContain(`4 ${hint} 2`);
    line.unit(3).layout = {};
    expect((await read([long(5001)]))[0]).toContain(`2 ${hint} 4`);
  });

  const writes: readonly (readonly [string, Point<ModbusPoint>, Scalar, string])[] = [
    ["32 bits", at5002({ type: "uint32" }), 0xabcdef01, "10 138a 0001 04 abcdef01"],
    ["a float", at5002({ type: "float32" }), 1, "10 138a 0001 04 3f800000"],
    ["the low word first", at5002({ type: "int32", order: "CDAB" }), -2, "10 138a 0001 04 fffeffff"],
    ["64 bits", at5002({ type: "uint64" }), 5, "10 138a 0002 08 0000000000000005"],
    [
      "bits, between their neighbours",
      at5002({ type: "uint32", bits: { at: 8, width: 4 } }),
      9,
      "10 138a 0001 04 fff00901",
    ],
    [
      "elsewhere",
      modbusPoint("a", "holding", 3001, { type: "uint32", write: { register: 5004 } }),
      1,
      "10 138c 0001 04 00000001",
    ],
    ["where registers have two bytes", short(3001), 7, "06 0bb9 0007"],
  ];
  it.each(writes)("writes %s", async (_, point, value, pdu) => {
    await within(link.write(station(), point, value, forever));
    expect(toHex(line.written.at(-1)?.slice(1, -2) ?? new Uint8Array())).toBe(pdu.replaceAll(" ", ""));
    if (point.address.write === undefined) expect(await read([point])).toEqual([value]);
  });
});

describe("a serial line on which registers have other lengths than a request says", () => {
  it("does not keep the answer for the next one", async () => {
    const clock = new FakeClock();
    const line = new MemoryLine();
    const transport = new SerialTransport(line, rtuFraming, timingOf(RTU), clock);
    const ask = (registerBytes: 2 | 4): Promise<string> => {
      const request = { unit: 1, pdu: fromHex("0300000001"), registerBytes, responseTimeoutMs: 1000, gapMs: 0 };
      return transport.exchange(request, new AbortController().signal).then(toHex, String);
    };
    const first = ask(2);
    await clock.advance(20);
    line.deliver(fromHex("010304000500066a30"));
    await clock.advance(1100);
    expect(await first).toContain("what came has 4 bytes for each register instead of 2");
    const second = ask(4);
    await clock.advance(1100);
    line.deliver(fromHex("010304000500066a30"));
    await clock.advance(20);
    expect(await second).toBe("030400050006");
  });
});

describe("a simulated unit with registers of four bytes", () => {
  const unit = new SlaveUnit();
  unit.layout = ENRON;
  for (const register of [5000, 5001, 5002]) unit.set("holding", register, register === 5000 ? 7 : 0x80000000);

  const requests: readonly (readonly [string, string, string])[] = [
    ["reads one", "0313890001", "030480000000"],
    ["reads one of two bytes", "0313880001", "03020007"],
    ["joins none with one of two bytes", "0313880002", "8302"],
    ["reads no more than fit", "031389003f", "8303"],
    ["takes FC16 with four bytes", "1013890001 04 00000005", "1013890001"],
    ["refuses FC16 with two bytes", "1013890001 02 0005", "9003"],
    ["refuses FC6", "0613890005", "8601"],
  ];
  it.each(requests)("%s", (_, request, answer) => {
    expect(toHex(unit.respond(fromHex(request.replaceAll(" ", ""))))).toBe(answer);
  });
});

describe("what a point must be where registers have four bytes", () => {
  const at = (register: number) => ({ table: "holding", register }) as const;
  const holds = "a register of four bytes ('fourBytes') holds a number of 32 or 64 bits, not";
  const points: readonly (readonly [ModbusPoint, string | undefined])[] = [
    [{ at: at(5001), type: "float32" }, undefined],
    [{ at: at(5001), type: "uint16" }, `${holds} uint16`],
    [{ at: at(5001), type: "bool" }, `${holds} bool`],
    [{ at: at(5001), type: "string", length: 4 }, `${holds} string`],
    [{ at: at(3001), type: "int16" }, undefined],
    [{ at: at(3001), type: "int16", write: { register: 5001 } }, `${holds} int16`],
    [{ at: at(5999), type: "uint64" }, "lies across the border of registers of four bytes ('fourBytes')"],
    [{ at: at(5000), type: "uint32" }, "lies across the border of registers of four bytes ('fourBytes')"],
    [{ at: at(5001), type: "uint32", write: { function: "multiple" } }, undefined],
    [
      { at: at(5001), type: "uint32", write: { function: "single" } },
      "registers of four bytes ('fourBytes') are written with FC16, which 'function: single' is not",
    ],
    [
      { at: at(5001), type: "uint32", write: { function: "read-write" } },
      "registers of four bytes ('fourBytes') are written with FC16, which 'function: read-write' is not",
    ],
    [{ at: { table: "coil", register: 5001 } }, undefined],
    [{ at: { table: "holding", register: 5001, model: 103 }, type: "int16" }, undefined],
  ];
  it.each(points)("%o: %s", (point, problem) => {
    expect(pointProblem(point, ENRON)).toBe(problem);
  });

  it("is counted as the profile counts", () => {
    const traits = { ...ENRON, addressBase: 1 } as const;
    expect(pointProblem({ at: at(5001), type: "uint16" }, traits)).toBeUndefined();
    expect(pointProblem({ at: at(5002), type: "uint16" }, traits)).toBe(`${holds} uint16`);
  });
});
