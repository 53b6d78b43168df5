import type { DeviceTraits, Exchange, LineKnowledge, Point, Station } from "causeway/adapter";
import {
  formatOf,
  isBitTable,
  isOnSerialLine,
  type ModbusLinkOptions,
  type ModbusPoint,
  type ModbusStation,
  registerBytesOf,
  type Table,
  wireRegister,
} from "./options.js";
import { haveBytes, type RegisterBytes, registersOf } from "./register-bytes.js";
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
  /** Of each register; without meaning for bits. */
  readonly registerBytes: RegisterBytes;
  /** By register, ascending. */
  readonly points: readonly Point<ModbusPoint>[];
}

/** Modbus Application Protocol V1.1b3 §6.1 and §6.3: 125 registers of two bytes. */
export const MAX_BITS = 2000;
const MAX_DATA_BYTES = 250;
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
    const registers = span.registerBytes === 4 ? "registers of 4 bytes" : "registers";
    const what = isBitTable(span.table) ? "bits" : registers;
    const dataBytes = isBitTable(span.table) ? Math.ceil(span.count / 8) : span.registerBytes * span.count;
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
  const maxBits = Math.min(traits.maxBits ?? MAX_BITS, MAX_BITS);
  const spans: Span[] = [];
  for (const next of points.map((point) => spanOf(point, traits)).sort(byPlace)) {
    const last = spans.at(-1);
    const isBits = isBitTable(next.table);
    const limit = isBits ? maxBits : maxRegisters(next.registerBytes, traits);
    const maxGap = gapLimit(timing, traits, next.registerBytes);
    const gap = isBits ? maxGap * BITS_PER_REGISTER : maxGap;
    const joined = last === undefined ? undefined : join(last, next);
    const fits =
      last !== undefined &&
      joined !== undefined &&
      joined.count <= limit &&
      next.register - (last.register + last.count) <= gap &&
      !(next.models === undefined && touchesForbidden(last, next, traits));
    if (fits) spans[spans.length - 1] = joined;
    else spans.push(next);
  }
  return spans;
}

/** In one request; an answer of 250 bytes has half as many where they are twice as long. */
export function maxRegisters(registerBytes: RegisterBytes, traits: DeviceTraits = {}): number {
  const limit = Math.floor(MAX_DATA_BYTES / registerBytes);
  return Math.min(traits.maxRegisters ?? limit, limit);
}

/** Whether registers between two spans, for which nobody asked, may not be read along. */
function touchesForbidden(a: Span, b: Span, traits: DeviceTraits): boolean {
  const [first, last] = [a.register + a.count, b.register - 1];
  const isNever = traits.never?.some(([from, to]) => first <= to && last >= from && first <= last) ?? false;
  return isNever || !(isBitTable(a.table) || haveBytes(a.registerBytes, first, last, traits));
}

function spanOf(point: Point<ModbusPoint>, traits: DeviceTraits): Span {
  const { table, model } = point.address.at;
  const register = wireRegister(point, traits);
  const registerBytes = registerBytesOf(point, traits);
  const count = isBitTable(table) ? 1 : registersOf(formatOf(point.address), registerBytes);
  const place = { table, register, count, registerBytes, points: [point] };
  return model === undefined ? place : { ...place, models: modelsOf(model) };
}

function byPlace(a: Span, b: Span): number {
  if (a.table !== b.table) return READ_FUNCTION[a.table] - READ_FUNCTION[b.table];
  return keyOf(a).localeCompare(keyOf(b)) || a.register - b.register;
}

/** Undefined for different tables, or registers. `b` does not start before `a`. */
function join(a: Span, b: Span): Span | undefined {
  const isLike = a.table === b.table && a.registerBytes === b.registerBytes && keyOf(a) === keyOf(b);
  if (!isLike || a.register < 0) return undefined;
  const end = Math.max(a.register + a.count, b.register + b.count);
  return { ...a, count: end - a.register, points: [...a.points, ...b.points] };
}

/** Only registers of the same model are neighbours. */
function keyOf({ models = [] }: Span): string {
  return models.join();
}
