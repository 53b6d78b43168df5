import {
  CausewayError,
  decodeRegisters,
  encodeRegisters,
  mergeBits,
  type Point,
  readUnsigned,
  registerCount,
  type Scalar,
  type SimulatedStation,
} from "causeway/adapter";
import {
  formatOf,
  isBitTable,
  type ModbusPoint,
  type ModbusStation,
  registerBytesOf,
  wireRegister,
} from "./options.js";
import { mergeSpans } from "./plan.js";
import type { RegisterBytes } from "./register-bytes.js";
import { SlaveUnit } from "./slave.js";
import { layOutChain, modelsOf } from "./sunspec.js";
import { timingOf } from "./timing.js";

interface Place {
  readonly unit: SlaveUnit;
  readonly point: Point<ModbusPoint>;
  readonly register: number;
  readonly registerBytes: RegisterBytes;
}

/** Units made of stations' points: registers exist where points, or the gaps of a read, are. */
export class SimulatedStations {
  readonly #units = new Map<number, SlaveUnit>();
  readonly #places = new Map<string, Place>();

  constructor(stations: readonly SimulatedStation<ModbusStation, ModbusPoint>[]) {
    const timing = timingOf({ transport: "tcp" });
    for (const { station, points } of stations) {
      const unit = this.#units.get(station.address.unit) ?? new SlaveUnit();
      this.#units.set(station.address.unit, unit);
      unit.layout = station.traits;
      const models = layOutModels(unit, points);
      for (const { table, register, count, models: of } of mergeSpans(points, station.traits, timing)) {
        if (of !== undefined) continue;
        for (let index = 0; index < count; index++) unit.set(table, register + index, 0);
      }
      for (const point of points) {
        const { model } = point.address.at;
        const id = model === undefined ? 0 : (models.get(modelsOf(model)[0] ?? 0) ?? 0);
        const register = id + wireRegister(point, station.traits);
        const registerBytes = registerBytesOf(point, station.traits);
        this.#places.set(`${station.name}.${point.name}`, { unit, point, register, registerBytes });
      }
    }
  }

  unit(number: number): SlaveUnit | undefined {
    return this.#units.get(number);
  }

  get units(): Iterable<SlaveUnit> {
    return this.#units.values();
  }

  set(station: string, point: string, value: Scalar): void {
    const { unit, point: target, register, registerBytes } = this.#place(station, point);
    const { table } = target.address.at;
    const format = formatOf(target.address);
    const encoded = encodeRegisters(value, format);
    const bytes = mergeBits(this.#bytesAt(station, point), encoded, format);
    if (isBitTable(table)) unit.set(table, register, bytes[1] ?? 0);
    else {
      for (let index = 0; index < bytes.length; index += registerBytes) {
        unit.set(table, register + index / registerBytes, readUnsigned(bytes, index, registerBytes));
      }
    }
  }

  get(station: string, point: string): Scalar {
    const format = formatOf(this.#place(station, point).point.address);
    return decodeRegisters(this.#bytesAt(station, point), 0, format);
  }

  #place(station: string, point: string): Place {
    const place = this.#places.get(`${station}.${point}`);
    if (place === undefined) throw new CausewayError("INTERNAL", `nothing simulates ${station}.${point}`);
    return place;
  }

  #bytesAt(station: string, name: string): Uint8Array {
    const { unit, point, register, registerBytes } = this.#place(station, name);
    const bytes = new Uint8Array(2 * registerCount(formatOf(point.address)));
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < bytes.length; index += registerBytes) {
      const word = unit.get(point.address.at.table, register + index / registerBytes) ?? 0;
      if (registerBytes === 4) view.setUint32(index, word);
      else view.setUint16(index, word);
    }
    return bytes;
  }
}

/** Gives the unit the first model that each point names, of the length that its points need. */
function layOutModels(unit: SlaveUnit, points: readonly Point<ModbusPoint>[]): ReadonlyMap<number, number> {
  const lengths = new Map<number, number>();
  for (const { address } of points) {
    const { model, register } = address.at;
    const [first] = model === undefined ? [] : modelsOf(model);
    if (first === undefined) continue;
    const end = register + registerCount(formatOf(address)) - 2;
    lengths.set(first, Math.max(lengths.get(first) ?? 0, end));
  }
  if (lengths.size === 0) return lengths;
  const { words, models } = layOutChain(lengths);
  for (const [register, word] of words) unit.set("holding", register, word);
  return models;
}
