import { modbus } from "../adapters/modbus/index.js";
import { type LineFault, SimulatedLine } from "../adapters/modbus/line-simulator.js";
import { ModbusLink } from "../adapters/modbus/link.js";
import { transportOn } from "../adapters/modbus/open-transport.js";
import type { ModbusLinkOptions } from "../adapters/modbus/options.js";
import { PduCodec } from "../adapters/modbus/pdu.js";
import { SlaveUnit } from "../adapters/modbus/slave.js";
import { timingOf } from "../adapters/modbus/timing.js";
import { silentLog } from "../src/base/log.js";
import { Scope } from "../src/base/scope.js";
import { type Field, openField } from "../src/field/field.js";
import { type DeviceTraits, defineAdapter, type Point, type Reading } from "../src/field/index.js";
import type { PollPeriods } from "../src/field/poll-period.js";
import { VirtualClock } from "./virtual-clock.js";

export interface SimulatedBusOptions {
  readonly link: ModbusLinkOptions;
  /** Devices of the units 1, 2 … have the same points. */
  readonly devices: number;
  readonly points: readonly Point<unknown>[];
  readonly traits?: DeviceTraits;
  readonly poll: PollPeriods;
  readonly fault?: (unit: number, pdu: Uint8Array) => LineFault | undefined;
  readonly onReadings: (readings: readonly Reading[]) => void;
}

const LATENCY_MS = 10;
const REGISTERS = 200;

/** Devices on a serial line in virtual time, polled by the field half of the gateway. */
export class SimulatedBus implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly line: SimulatedLine;
  readonly field: Field;
  readonly #scope: Scope;

  private constructor(clock: VirtualClock, line: SimulatedLine, field: Field, scope: Scope) {
    this.clock = clock;
    this.line = line;
    this.field = field;
    this.#scope = scope;
  }

  static async open(options: SimulatedBusOptions): Promise<SimulatedBus> {
    const { link, traits = {}, points, poll, fault, onReadings } = options;
    const timing = timingOf(link);
    const clock = new VirtualClock();
    const unit = new SlaveUnit();
    for (let register = 0; register < REGISTERS; register++) unit.set("input", register, register);
    const units = Array.from({ length: options.devices }, (_, index) => index + 1);
    const line = new SimulatedLine({
      framing: "rtu",
      settings: "8N1",
      characterMs: timing.characterMs,
      clock,
      stations: new Map(units.map((number) => [number, { unit, settings: "8N1", latencyMs: LATENCY_MS }])),
      ...(fault === undefined ? {} : { fault }),
    });
    const codec = await PduCodec.load();
    const open = async () => new ModbusLink(transportOn(line, link, clock), codec, timing, clock);
    const scope = new Scope((error) => {
      throw error;
    });
    const field = await openField(
      {
        links: [{ name: "bus", adapter: "modbus", options: link }],
        devices: units.map((number) => ({
          name: `meter ${number}`,
          link: "bus",
          address: { unit: number },
          traits,
          points,
          poll,
        })),
        loadAdapter: async () => defineAdapter({ ...modbus, open }),
        clock,
        log: silentLog,
        onReadings: (_, readings) => onReadings(readings),
      },
      scope,
    );
    return new SimulatedBus(clock, line, field, scope);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#scope[Symbol.asyncDispose]();
    await this.clock.pass(5000);
    await closing;
  }
}
