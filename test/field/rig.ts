import { modbus } from "../../adapters/modbus/index.js";
import { ModbusLink } from "../../adapters/modbus/link.js";
import type { ModbusPoint } from "../../adapters/modbus/options.js";
import { PduCodec } from "../../adapters/modbus/pdu.js";
import { rtuFraming } from "../../adapters/modbus/rtu-framing.js";
import { SerialTransport } from "../../adapters/modbus/serial-transport.js";
import type { SlaveUnit } from "../../adapters/modbus/slave.js";
import { timingOf } from "../../adapters/modbus/timing.js";
import type { CausewayError } from "../../src/base/errors.js";
import { createLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import type { DeviceTraits, Point, PollClass } from "../../src/field/adapter.js";
import { type Field, openField } from "../../src/field/field.js";
import { defineAdapter, type Reading } from "../../src/field/index.js";
import type { Refusals } from "../../src/field/refusals.js";
import { SlaveLine } from "../adapters/modbus/slave-line.js";
import { FakeClock } from "../fakes/clock.js";

const codec = await PduCodec.load();

const OPTIONS = { transport: "rtu", port: "bus0", baudRate: 115200, responseTimeout: 500 } as const;

export interface LogLine {
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A field on one RS-485 line in memory: real frames, stations that answer from registers, and a clock by hand. */
export class Rig {
  readonly clock = new FakeClock();
  readonly logged: LogLine[] = [];
  readonly told: (readonly [device: string, reading: Reading])[] = [];
  readonly failures: unknown[] = [];
  readonly scope = new Scope((error) => this.failures.push(error));
  /** The line that is open now; each opening has a new one with the same stations. */
  line = new SlaveLine(this.clock);
  opens = 0;
  refusals: Refusals | undefined;
  /** While set, the link cannot be opened. */
  unavailable: CausewayError | undefined;

  async open(
    devices: readonly (readonly [
      name: string,
      unit: number,
      points: readonly Point<ModbusPoint>[],
      traits?: DeviceTraits,
    ])[],
  ): Promise<Field> {
    const adapter = defineAdapter({
      ...modbus,
      open: async () => {
        this.opens++;
        if (this.unavailable !== undefined) throw this.unavailable;
        const line = new SlaveLine(this.clock);
        for (const [number, unit] of this.line.units) line.units.set(number, unit);
        this.line = line;
        const timing = timingOf(OPTIONS);
        return new ModbusLink(new SerialTransport(line, rtuFraming, timing, this.clock), codec, timing, this.clock);
      },
    });
    return await openField(
      {
        links: [{ name: "bus", adapter: "modbus", options: OPTIONS }],
        devices: devices.map(([name, unit, points, traits = {}]) => ({
          name,
          link: "bus",
          address: { unit },
          traits,
          points,
          poll: { fastMs: 1000, normalMs: 10_000, slowMs: 60_000 },
        })),
        loadAdapter: async () => adapter,
        clock: this.clock,
        log: createLog("debug", (line) => this.logged.push(JSON.parse(line))),
        onReadings: (device, readings) => this.told.push(...readings.map((reading) => [device, reading] as const)),
        random: () => 0,
        ...(this.refusals === undefined ? {} : { refusals: this.refusals }),
      },
      this.scope,
    );
  }

  /** Holding registers 0 to 19 of a unit exist, each holding its number. */
  station(number: number): SlaveUnit {
    const unit = this.line.unit(number);
    for (let register = 0; register < 20; register++) unit.set("holding", register, register);
    return unit;
  }

  /** What was told since the last call, as `device.point quality value`. */
  news(): string[] {
    return this.told
      .splice(0)
      .map(
        ([device, { point, quality, value }]) =>
          `${device}.${point} ${quality}${value === undefined ? "" : ` ${value}`}`,
      );
  }

  messages(): string[] {
    return this.logged.map(({ msg }) => msg);
  }
}

export function register(
  number: number,
  pollClass: PollClass = "fast",
  access: "r" | "rw" | "w" = "r",
): Point<ModbusPoint> {
  return {
    name: `r${number}`,
    access,
    pollClass,
    address: { at: { table: "holding", register: number }, type: "uint16" },
  };
}
