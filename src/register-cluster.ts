import type { AnyAdapter, Point } from "./field/adapter.js";
import type { DeviceConfig } from "./field/field.js";
import type { Reading } from "./field/reading.js";
import type { ObjectTree } from "./lwm2m/tree.js";
import { readBy } from "./server-instances.js";

export const REGISTER_CLUSTER = 10375;
export const ClusterId = {
  connection: 0,
  registerType: 1,
  unit: 2,
  start: 3,
  quantity: 4,
  values: 5,
  minima: 6,
  maxima: 7,
  reset: 8,
} as const;

const TABLES = ["coil", "discrete", "holding", "input"] as const;
/** Of registers in one request; Modbus Application Protocol V1.1b3 §6.3. */
const MAX_REGISTERS = 125;
const PERIODS = { fastMs: 1000, normalMs: 10_000, slowMs: 300_000 };

/** What resources 0 to 4 of an instance of object 10375 say. */
export interface ClusterSettings {
  readonly connectionId: number;
  readonly table: (typeof TABLES)[number];
  readonly unit: number;
  readonly start: number;
  readonly quantity: number;
}

/** Undefined while the instance is not whole; what is wrong with it, where something is. Pure. */
export function settingsOf(tree: ObjectTree, instanceId: number): ClusterSettings | string | undefined {
  const at = (id: number) => tree.resource(REGISTER_CLUSTER, instanceId, id)?.samples.get(0)?.value;
  const link = at(ClusterId.connection);
  const table = TABLES[Number(at(ClusterId.registerType)) - 1];
  const unit = at(ClusterId.unit);
  const start = at(ClusterId.start);
  const quantity = Number(at(ClusterId.quantity) ?? 1);
  if (typeof link !== "object" || !("instanceId" in link) || table === undefined) return undefined;
  if (unit === undefined || start === undefined) return undefined;
  if (!isBits(table) && quantity > MAX_REGISTERS) return `${quantity} registers are more than ${MAX_REGISTERS}`;
  if (Number(start) + quantity > 0x1_0000) return `there is no register ${Number(start) + quantity - 1}`;
  return { connectionId: link.instanceId, table, unit: Number(unit), start: Number(start), quantity };
}

export function isBits(table: ClusterSettings["table"]): boolean {
  return table === "coil" || table === "discrete";
}

export function isWritable(table: ClusterSettings["table"]): boolean {
  return table === "coil" || table === "holding";
}

/**
 * The registers as a device of the field, a point each; what the adapter needs is read by its own schema, as if it stood
 * in a file. Throws CONFIG_INVALID for what the adapter refuses.
 */
export function clusterDevice(
  { table, unit, start, quantity }: ClusterSettings,
  instanceId: number,
  link: string,
  adapter: AnyAdapter,
): DeviceConfig {
  const access = isWritable(table) ? "rw" : "r";
  const type = isBits(table) ? {} : { type: "uint16" };
  const points = Array.from({ length: quantity }, (_, index): Point<unknown> => {
    const address = readBy(adapter.point, { at: { table, register: start + index }, ...type });
    return { name: pointOf(index), access, pollClass: "normal", address };
  });
  return {
    name: `/${REGISTER_CLUSTER}/${instanceId}`,
    link,
    address: readBy(adapter.station, { unit }),
    traits: { addressBase: 0 },
    points,
    poll: PERIODS,
  };
}

/** Of the register that is `index` after the first. */
export function pointOf(index: number): string {
  return `r${index}`;
}

/** Which register a reading is of, and what it holds as a whole number; undefined for a fault. */
export function registerOf(reading: Reading): { readonly index: number; readonly value: number } | undefined {
  if (reading.quality !== "good") return undefined;
  return { index: Number(reading.point.slice(1)), value: Number(reading.value) };
}
