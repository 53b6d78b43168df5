import type { ScalarKind } from "causeway/adapter";
import { kindOfType, type ValueType } from "./value-format.js";

/** One row of the table of objects at bthome.io/format. */
export interface BthomeObject {
  readonly id: number;
  readonly name: string;
  readonly kind: ScalarKind;
  readonly layout:
    | { readonly as: "number"; readonly type: ValueType; readonly divisor: number; readonly factor: number }
    | { readonly as: "bool" | "button" | "dimmer" }
    /** A byte with the length goes before. */
    | { readonly as: "text" | "raw" }
    | { readonly as: "version"; readonly size: number };
}

type NumberRow = readonly [id: number, name: string, type: ValueType, divisor?: number, factor?: number];

/** `value = raw · factor / divisor`, both 1 unless given. */
const NUMBERS: readonly NumberRow[] = [
  [0x00, "packetId", "uint8"],
  [0x01, "battery", "uint8"],
  [0x02, "temperature", "int16", 100],
  [0x03, "humidity", "uint16", 100],
  [0x04, "pressure", "uint24", 100],
  [0x05, "illuminance", "uint24", 100],
  [0x06, "massKg", "uint16", 100],
  [0x07, "massLb", "uint16", 100],
  [0x08, "dewPoint", "int16", 100],
  [0x09, "count", "uint8"],
  [0x0a, "energy", "uint24", 1000],
  [0x0b, "power", "uint24", 100],
  [0x0c, "voltage", "uint16", 1000],
  [0x0d, "pm25", "uint16"],
  [0x0e, "pm10", "uint16"],
  [0x12, "co2", "uint16"],
  [0x13, "tvoc", "uint16"],
  [0x14, "moisture", "uint16", 100],
  [0x2e, "humidity", "uint8"],
  [0x2f, "moisture", "uint8"],
  [0x3d, "count", "uint16"],
  [0x3e, "count", "uint32"],
  [0x3f, "rotation", "int16", 10],
  [0x40, "distanceMm", "uint16"],
  [0x41, "distanceM", "uint16", 10],
  [0x42, "duration", "uint24", 1000],
  [0x43, "current", "uint16", 1000],
  [0x44, "speed", "uint16", 100],
  [0x45, "temperature", "int16", 10],
  [0x46, "uvIndex", "uint8", 10],
  [0x47, "volume", "uint16", 10],
  [0x48, "volumeMl", "uint16"],
  [0x49, "flowRate", "uint16", 1000],
  [0x4a, "voltage", "uint16", 10],
  [0x4b, "gas", "uint24", 1000],
  [0x4c, "gas", "uint32", 1000],
  [0x4d, "energy", "uint32", 1000],
  [0x4e, "volume", "uint32", 1000],
  [0x4f, "water", "uint32", 1000],
  [0x50, "timestamp", "uint32"],
  [0x51, "acceleration", "uint16", 1000],
  [0x52, "gyroscope", "uint16", 1000],
  [0x55, "volumeStorage", "uint32", 1000],
  [0x56, "conductivity", "uint16"],
  [0x57, "temperature", "int8"],
  [0x58, "temperature", "int8", 100, 35],
  [0x59, "count", "int8"],
  [0x5a, "count", "int16"],
  [0x5b, "count", "int32"],
  [0x5c, "power", "int32", 100],
  [0x5d, "current", "int16", 1000],
  [0x5e, "direction", "uint16", 100],
  [0x5f, "precipitation", "uint16", 10],
  [0x60, "channel", "uint8"],
  [0x61, "rotationalSpeed", "uint16"],
  [0x62, "speed", "int32", 1_000_000],
  [0x63, "acceleration", "int32", 1_000_000],
  [0x64, "lightLevel", "uint8"],
  [0xf0, "deviceType", "uint16"],
];

const SWITCHES: readonly (readonly [id: number, name: string])[] = [
  [0x0f, "generic"],
  [0x10, "powerOn"],
  [0x11, "opening"],
  [0x15, "batteryLow"],
  [0x16, "batteryCharging"],
  [0x17, "carbonMonoxide"],
  [0x18, "cold"],
  [0x19, "connectivity"],
  [0x1a, "door"],
  [0x1b, "garageDoor"],
  [0x1c, "gasDetected"],
  [0x1d, "heat"],
  [0x1e, "light"],
  [0x1f, "lock"],
  [0x20, "moistureDetected"],
  [0x21, "motion"],
  [0x22, "moving"],
  [0x23, "occupancy"],
  [0x24, "plug"],
  [0x25, "presence"],
  [0x26, "problem"],
  [0x27, "running"],
  [0x28, "safety"],
  [0x29, "smoke"],
  [0x2a, "sound"],
  [0x2b, "tamper"],
  [0x2c, "vibration"],
  [0x2d, "window"],
];

const OTHERS: readonly BthomeObject[] = [
  { id: 0x3a, name: "button", kind: "string", layout: { as: "button" } },
  { id: 0x3c, name: "dimmer", kind: "number", layout: { as: "dimmer" } },
  { id: 0x53, name: "text", kind: "string", layout: { as: "text" } },
  { id: 0x54, name: "raw", kind: "bytes", layout: { as: "raw" } },
  { id: 0xf1, name: "firmware", kind: "string", layout: { as: "version", size: 4 } },
  { id: 0xf2, name: "firmware", kind: "string", layout: { as: "version", size: 3 } },
];

export const BTHOME_OBJECTS: ReadonlyMap<number, BthomeObject> = new Map(
  [
    ...NUMBERS.map(
      ([id, name, type, divisor = 1, factor = 1]): BthomeObject => ({
        id,
        name,
        kind: kindOfType(type),
        layout: { as: "number", type, divisor, factor },
      }),
    ),
    ...SWITCHES.map(([id, name]): BthomeObject => ({ id, name, kind: "boolean", layout: { as: "bool" } })),
    ...OTHERS,
  ].map((row) => [row.id, row]),
);

/** What a button can tell; 0 stands in packets that another button of the device caused. */
export const BUTTON_EVENTS: ReadonlyMap<number, string> = new Map([
  [0x00, "none"],
  [0x01, "press"],
  [0x02, "doublePress"],
  [0x03, "triplePress"],
  [0x04, "longPress"],
  [0x05, "longDoublePress"],
  [0x06, "longTriplePress"],
  [0x80, "holdPress"],
]);
