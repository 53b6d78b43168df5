import { concatBytes, readUnsigned } from "causeway/adapter";
import { MIC_BYTES, openCcm } from "./ccm.js";
import {
  FOREIGN,
  faulty,
  KEY_MISSING,
  KEY_WRONG,
  NOT_ENCRYPTED,
  type Packet,
  type PacketContext,
  type PacketObject,
  type PacketValue,
} from "./packet.js";
import { readValue, type ValueType } from "./value-format.js";

export const MIBEACON_UUID = 0xfe95;
export const MIBEACON_ASSOCIATED = Uint8Array.of(0x11);
const COUNTER_BYTES = 3;

/** Bits of the frame control field. */
export const FRAME_CONTROL = { encrypted: 0x0008, address: 0x0010, capability: 0x0020, object: 0x0040 } as const;
/** Of the capability byte: two bytes on input and output follow. */
const CAPABILITY_IO = 0x20;

export type MibeaconRow = readonly [id: number, object: string, type: ValueType, at: number, divisor?: number];

/** What is publicly known of the objects; one with two data has two rows. */
export const MIBEACON_ROWS: readonly MibeaconRow[] = [
  [0x1004, "temperature", "int16", 0, 10],
  [0x1006, "humidity", "uint16", 0, 10],
  [0x1007, "illuminance", "uint24", 0],
  [0x1008, "moisture", "uint8", 0],
  [0x1009, "conductivity", "uint16", 0],
  [0x100a, "battery", "uint8", 0],
  [0x100d, "temperature", "int16", 0, 10],
  [0x100d, "humidity", "uint16", 2, 10],
  [0x1010, "formaldehyde", "uint16", 0, 100],
  [0x1012, "switch", "bool", 0],
  [0x1017, "idleTime", "uint32", 0],
  [0x1018, "light", "bool", 0],
  [0x1019, "opening", "uint8", 0],
  [0x4801, "temperature", "float32", 0],
  [0x4802, "humidity", "uint8", 0],
  [0x4803, "battery", "uint8", 0],
  [0x4805, "illuminance", "float32", 0],
  [0x4c01, "temperature", "float32", 0],
  [0x4c02, "humidity", "uint8", 0],
  [0x4c03, "battery", "uint8", 0],
  [0x4c08, "humidity", "float32", 0],
];

export const MIBEACON_OBJECTS: readonly PacketObject[] = MIBEACON_ROWS.map(([id, object, type]) => ({
  id,
  object,
  kind: type === "bool" ? "boolean" : "number",
}));

/** Xiaomi's MiBeacon: service data of UUID FE95; plain of any version, encrypted of 4 and 5. */
export function readMibeacon(data: Uint8Array, context: PacketContext): Packet {
  if (data.length < 5) return FOREIGN;
  const control = readUnsigned(data, 0, 2, "little");
  if ((control & FRAME_CONTROL.object) === 0) return FOREIGN;
  const sequence = data[4] ?? 0;
  const body = data.subarray(headerBytes(control, data));
  if ((control & FRAME_CONTROL.encrypted) === 0) {
    return context.key === undefined ? readObjects(body, sequence) : NOT_ENCRYPTED;
  }
  if (control >> 12 < 4) return faulty(`encryption of MiBeacon version ${control >> 12} is not known`);
  if (context.key === undefined) return KEY_MISSING;
  const sealedBytes = body.length - COUNTER_BYTES - MIC_BYTES;
  if (sealedBytes < 1) return faulty("an encrypted packet ends too soon");
  const address = (control & FRAME_CONTROL.address) === 0 ? context.address.slice().reverse() : data.subarray(5, 11);
  const nonce = mibeaconNonce(address, data, body.subarray(sealedBytes, sealedBytes + COUNTER_BYTES));
  const mic = body.subarray(sealedBytes + COUNTER_BYTES);
  const plain = openCcm(context.key, nonce, body.subarray(0, sealedBytes), mic, MIBEACON_ASSOCIATED);
  return plain === undefined ? KEY_WRONG : readObjects(plain, sequence);
}

/** It holds product and frame counter, which follow the frame control, and the extended counter, as they stand. */
export function mibeaconNonce(reversedAddress: Uint8Array, data: Uint8Array, counter: Uint8Array): Uint8Array {
  return concatBytes([reversedAddress, data.subarray(2, 5), counter]);
}

function headerBytes(control: number, data: Uint8Array): number {
  const address = (control & FRAME_CONTROL.address) === 0 ? 5 : 11;
  if ((control & FRAME_CONTROL.capability) === 0) return address;
  return address + (((data[address] ?? 0) & CAPABILITY_IO) === 0 ? 1 : 3);
}

function readObjects(body: Uint8Array, sequence: number): Packet {
  const values: PacketValue[] = [];
  for (let at = 0; at < body.length; ) {
    const id = readUnsigned(body, at, 2, "little");
    const size = body[at + 2];
    const from = at + 3;
    if (size === undefined || from + size > body.length) {
      return { state: "read", values, sequence, remark: "the packet ends in the middle of an object" };
    }
    const bytes = body.subarray(from, from + size);
    for (const [rowId, object, type, offset, divisor = 1] of MIBEACON_ROWS) {
      const raw = rowId === id ? readValue(bytes, offset, { type }) : undefined;
      if (raw !== undefined) values.push({ id, object, value: typeof raw === "number" ? raw / divisor : raw });
    }
    at = from + size;
  }
  return { state: "read", values, sequence };
}
