import { concatBytes, readUnsigned, type Scalar, utf8Decode } from "causeway/adapter";
import { BTHOME_OBJECTS, type BthomeObject, BUTTON_EVENTS } from "./bthome-objects.js";
import { MIC_BYTES, openCcm } from "./ccm.js";
import {
  FOREIGN,
  faulty,
  KEY_MISSING,
  KEY_WRONG,
  NOT_ENCRYPTED,
  type Packet,
  type PacketContext,
  type PacketValue,
} from "./packet.js";
import { readValue, sizeOfType } from "./value-format.js";

export const BTHOME_UUID = 0xfcd2;
const UUID_BYTES = Uint8Array.of(0xd2, 0xfc);
const COUNTER_BYTES = 4;
export const PACKET_ID = 0x00;

/** Bits of the first byte, `device information`. */
export const ENCRYPTED = 0x01;
const WITH_ADDRESS = 0x02;
export const BTHOME_VERSION = 2;

/** BTHome version 2 (bthome.io/format, bthome.io/encryption): service data of UUID FCD2. */
export function readBthome(data: Uint8Array, context: PacketContext): Packet {
  const info = data[0];
  if (info === undefined) return FOREIGN;
  if (info >> 5 !== BTHOME_VERSION) return faulty(`BTHome version ${info >> 5} is not known`);
  const withAddress = (info & WITH_ADDRESS) !== 0;
  const address = withAddress ? data.slice(1, 7).reverse() : context.address;
  const body = data.subarray(withAddress ? 7 : 1);
  if ((info & ENCRYPTED) === 0) {
    return context.key === undefined ? readObjects(body, undefined) : NOT_ENCRYPTED;
  }
  if (context.key === undefined) return KEY_MISSING;
  const sealedBytes = body.length - COUNTER_BYTES - MIC_BYTES;
  if (sealedBytes < 1 || address.length !== 6) return faulty("an encrypted packet ends too soon");
  const counter = body.subarray(sealedBytes, sealedBytes + COUNTER_BYTES);
  const nonce = bthomeNonce(address, info, counter);
  const mic = body.subarray(sealedBytes + COUNTER_BYTES);
  const plain = openCcm(context.key, nonce, body.subarray(0, sealedBytes), mic);
  return plain === undefined ? KEY_WRONG : readObjects(plain, readUnsigned(counter, 0, COUNTER_BYTES, "little"));
}

/** bthome.io/encryption; the counter as it stands in the packet. */
export function bthomeNonce(address: Uint8Array, info: number, counter: Uint8Array): Uint8Array {
  return concatBytes([address, UUID_BYTES, Uint8Array.of(info), counter]);
}

function readObjects(body: Uint8Array, counter: number | undefined): Packet {
  const values: PacketValue[] = [];
  let remark: string | undefined;
  for (let at = 0; at < body.length; ) {
    const id = body[at] ?? 0;
    const row = BTHOME_OBJECTS.get(id);
    if (row === undefined) {
      // The length of an object is known by its id only.
      remark = `object 0x${id.toString(16).padStart(2, "0")} is not known, what follows it is left out`;
      break;
    }
    const [from, size] = extentOf(row, body, at + 1);
    if (from + size > body.length) {
      remark = `the packet ends in the middle of '${row.name}'`;
      break;
    }
    const value = decodeObject(row, body.subarray(from, from + size));
    if (value !== undefined) values.push({ id, object: row.name, value });
    at = from + size;
  }
  const sequence = values.find(({ id }) => id === PACKET_ID)?.value;
  return {
    state: "read",
    values,
    ...(typeof sequence === "number" ? { sequence } : {}),
    ...(counter === undefined ? {} : { counter }),
    ...(remark === undefined ? {} : { remark }),
  };
}

/** Where the bytes of an object are and how many. */
function extentOf({ layout }: BthomeObject, body: Uint8Array, at: number): readonly [from: number, size: number] {
  switch (layout.as) {
    case "number":
      return [at, sizeOfType(layout.type) ?? 0];
    case "text":
    case "raw":
      return [at + 1, body[at] ?? 0];
    case "version":
      return [at, layout.size];
    case "dimmer":
      return [at, 2];
    default:
      return [at, 1];
  }
}

/** Undefined for a code that has no meaning yet, and for text that is none. */
function decodeObject({ layout }: BthomeObject, bytes: Uint8Array): Scalar | undefined {
  switch (layout.as) {
    case "number":
      return (Number(readValue(bytes, 0, { type: layout.type })) * layout.factor) / layout.divisor;
    case "bool":
      return bytes[0] !== 0;
    case "button":
      return BUTTON_EVENTS.get(bytes[0] ?? 0);
    case "dimmer":
      return dimmerSteps(bytes);
    case "text":
      return utf8Decode(bytes);
    case "raw":
      return bytes.slice();
    case "version":
      return [...bytes].reverse().join(".");
  }
}

/** Steps to the right; negative to the left, 0 for none. */
function dimmerSteps([event, steps = 0]: Uint8Array): number | undefined {
  if (event === 0) return 0;
  return event === 1 ? -steps : event === 2 ? steps : undefined;
}
