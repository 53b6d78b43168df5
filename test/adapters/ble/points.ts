import type { BlePoint, BleStation } from "../../../adapters/ble/options.js";
import type { Point, Station } from "../../../src/field/adapter.js";

export function station(address: string, key?: string, name = "device"): Station<BleStation> {
  return { name, address: { address, ...(key === undefined ? {} : { key }) }, traits: {} };
}

export function point(name: string, address: BlePoint, access: "r" | "w" | "rw" = "r"): Point<BlePoint> {
  return { name, access, pollClass: "normal", address };
}

/** `fcd2` in full. */
export function uuid(short: string): string {
  return `0000${short}-0000-1000-8000-00805f9b34fb`;
}
