import { describe, expect, it } from "vitest";
import { modbus } from "../../../adapters/modbus/index.js";
import { type LineFault, type LineStation, SimulatedLine } from "../../../adapters/modbus/line-simulator.js";
import { ModbusLink } from "../../../adapters/modbus/link.js";
import { transportOn } from "../../../adapters/modbus/open-transport.js";
import type { ModbusLinkOptions, ModbusPoint } from "../../../adapters/modbus/options.js";
import { PduCodec } from "../../../adapters/modbus/pdu.js";
import { SlaveUnit } from "../../../adapters/modbus/slave.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { CausewayError } from "../../../src/base/errors.js";
import { silentLog } from "../../../src/base/log.js";
import { Scope } from "../../../src/base/scope.js";
import { type Field, openField } from "../../../src/field/field.js";
import { defineAdapter, type Point, type Reading } from "../../../src/field/index.js";
import { FakeClock } from "../../fakes/clock.js";
import { random as seeded } from "../../fakes/random.js";

const codec = await PduCodec.load();
const POLLS = 10_000;
const TIMEOUT_MS = 200;
const UNITS = [1, 2, 3];
const REGISTERS = [0, 2, 4, 10, 12];
const WRITTEN_REGISTER = 20;

/** A station whose registers tell which request they answer: a value of any other answer is wrong. */
class TellingUnit extends SlaveUnit {
  serial = 0;
  readonly #number: number;

  constructor(number: number) {
    super();
    this.#number = number;
    for (let register = 0; register < 30; register++) this.set("holding", register, 0);
  }

  truth(register: number): number {
    return this.serial * 4096 + this.#number * 64 + register;
  }

  override respond(pdu: Uint8Array): Uint8Array {
    this.serial++;
    for (const register of REGISTERS) {
      this.set("holding", register, this.truth(register) >>> 16);
      this.set("holding", register + 1, this.truth(register) & 0xffff);
    }
    return super.respond(pdu);
  }
}

function point(register: number): Point<ModbusPoint> {
  return {
    name: `r${register}`,
    access: "r",
    pollClass: "fast",
    address: { at: { table: "holding", register }, type: "uint32" },
  };
}

const written: Point<ModbusPoint> = {
  name: "w",
  access: "rw",
  pollClass: "slow",
  address: { at: { table: "holding", register: WRITTEN_REGISTER }, type: "uint16" },
};

const OPENINGS_THAT_FAIL = ["LINK_NOT_FOUND", "LINK_BUSY", "LINK_REFUSED", "LINK_FAILED"] as const;

/** Everything that goes wrong on lines, at random. */
function faultsOf(random: () => number, framing: "rtu" | "ascii" | "mbap"): () => LineFault | undefined {
  const below = (limit: number): number => Math.floor(random() * limit);
  const one = <T>(items: readonly T[]): T | undefined => items[below(items.length)];
  const noise = (): Uint8Array => Uint8Array.from({ length: 1 + below(12) }, () => below(256));
  const makers: readonly (() => LineFault)[] = [
    () => ({ kind: "silent" }),
    () => ({ kind: "late", afterMs: 1.2 * TIMEOUT_MS }),
    () => ({ kind: "fragments", gapMs: one([5, 30, 200]) ?? 5 }),
    () => ({ kind: "noise-before", noise: noise() }),
    () => ({ kind: "noise-behind", noise: noise() }),
    () => ({ kind: "twice" }),
    // Nor does a server say something else in the middle of an answer.
    () => ({ kind: framing === "mbap" ? "silent" : "cut" }),
    // TCP has its own checksums: damage does not come through.
    () => ({ kind: framing === "mbap" ? "silent" : "bad-checksum" }),
    () => ({ kind: "wrong-unit" }),
    () => ({ kind: "wrong-function" }),
    () => ({ kind: "wrong-byte-count" }),
    () => ({ kind: "exception", code: one([1, 2, 3, 4, 5, 6, 8, 10, 11]) ?? 4 }),
    () => (random() < 0.1 ? { kind: "lost" } : { kind: "silent" }),
  ];
  return () => (random() < 0.6 ? undefined : one(makers)?.());
}

const lines: readonly (readonly [string, "rtu" | "ascii" | "mbap", ModbusLinkOptions, "yes" | "no"])[] = [
  ["RTU", "rtu", { transport: "rtu", port: "p", baudRate: 19200, responseTimeout: TIMEOUT_MS }, "no"],
  ["RTU with an echo", "rtu", { transport: "rtu", port: "p", baudRate: 19200, responseTimeout: TIMEOUT_MS }, "yes"],
  ["ASCII", "ascii", { transport: "ascii", port: "p", baudRate: 19200, responseTimeout: TIMEOUT_MS }, "no"],
  ["TCP", "mbap", { transport: "tcp", host: "h", responseTimeout: TIMEOUT_MS }, "no"],
];

describe.each(lines)("all faults at random, %s", (_, framing, options, echo) => {
  const { seed, next: random } = seeded();

  it(`give no wrong value in ${POLLS} polls, and the bus goes on; seed ${seed}`, { timeout: 60_000 }, async () => {
    const clock = new FakeClock();
    const units = new Map(UNITS.map((number) => [number, new TellingUnit(number)]));
    const stations = new Map<number, LineStation>();
    for (const [number, unit] of units) stations.set(number, { unit, settings: "same", latencyMs: 5 });
    const timing = timingOf(options);
    const faultOf = faultsOf(random, framing);
    const wrong: string[] = [];
    const counts: Partial<Record<Reading["quality"], number>> = {};
    let polls = 0;
    let isWell = false;
    let openings = 0;
    let tooSoon = 0;
    let line: SimulatedLine | undefined;
    const open = async (): Promise<ModbusLink> => {
      tooSoon += line?.tooSoon ?? 0;
      const failure = random() < 0.3 ? OPENINGS_THAT_FAIL[Math.floor(random() * 4)] : undefined;
      if (failure !== undefined && !isWell) throw new CausewayError(failure, "not now");
      openings++;
      line = new SimulatedLine({
        framing,
        settings: "same",
        characterMs: timing.characterMs,
        clock,
        stations,
        echo,
        fault: () => (isWell ? undefined : faultOf()),
      });
      return new ModbusLink(transportOn(line, options, clock), codec, timing, clock);
    };
    const scope = new Scope((error) => {
      throw error;
    });
    const take = (device: string, readings: readonly Reading[]): void => {
      polls++;
      const unit = units.get(Number(device));
      for (const { point: name, quality, value } of readings) {
        counts[quality] = (counts[quality] ?? 0) + 1;
        if (quality !== "good" || name === "w") continue;
        const truth = unit?.truth(Number(name.slice(1)));
        if (value !== truth) wrong.push(`${device}.${name}: ${value} instead of ${truth}`);
      }
    };
    const field: Field = await openField(
      {
        links: [{ name: "bus", adapter: "modbus", options }],
        devices: UNITS.map((unit) => ({
          name: String(unit),
          link: "bus",
          address: { unit },
          traits: {},
          points: [...REGISTERS.map(point), written],
          poll: { fastMs: 300, normalMs: 1000, slowMs: 5000 },
        })),
        loadAdapter: async () => defineAdapter({ ...modbus, open }),
        clock,
        log: silentLog,
        onReadings: take,
        random,
      },
      scope,
    );
    const signal = new AbortController().signal;
    let writes = 0;
    for (let step = 0; polls < POLLS; step++) {
      expect(step).toBeLessThan(POLLS);
      await clock.advance(1000);
      expect(field.status().buses[0]?.queued).toBeLessThanOrEqual(20);
      if (step % 10 !== 0) continue;
      const device = UNITS[step % UNITS.length] ?? 1;
      const value = step & 0xffff;
      void field.write(String(device), "w", value, signal).then(
        () => {
          writes++;
          const held = units.get(device)?.get("holding", WRITTEN_REGISTER);
          if (held !== value) wrong.push(`write of ${value} was confirmed, ${held} is held`);
        },
        () => undefined,
      );
    }
    expect(wrong).toEqual([]);
    expect(tooSoon).toBe(0);
    expect(counts.good).toBeGreaterThan(POLLS / 2);
    expect(writes).toBeGreaterThan(0);
    expect(openings).toBeGreaterThan(1);
    for (const quality of ["timeout", "exception", "stale", "unsupported"] as const) {
      expect(counts[quality]).toBeGreaterThan(0);
    }
    isWell = true;
    // What is refused is tried again after a connect.
    line?.break();
    await clock.advance(90_000);
    expect(field.status().buses[0]?.state).toBe("up");
    for (const device of field.status().devices) {
      expect(device.health).toBe("online");
      const qualities = new Set([...device.readings.values()].map(({ quality }) => quality));
      expect(qualities).toEqual(new Set(["good"]));
    }
    const closing = scope[Symbol.asyncDispose]();
    await clock.advance(1000);
    await closing;
  });
});
