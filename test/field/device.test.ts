import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ModbusPoint } from "../../adapters/modbus/options.js";
import { toHex } from "../../src/base/bytes.js";
import type { DeviceTraits, Point } from "../../src/field/adapter.js";
import { MemoryState } from "../../src/lwm2m/state/client-state.js";
import { keptRefusals } from "../../src/refusals.js";
import { Rig, register } from "./rig.js";

const forever = new AbortController().signal;

describe("a device", () => {
  let rig: Rig;

  beforeEach(() => {
    rig = new Rig();
  });

  afterEach(async () => {
    const closing = rig.scope[Symbol.asyncDispose]();
    await rig.clock.advance(5000);
    await closing;
    expect(rig.failures).toEqual([]);
  });

  const setup = (number: number, value: number): DeviceTraits => ({
    setup: [{ point: register(number, "fast", "w"), value }],
  });
  /** Function codes and registers as they went out. */
  const sent = (): string[] => rig.line.written.map((frame) => toHex(frame.subarray(1, 4)));
  const writable = (number: number, write: ModbusPoint["write"]): Point<ModbusPoint> => {
    const point = register(number, "slow", "rw");
    return { ...point, address: { ...point.address, ...(write === undefined ? {} : { write }) } };
  };
  async function during<T>(work: Promise<T>, ms: number): Promise<T> {
    work.catch(() => undefined);
    await rig.clock.advance(ms);
    return await work;
  }

  it("is told its setup before it is polled, and again when it comes back", async () => {
    const unit = rig.station(1);
    await rig.open([["a", 1, [register(0)], setup(7, 42)]]);
    await rig.clock.advance(2500);
    expect(sent().slice(0, 2)).toEqual(["060007", "030000"]);
    expect(unit.get("holding", 7)).toBe(42);
    rig.line.units.delete(1);
    await rig.clock.advance(10_000);
    expect(rig.messages().at(-1)).toBe("device offline");
    unit.set("holding", 7, 0);
    rig.news();
    rig.line.units.set(1, unit);
    await rig.clock.advance(10_000);
    expect(unit.get("holding", 7)).toBe(42);
    expect(rig.news()[0]).toBe("a.r0 good 0");
    const writes = sent().filter((frame) => frame === "060007");
    expect(writes).toHaveLength(2);
  });

  it("tells nothing that was read before the setup, and tries this for as long as nothing answers", async () => {
    const unit = rig.station(1);
    const respond = unit.respond.bind(unit);
    let deaf = true;
    unit.respond = (pdu) => (deaf && pdu[0] === 6 ? Uint8Array.of(0x86, 6) : respond(pdu));
    const field = await rig.open([["a", 1, [register(0)], setup(7, 42)]]);
    await rig.clock.advance(4000);
    await during(field.read("a", forever), 1000);
    expect(rig.news().filter((line) => line.includes("good"))).toEqual([]);
    deaf = false;
    await rig.clock.advance(3000);
    expect(rig.news()).toContain("a.r0 good 0");
  });

  it("is polled although it refuses its setup, which the log tells", async () => {
    rig.station(1);
    await rig.open([["a", 1, [register(0)], setup(99, 1)]]);
    await rig.clock.advance(3000);
    expect(rig.news()).toContain("a.r0 good 0");
    expect(rig.messages()).toContain("device refuses its setup");
  });

  it.each(["fast", "slow"] as const)(
    "is left alone after a connect for as long as it wants, by writes too (%s)",
    async (every) => {
      rig.station(1);
      const field = await rig.open([["a", 1, [register(0, every, "rw")], { afterConnectMs: 5000 }]]);
      const write = field.write("a", "r0", 3, forever);
      await rig.clock.advance(4900);
      expect(sent()).toEqual([]);
      await rig.clock.advance(500);
      await write;
      expect(sent()).toContain("060000");
    },
  );

  it("is left alone after a connect also by what was asked before the link was open", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw")], { afterConnectMs: 5000 }]]);
    const read = field.read("a", forever);
    await rig.clock.advance(4900);
    expect(sent()).toEqual([]);
    await rig.clock.advance(500);
    expect(await read).toMatchObject([{ quality: "good" }]);
  });

  it("is asked once more when an answer is damaged or missing, and no more once it is silent", async () => {
    rig.station(1);
    await rig.open([["a", 1, [register(0)]]]);
    await rig.clock.advance(2500);
    rig.news();
    let damaged = 1;
    rig.line.behaviour = (bytes) => (damaged-- > 0 ? [] : [{ afterMs: 10, bytes }]);
    await rig.clock.advance(3000);
    expect(rig.news().filter((line) => !line.includes("good"))).toEqual([]);
    const before = sent().length;
    rig.line.units.clear();
    await rig.clock.advance(20_000);
    expect(rig.news()).toContain("a.r0 timeout");
    // Two for the first poll that fails, and one for each that follows.
    expect(sent().length - before).toBeLessThan(12);
  });

  it("keeps over restarts what it refuses, until its plan is another", async () => {
    const state = new MemoryState();
    const strip = Array.from({ length: 16 }, (_, index) => register(index));
    const unit = rig.station(1);
    const respond = unit.respond.bind(unit);
    const refuse = (pdu: Uint8Array): Uint8Array => {
      const [, , first = 0, , quantity = 0] = pdu;
      if (first > 5 || 5 >= first + quantity) return respond(pdu);
      refused++;
      return Uint8Array.of(0x83, 2);
    };
    let refused = 0;
    const refusedAtStart = async (points: readonly Point<ModbusPoint>[]): Promise<number> => {
      rig = new Rig();
      rig.refusals = keptRefusals(state);
      rig.station(1).respond = refuse;
      await rig.open([["a", 1, points]]);
      await rig.clock.advance(2500);
      await rig.scope[Symbol.asyncDispose]();
      const count = refused;
      refused = 0;
      return count;
    };
    // Once it is known, only the bad register itself is asked for in vain.
    expect(await refusedAtStart(strip)).toBe(5);
    expect(await refusedAtStart(strip)).toBe(1);
    expect(await refusedAtStart(strip.slice(0, 15))).toBe(5);
    expect(await refusedAtStart(strip)).toBe(5);
  });

  it("finds a hole between points, and reads what lies around it together", async () => {
    const unit = rig.station(1);
    const respond = unit.respond.bind(unit);
    const strip = Array.from({ length: 12 }, (_, index) => register(index + (index < 6 ? 0 : 4)));
    unit.respond = (pdu) => {
      const [, , first = 0, , quantity = 0] = pdu;
      return first <= 7 && 7 < first + quantity ? Uint8Array.of(0x83, 2) : respond(pdu);
    };
    await rig.open([["a", 1, strip]]);
    await rig.clock.advance(3000);
    expect(rig.news().filter((line) => !line.includes("good"))).toEqual([]);
    rig.line.written.length = 0;
    await rig.clock.advance(1000);
    expect(sent()).toEqual(["030000", "03000a"]);
  });

  it("waits before it reads a write back where the profile says so", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [writable(0, { verify: { delay: 500 } })]]]);
    await rig.clock.advance(3000);
    rig.line.written.length = 0;
    const write = field.write("a", "r0", 5, forever);
    await rig.clock.advance(450);
    expect(sent()).toEqual(["060000"]);
    await during(write, 100);
    expect(sent()).toEqual(["060000", "030000"]);
  });

  it("does not read back what nothing could confirm", async () => {
    rig.station(1);
    const field = await rig.open([
      ["a", 1, [writable(0, { verify: "none" })]],
      ["all", 0, [writable(1, undefined)]],
    ]);
    await rig.clock.advance(3000);
    rig.line.written.length = 0;
    await during(field.write("a", "r0", 5, forever), 100);
    await during(field.write("all", "r1", 5, forever), 300);
    expect(sent()).toEqual(["060000", "060001"]);
  });

  it("may be written only so often", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [writable(0, { minInterval: 1000 })]]]);
    await rig.clock.advance(3000);
    await during(field.write("a", "r0", 5, forever), 400);
    await expect(field.write("a", "r0", 6, forever)).rejects.toMatchObject({
      code: "FIELD_BUSY",
      message: "a.r0 may be written again in 600 ms",
    });
    await rig.clock.advance(600);
    await during(field.write("a", "r0", 7, forever), 400);
  });

  it("has a line in the log for each write, with who wanted it and what became of it", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw"), register(99, "slow", "w")]]]);
    await rig.clock.advance(3000);
    await during(field.write("a", "r0", 5, forever, "server 1"), 400);
    await during(
      field.write("a", "r99", 5, forever).catch(() => undefined),
      400,
    );
    expect(rig.logged.filter(({ msg }) => msg.endsWith("written"))).toMatchObject([
      { msg: "written", device: "a", point: "r0", value: "5", origin: "server 1", result: "confirmed" },
      { msg: "not written", device: "a", point: "r99", origin: "server", result: "FIELD_EXCEPTION" },
    ]);
  });

  it("is warned of when its polls do not fit on the line", async () => {
    const many = Array.from({ length: 80 }, (_, unit) => [`d${unit}`, unit + 1, [register(0)]] as const);
    await rig.open(many);
    expect(rig.logged).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining("overcommitted"), loadPercent: expect.any(Number) }),
    );
  });
});
