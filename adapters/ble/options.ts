import { type DeviceTraits, type ObjectSchema, object, type Point, type ScalarKind, schema } from "causeway/adapter";
import { socketOf } from "./dbus-address.js";
import { FORMATS, isFormatName, objectsNamed, PACKET_FORMATS, type PacketFormatName } from "./formats.js";
import { matchPattern } from "./payload.js";
import { fullUuid } from "./uuid.js";
import {
  formatProblem,
  kindOfType,
  sizeOfType,
  VALUE_TYPES,
  type ValueFormat,
  type ValueType,
} from "./value-format.js";

export interface BleLinkOptions {
  /** Address of the D-Bus on which BlueZ is, e.g. `unix:path=/run/other/bus`; the system's unless given. */
  readonly bus?: string;
  /** `hci0`, or the controller's own address; hci0 unless given. */
  readonly controller?: string;
  /** Whether packets are told that the controller has told already; true unless given. */
  readonly duplicateData?: boolean;
  /** Milliseconds until a device must be connected and its services known; 15 s unless given. */
  readonly connectTimeout?: number;
}

const ADDRESS = /^[0-9A-F]{2}(:[0-9A-F]{2}){5}$/;

function addressProblem(text: string): string | undefined {
  return ADDRESS.test(text) ? undefined : "expected an address such as A4:C1:38:00:11:22";
}

const address = schema.refine(
  schema.map(schema.string, (text) => text.toUpperCase()),
  addressProblem,
);

const bus = schema.refine(schema.string, (text) =>
  socketOf(text) === undefined ? "expected the address of a Unix socket such as unix:path=/run/other/bus" : undefined,
);

const controller = schema.refine(schema.string, (text) =>
  /^hci\d+$/.test(text) || ADDRESS.test(text.toUpperCase()) ? undefined : "expected hci0, hci1 … or an address",
);

export const linkSchema: ObjectSchema<BleLinkOptions> = object(
  {},
  { bus, controller, duplicateData: schema.boolean, connectTimeout: schema.durationMs },
);

/** `key` is what packets of this device are encrypted with, or a reference to it. */
export interface BleStation {
  readonly address: string;
  readonly key?: string;
}

export const stationSchema: ObjectSchema<BleStation> = object({ address }, { key: schema.string });

/** Where a packet's counter stands in declared data. */
export interface SequencePlace {
  readonly byte: number;
  readonly type: ValueType;
  readonly order?: "little" | "big";
}

/**
 * Exactly one of `manufacturer`, `service`, `gatt`, `radio` and the formats says where the datum is; the others narrow
 * it down.
 */
export interface BlePlace {
  /** Company identifier of the data. `any` where the identifier is data too: bytes are then counted from it. */
  readonly manufacturer?: number | "any";
  /** UUID of service data. */
  readonly service?: string;
  readonly gatt?: { readonly service: string; readonly characteristic: string };
  /** For GATT: `notify` is told by the device, `read` is asked for; read unless given. */
  readonly mode?: "read" | "notify";
  /** What the controller knows of the advertisement itself. */
  readonly radio?: "rssi" | "txPower" | "name";
  readonly bthome?: number | string;
  readonly mibeacon?: number | string;
  readonly pvvx?: number | string;
  readonly atc1441?: number | string;
  /** Which of several data of one name, from 0. */
  readonly index?: number;
  /** Where the value begins; 0 unless given. */
  readonly byte?: number;
  /** Leading bytes in hex, `..` for any: data that begin otherwise are another's. */
  readonly match?: string;
  /** Data of another length, in bytes, are another's. */
  readonly length?: number;
  /** A device whose advertised name begins otherwise is another. */
  readonly name?: string;
  readonly sequence?: SequencePlace;
}

export interface BlePoint extends Partial<ValueFormat> {
  readonly at: BlePlace;
  /** How a characteristic is written; with a response unless given. */
  readonly write?: "with-response" | "without-response";
}

const uuid = schema.map(
  schema.refine(schema.union(schema.integer(0, 0xffff_ffff), schema.string), (value) =>
    fullUuid(value) === undefined ? "expected a UUID: 0xFCD2, or 128 bits with dashes" : undefined,
  ),
  (value) => fullUuid(value) ?? "",
);

function datum(format: PacketFormatName): schema.Schema<number | string> {
  return schema.union(schema.oneOf(...objectsNamed(format)), schema.integer(0, 0xffff));
}

const place: ObjectSchema<BlePlace> = object(
  {},
  {
    manufacturer: schema.union(schema.integer(0, 0xffff), schema.literal("any")),
    service: uuid,
    gatt: object({ service: uuid, characteristic: uuid }),
    mode: schema.oneOf("read", "notify"),
    radio: schema.oneOf("rssi", "txPower", "name"),
    bthome: datum("bthome"),
    mibeacon: datum("mibeacon"),
    pvvx: datum("pvvx"),
    atc1441: datum("atc1441"),
    index: schema.integer(0, 15),
    byte: schema.integer(0, 511),
    match: schema.refine(schema.string, (text) =>
      matchPattern(text) === undefined ? "expected bytes in hex, '..' for any" : undefined,
    ),
    length: schema.integer(1, 512),
    name: schema.string,
    sequence: object(
      { byte: schema.integer(0, 511), type: schema.oneOf(...VALUE_TYPES) },
      { order: schema.oneOf("little", "big") },
    ),
  },
);

export const pointSchema: ObjectSchema<BlePoint> = object(
  { at: place },
  {
    type: schema.oneOf(...VALUE_TYPES),
    order: schema.oneOf("little", "big"),
    sign: schema.oneOf("magnitude"),
    bits: object({ at: schema.integer(0, 63) }, { width: schema.integer(1, 64) }),
    write: schema.oneOf("with-response", "without-response"),
  },
);

const SOURCES = ["manufacturer", "service", "gatt", "radio", ...PACKET_FORMATS] as const;

/** Keys of `at` that go with some of the sources only. */
const NARROWING: readonly (readonly [key: keyof BlePlace, sources: readonly string[]])[] = [
  ["byte", ["manufacturer", "service", "gatt"]],
  ["match", ["manufacturer", "service"]],
  ["length", ["manufacturer", "service"]],
  ["sequence", ["manufacturer", "service"]],
  ["index", PACKET_FORMATS],
  ["mode", ["gatt"]],
];

export function pointProblem(
  point: BlePoint,
  _traits?: DeviceTraits,
  access: Point<BlePoint>["access"] = "r",
): string | undefined {
  const { at, type, order, sign, bits, write } = point;
  const given = SOURCES.filter((source) => at[source] !== undefined);
  const [source] = given;
  if (source === undefined || given.length > 1) return `'at' needs exactly one of ${SOURCES.join(", ")}`;
  const stray = NARROWING.find(([key, sources]) => at[key] !== undefined && !sources.includes(source));
  if (stray !== undefined) return `'${stray[0]}' does not go with '${source}'`;
  if (write !== undefined && source !== "gatt") return "'write' is for characteristics (gatt) only";
  if (access !== "r" && source !== "gatt") return "only characteristics (gatt) are written";
  if (access !== "r" && ((at.byte ?? 0) > 0 || bits !== undefined)) {
    return "a characteristic is written whole: a point that is written has no 'byte' and 'bits'";
  }
  if (isFormatName(source) || source === "radio") {
    const unknown = isFormatName(source) ? unknownObject(source, at[source]) : undefined;
    if (unknown !== undefined) return unknown;
    const surplus = [type, order, sign, bits].some((field) => field !== undefined);
    return surplus ? `'${source}' knows the type itself: no type, order, sign and bits` : undefined;
  }
  if (type === undefined) return `'${source}' needs 'type'`;
  const { byte = 0, length } = at;
  const end = byte + (sizeOfType(type) ?? 0);
  if (length !== undefined && end > length) return `a ${type} at byte ${byte} ends beyond the 'length' of ${length}`;
  return formatProblem({ ...point, type });
}

function unknownObject(format: PacketFormatName, wanted: number | string | undefined): string | undefined {
  if (typeof wanted !== "number" || FORMATS[format].objects.some((row) => isObject(row, wanted))) return undefined;
  return `'${format}' has no object 0x${wanted.toString(16).padStart(2, "0")} that is known here`;
}

/** Only for points that `pointProblem` has nothing against. */
export function formatOf(point: BlePoint): ValueFormat {
  return { ...point, type: point.type ?? "bytes", order: point.order ?? "little" };
}

export function kindOf(point: BlePoint): ScalarKind {
  const { at } = point;
  if (at.radio !== undefined) return at.radio === "name" ? "string" : "number";
  const format = packetFormatOf(at);
  if (format === undefined) return kindOfType(formatOf(point).type);
  return FORMATS[format].objects.find((row) => isObject(row, at[format]))?.kind ?? "number";
}

export function packetFormatOf(at: BlePlace): PacketFormatName | undefined {
  return PACKET_FORMATS.find((format) => at[format] !== undefined);
}

/** Whether a datum of a packet is the one that a mapping names, by word or by number. */
export function isObject(row: { readonly id: number; readonly object: string }, wanted: number | string | undefined) {
  return row.id === wanted || row.object === wanted;
}

/** Whether the point is asked for, one connection at a time; all others are told by the device. */
export function isPolled({ address: { at } }: Point<BlePoint>): boolean {
  return at.gatt !== undefined && at.mode !== "notify";
}

/** Whether the point needs a connection that is kept. */
export function isNotified({ address: { at } }: Point<BlePoint>): boolean {
  return at.gatt !== undefined && at.mode === "notify";
}
