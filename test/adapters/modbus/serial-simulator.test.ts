import { describe, expect, it } from "vitest";
import { ModbusLink } from "../../../adapters/modbus/link.js";
import { transportOn } from "../../../adapters/modbus/open-transport.js";
import type { ModbusLinkOptions } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { SerialSimulator } from "../../../adapters/modbus/serial-simulator.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";
import { modbusPoint } from "./points.js";

const codec = await PduCodec.load();
const forever = new AbortController().signal;
const POINTS = [
  modbusPoint("setpoint", "holding", 0, { type: "float32" }),
  modbusPoint("mode", "holding", 5, { type: "uint16", bits: { at: 4, width: 3 }, write: { function: "mask" } }),
  modbusPoint("both", "holding", 6, { type: "uint32", write: { function: "read-write" } }),
  modbusPoint("relay", "coil", 3, { write: { function: "multiple" } }),
];

const lines: readonly ModbusLinkOptions[] = [
  { transport: "rtu", port: "p" },
  { transport: "ascii", port: "p" },
];

describe.each(lines)("the Modbus simulator on a serial line, $transport", (options) => {
  it("answers reads and writes of its units, also behind noise", async () => {
    const clock = new FakeClock();
    const [near, far] = [new MemoryLine(), new MemoryLine()];
    near.onWrite = (bytes) => {
      far.deliver(Uint8Array.of(0x55, 0xaa, 0x0a));
      far.deliver(bytes.subarray(0, 3));
      far.deliver(bytes.subarray(3));
    };
    far.onWrite = (bytes) => void clock.schedule(5, () => near.deliver(bytes));
    const station = { name: "ahu", address: { unit: 17 }, traits: {} };
    const simulator = new SerialSimulator(options, [{ station, points: POINTS }], far, clock);
    const link = new ModbusLink(transportOn(near, options, clock), codec, timingOf(options), clock);
    simulator.set("ahu", "setpoint", 21.5);
    const within = async <T>(work: Promise<T>): Promise<T> => {
      await clock.advance(3000);
      return await work;
    };
    const [reading] = await within(link.read(station, POINTS.slice(0, 1), forever));
    expect(reading).toMatchObject({ quality: "good", value: 21.5 });
    const values = { setpoint: 19, mode: 5, both: 123_456_789, relay: true };
    for (const point of POINTS) {
      const value = values[point.name as keyof typeof values];
      await within(link.write(station, point, value, forever));
      expect(simulator.get("ahu", point.name)).toEqual(value);
    }
    const everybody = { ...station, address: { unit: 0 } };
    await within(link.write(everybody, POINTS[0] ?? modbusPoint("p", "holding", 0), 7, forever));
    expect(simulator.get("ahu", "setpoint")).toBe(7);
    const nobody = { ...station, address: { unit: 3 } };
    expect(await within(link.read(nobody, POINTS.slice(0, 1), forever))).toMatchObject([{ quality: "timeout" }]);
    await simulator[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
  });
});
