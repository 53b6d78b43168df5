import { concatBytes, encodeByteValue } from "causeway/adapter";
import { sealCcm } from "../ccm.js";
import { FRAME_CONTROL, MIBEACON_ASSOCIATED, MIBEACON_ROWS, type MibeaconRow, mibeaconNonce } from "../mibeacon.js";
import type { PacketContext } from "../packet.js";
import { sizeOfType } from "../value-format.js";
import { numberOf } from "./frame.js";
import { firstThatFits, type PacketNumbers, type Wanted } from "./packet-writer.js";
import { withValue } from "./place-value.js";

const VERSION = 5;
/** LYWSD03MMC; the decoder does not mind. */
const PRODUCT = 0x055b;

/** As `readMibeacon` reads it: all objects in one packet, with the device's address, encrypted where there is a key. */
export function writeMibeacon(values: readonly Wanted[], { packet, counter }: PacketNumbers, context: PacketContext) {
  const { key } = context;
  const { address: withAddress, object, encrypted } = FRAME_CONTROL;
  const control = (VERSION << 12) | withAddress | object | (key === undefined ? 0 : encrypted);
  const address = context.address.slice().reverse();
  const head = concatBytes([little16(control), little16(PRODUCT), Uint8Array.of(packet & 0xff), address]);
  const body = concatBytes(objectsOf(values).map(([id, bytes]) => objectBytes(id, bytes)));
  if (key === undefined) return concatBytes([head, body]);
  const between = encodeByteValue(counter & 0xff_ffff, { type: "uint24", order: "little" });
  const nonce = mibeaconNonce(address, head, between);
  return concatBytes([head, sealCcm(key, nonce, body, { associated: MIBEACON_ASSOCIATED, between })]);
}

/** By id, in the order of the table; an object with two data is one. */
function objectsOf(values: readonly Wanted[]): readonly (readonly [id: number, bytes: Uint8Array])[] {
  const objects = new Map<number, Uint8Array>();
  for (const value of values) {
    const rows = MIBEACON_ROWS.filter(([id, name]) => id === value.object || name === value.object);
    firstThatFits(rows.slice(value.index), value, (row) => {
      objects.set(row[0], withDatum(objects.get(row[0]), row, value));
    });
  }
  return [...objects].sort(([a], [b]) => a - b);
}

function withDatum(present: Uint8Array | undefined, row: MibeaconRow, { value, point }: Wanted): Uint8Array {
  const [id, , type, at, divisor = 1] = row;
  const sizes = MIBEACON_ROWS.filter(([own]) => own === id).map((own) => own[3] + (sizeOfType(own[2]) ?? 0));
  const bytes = present ?? new Uint8Array(Math.max(...sizes));
  return withValue(bytes, at, type === "bool" ? value : numberOf(point, value) * divisor, { type }, point);
}

function objectBytes(id: number, bytes: Uint8Array): Uint8Array {
  return concatBytes([little16(id), Uint8Array.of(bytes.length), bytes]);
}

function little16(value: number): Uint8Array {
  return encodeByteValue(value, { type: "uint16", order: "little" });
}
