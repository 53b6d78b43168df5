import { concatBytes } from "causeway/adapter";
import { MIC_BYTES, openCcm } from "./ccm.js";
import {
  FOREIGN,
  KEY_MISSING,
  KEY_WRONG,
  NOT_ENCRYPTED,
  type Packet,
  type PacketContext,
  type PacketObject,
  type PacketValue,
} from "./packet.js";
import { readValue, type ValueFormat } from "./value-format.js";

/** Environmental sensing, which the free firmwares of Xiaomi's thermometers borrow. */
export const ATC_UUID = 0x181a;
export const ATC_ASSOCIATED = Uint8Array.of(0x11);

export interface AtcField {
  readonly object: string;
  readonly at: number;
  readonly format: ValueFormat;
  /** `raw / divisor + offset`. */
  readonly divisor?: number;
  readonly offset?: number;
}

interface Layout {
  readonly fields: readonly AtcField[];
  /** Where the counter stands, of a plain packet. */
  readonly counterAt?: number;
}

const PVVX: Layout = {
  counterAt: 13,
  fields: [
    { object: "temperature", at: 6, format: { type: "int16" }, divisor: 100 },
    { object: "humidity", at: 8, format: { type: "uint16" }, divisor: 100 },
    { object: "voltage", at: 10, format: { type: "uint16" }, divisor: 1000 },
    { object: "battery", at: 12, format: { type: "uint8" } },
    { object: "reed", at: 14, format: { type: "uint8", bits: { at: 0 } } },
    { object: "trigger", at: 14, format: { type: "uint8", bits: { at: 1 } } },
  ],
};

const PVVX_SEALED: Layout = {
  fields: [
    { object: "temperature", at: 0, format: { type: "int16" }, divisor: 100 },
    { object: "humidity", at: 2, format: { type: "uint16" }, divisor: 100 },
    { object: "battery", at: 4, format: { type: "uint8" } },
    { object: "reed", at: 5, format: { type: "uint8", bits: { at: 0 } } },
    { object: "trigger", at: 5, format: { type: "uint8", bits: { at: 1 } } },
  ],
};

const ATC1441: Layout = {
  counterAt: 12,
  fields: [
    { object: "temperature", at: 6, format: { type: "int16", order: "big" }, divisor: 10 },
    { object: "humidity", at: 8, format: { type: "uint8" } },
    { object: "battery", at: 9, format: { type: "uint8" } },
    { object: "voltage", at: 10, format: { type: "uint16", order: "big" }, divisor: 1000 },
  ],
};

const ATC1441_SEALED: Layout = {
  fields: [
    { object: "temperature", at: 0, format: { type: "uint8" }, divisor: 2, offset: -40 },
    { object: "humidity", at: 1, format: { type: "uint8" }, divisor: 2 },
    { object: "battery", at: 2, format: { type: "uint8", bits: { at: 0, width: 7 } } },
    { object: "trigger", at: 2, format: { type: "uint8", bits: { at: 7 } } },
  ],
};

export interface AtcFirmware {
  /** How the device's own address, which a plain packet begins with, stands there. */
  readonly address: "reversed" | "as written";
  readonly plain: Layout & { readonly bytes: number };
  readonly sealed: Layout & { readonly bytes: number };
}

export const PVVX_FIRMWARE: AtcFirmware = {
  address: "reversed",
  plain: { ...PVVX, bytes: 15 },
  sealed: { ...PVVX_SEALED, bytes: 11 },
};
export const ATC1441_FIRMWARE: AtcFirmware = {
  address: "as written",
  plain: { ...ATC1441, bytes: 13 },
  sealed: { ...ATC1441_SEALED, bytes: 8 },
};

export const PVVX_OBJECTS = objectsOf(PVVX_FIRMWARE);
export const ATC1441_OBJECTS = objectsOf(ATC1441_FIRMWARE);

/** Thermometers with the firmware of pvvx, plain and encrypted: service data of UUID 181A. */
export function readPvvx(data: Uint8Array, context: PacketContext): Packet {
  return readFirmware(PVVX_FIRMWARE, data, context);
}

/** Thermometers with the firmware of atc1441, plain and encrypted: service data of UUID 181A. */
export function readAtc1441(data: Uint8Array, context: PacketContext): Packet {
  return readFirmware(ATC1441_FIRMWARE, data, context);
}

function objectsOf({ plain, sealed }: AtcFirmware): readonly PacketObject[] {
  const names = new Set([...plain.fields, ...sealed.fields].map(({ object }) => object));
  return [...names].map((object, id) => ({ id, object, kind: "number" }));
}

/** The two formats, and whether they are encrypted, are told apart by their length alone. */
function readFirmware({ plain, sealed }: AtcFirmware, data: Uint8Array, context: PacketContext): Packet {
  if (data.length === plain.bytes) {
    return context.key === undefined ? readFields(plain, data, data[plain.counterAt ?? 0] ?? 0) : NOT_ENCRYPTED;
  }
  if (data.length !== sealed.bytes) return FOREIGN;
  if (context.key === undefined) return KEY_MISSING;
  const counter = data[0] ?? 0;
  const nonce = atcNonce(context.address, data.length, counter);
  const micAt = data.length - MIC_BYTES;
  const body = openCcm(context.key, nonce, data.subarray(1, micAt), data.subarray(micAt), ATC_ASSOCIATED);
  return body === undefined ? KEY_WRONG : readFields(sealed, body, counter);
}

/** It holds the head of the advertisement's field: length, type 16 (service data), UUID 181A, counter. */
export function atcNonce(address: Uint8Array, bytes: number, counter: number): Uint8Array {
  return concatBytes([address.slice().reverse(), Uint8Array.of(bytes + 3, 0x16, 0x1a, 0x18, counter)]);
}

function readFields({ fields }: Layout, bytes: Uint8Array, sequence: number): Packet {
  const values = fields.map(({ object, at, format, divisor = 1, offset = 0 }, id): PacketValue => {
    return { id, object, value: Number(readValue(bytes, at, format)) / divisor + offset };
  });
  return { state: "read", values, sequence };
}
