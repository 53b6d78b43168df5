import { concatBytes } from "causeway/adapter";
import { ATC_ASSOCIATED, ATC1441_FIRMWARE, type AtcField, type AtcFirmware, atcNonce, PVVX_FIRMWARE } from "../atc.js";
import { MIC_BYTES, sealCcm } from "../ccm.js";
import type { PacketContext } from "../packet.js";
import { numberOf } from "./frame.js";
import { firstThatFits, type PacketNumbers, type Wanted } from "./packet-writer.js";
import { withValue } from "./place-value.js";

/** As `readPvvx` reads it, encrypted where there is a key; what is not set is zero. */
export function writePvvx(values: readonly Wanted[], numbers: PacketNumbers, context: PacketContext): Uint8Array {
  return writeFirmware(PVVX_FIRMWARE, values, numbers, context);
}

/** As `readAtc1441` reads it, encrypted where there is a key; what is not set is zero. */
export function writeAtc1441(values: readonly Wanted[], numbers: PacketNumbers, context: PacketContext): Uint8Array {
  return writeFirmware(ATC1441_FIRMWARE, values, numbers, context);
}

function writeFirmware(
  { address: order, plain, sealed }: AtcFirmware,
  values: readonly Wanted[],
  { packet }: PacketNumbers,
  { address, key }: PacketContext,
): Uint8Array {
  const counter = packet & 0xff;
  if (key === undefined) {
    const bytes = new Uint8Array(plain.bytes);
    bytes.set(order === "reversed" ? address.slice().reverse() : address);
    bytes[plain.counterAt ?? 0] = counter;
    return withFields(bytes, plain.fields, values);
  }
  const body = withFields(new Uint8Array(sealed.bytes - 1 - MIC_BYTES), sealed.fields, values);
  const nonce = atcNonce(address, sealed.bytes, counter);
  return concatBytes([Uint8Array.of(counter), sealCcm(key, nonce, body, { associated: ATC_ASSOCIATED })]);
}

function withFields(empty: Uint8Array, fields: readonly AtcField[], values: readonly Wanted[]): Uint8Array {
  let bytes = empty;
  for (const value of values) {
    const candidates = fields.filter(({ object }, id) => id === value.object || object === value.object);
    bytes = firstThatFits(candidates.slice(value.index), value, ({ at, format, divisor = 1, offset = 0 }) => {
      const raw = (numberOf(value.point, value.value) - offset) * divisor;
      return withValue(bytes, at, raw, format, value.point);
    });
  }
  return bytes;
}
