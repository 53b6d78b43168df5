import {
  type DeviceTraits,
  type Exchange,
  type LineKnowledge,
  type Point,
  registerCount,
  type Station,
} from "causeway/adapter";
import {
  formatOf,
  isBitTable,
  isOnSerialLine,
  type ModbusLinkOptions,
  type ModbusPoint,
  type ModbusStation,
  type Table,
  wireRegister,
} from "./options.js";
import { modelsOf } from "./sunspec.js";
import { exchangeMs, gapLimit, type Timing, timingOf } from "./timing.js";

/** Neighbouring registers, or bits, that one request reads. */
export interface Span {
  readonly table: Table;
  /** Of SunSpec; the register then counts from that of the model's id. */
  readonly models?: readonly number[];
  /** As on the wire, counted from 0. */
  readonly register: number;
  readonly count: number;
  /** By register, ascending. */
  readonly points: readonly Point<ModbusPoint>[];
}

/** Modbus Application Protocol V1.1b3 §6.1 and §6.3. */
export const MAX_BITS = 2000;
export const MAX_REGISTERS = 125;
const BITS_PER_REGISTER = 16;

export const READ_FUNCTION: Readonly<Record<Table, 1 | 2 | 3 | 4>> = { coil: 1, discrete: 2, holding: 3, input: 4 };

export function planExchanges(
  options: ModbusLinkOptions,
  station: Station<ModbusStation>,
  points: readonly Point<ModbusPoint>[],
  line: LineKnowledge = {},
): Exchange<ModbusPoint>[] {
  // Nothing answers a broadcast.
  if (station.address.unit === 0 && isOnSerialLine(options)) return [];
  const timing = timingOf(options, line.latencyMs);
  return mergeSpans(points, station.traits, timing).map((span) => {
    const what = isBitTable(span.table) ? "bits" : "registers";
    const dataBytes = isBitTable(span.table) ? Math.ceil(span.count / 8) : 2 * span.count;
    const where = span.models === undefined ? "" : ` of SunSpec model ${span.models.join("|")}`;
    return {
      points: span.points,
      summary: `FC${READ_FUNCTION[span.table]} unit ${station.address.unit}, ${span.count} ${what} from ${span.register}${where}`,
      wireMs: exchangeMs(timing, dataBytes, station.traits),
    };
  });
}

/** Joins points while the gap between them is cheaper than a request and the whole fits into one. */
export function mergeSpans(points: readonly Point<ModbusPoint>[], traits: DeviceTraits, timing: Timing): Span[] {
  const maxGap = gapLimit(timing, traits);
  const maxRegisters = Math.min(traits.maxRegisters ?? MAX_REGISTERS, MAX_REGISTERS);
  const maxBits = Math.min(traits.maxBits ?? MAX_BITS, MAX_BITS);
  const spans: Span[] = [];
  for (const next of points.map((point) => spanOf(point, traits)).sort(byPlace)) {
    const last = spans.at(-1);
    const isBits = isBitTable(next.table);
    const limit = isBits ? maxBits : maxRegisters;
    const gap = isBits ? maxGap * BITS_PER_REGISTER : maxGap;
    const joined = last === undefined ? undefined : join(last, next);
    const fits =
      last !== undefined &&
      joined !== undefined &&
      joined.count <= limit &&
      next.register - (last.register + last.count) <= gap &&
      !(next.models === undefined && touchesForbidden(last.register + last.count, next.register - 1, traits));
    if (fits) spans[spans.length - 1] = joined;
    else spans.push(next);
  }
  return spans;
}

/** Whether registers that nobody asked for, from `first` to `last`, may not be read. */
function touchesForbidden(first: number, last: number, { never = [] }: DeviceTraits): boolean {
  return never.some(([from, to]) => first <= to && last >= from && first <= last);
}

function spanOf(point: Point<ModbusPoint>, traits: DeviceTraits): Span {
  const { table, model } = point.address.at;
  const count = isBitTable(table) ? 1 : registerCount(formatOf(point.address));
  const place = { table, register: wireRegister(point, traits), count, points: [point] };
  return model === undefined ? place : { ...place, models: modelsOf(model) };
}

function byPlace(a: Span, b: Span): number {
  if (a.table !== b.table) return READ_FUNCTION[a.table] - READ_FUNCTION[b.table];
  return keyOf(a).localeCompare(keyOf(b)) || a.register - b.register;
}

/** Undefined for different tables. `b` does not start before `a`. */
function join(a: Span, b: Span): Span | undefined {
  if (a.table !== b.table || keyOf(a) !== keyOf(b) || a.register < 0) return undefined;
  const end = Math.max(a.register + a.count, b.register + b.count);
  return { ...a, count: end - a.register, points: [...a.points, ...b.points] };
}

/** Only registers of the same model are neighbours. */
function keyOf({ models = [] }: Span): string {
  return models.join();
}
