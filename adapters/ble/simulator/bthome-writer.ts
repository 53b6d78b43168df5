import { concatBytes, encodeByteValue, type Scalar } from "causeway/adapter";
import { BTHOME_VERSION, bthomeNonce, ENCRYPTED, PACKET_ID } from "../bthome.js";
import { BTHOME_OBJECTS, type BthomeObject, BUTTON_EVENTS } from "../bthome-objects.js";
import { sealCcm } from "../ccm.js";
import type { PacketContext } from "../packet.js";
import { sizeOfType, writeValue } from "../value-format.js";
import { misfit, numberOf } from "./frame.js";
import { firstThatFits, type PacketNumbers, type Wanted } from "./packet-writer.js";

interface Written {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** As `readBthome` reads it: always with a packet id, the objects in ascending order, encrypted where there is a key. */
export function writeBthome(values: readonly Wanted[], { packet, counter }: PacketNumbers, context: PacketContext) {
  const objects = [{ id: PACKET_ID, bytes: Uint8Array.of(packet & 0xff) }, ...written(values)];
  objects.sort((a, b) => a.id - b.id);
  const body = concatBytes(objects.flatMap(({ id, bytes }) => [Uint8Array.of(id), bytes]));
  const { key, address } = context;
  const info = (BTHOME_VERSION << 5) | (key === undefined ? 0 : ENCRYPTED);
  if (key === undefined) return concatBytes([Uint8Array.of(info), body]);
  const between = encodeByteValue(counter, { type: "uint32", order: "little" });
  return concatBytes([Uint8Array.of(info), sealCcm(key, bthomeNonce(address, info, between), body, { between })]);
}

/** Those of one name have the same object, so their order stays what it is; what is not set among them is zero. */
function written(values: readonly Wanted[]): readonly Written[] {
  const groups = new Map<Wanted["object"], Wanted[]>();
  for (const value of values) groups.set(value.object, [...(groups.get(value.object) ?? []), value]);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const rows = [...BTHOME_OBJECTS.values()].filter(({ id, name }) => id === first.object || name === first.object);
    const count = 1 + Math.max(...group.map(({ index }) => index));
    return firstThatFits(rows, first, (row) =>
      Array.from({ length: count }, (_, at): Written => {
        const own = group.find(({ index }) => index === at);
        return { id: row.id, bytes: own === undefined ? zeroOf(row) : encodeObject(row, own.value, own.point) };
      }),
    );
  });
}

function encodeObject({ layout, name }: BthomeObject, value: Scalar, point: string): Uint8Array {
  switch (layout.as) {
    case "number": {
      const { type, divisor, factor } = layout;
      return writeValue((numberOf(point, value) * divisor) / factor, { type }, point);
    }
    case "bool":
      return writeValue(value, { type: "bool" }, point);
    case "button": {
      const [event] = [...BUTTON_EVENTS].find(([, word]) => word === value) ?? [];
      if (event === undefined) throw misfit(point, `'${String(value)}' is no event of a ${name}`);
      return Uint8Array.of(event);
    }
    case "dimmer": {
      const steps = Math.round(numberOf(point, value));
      const amount = writeValue(Math.abs(steps), { type: "uint8" }, point);
      return Uint8Array.of(Math.sign(steps) === 0 ? 0 : steps < 0 ? 1 : 2, ...amount);
    }
    case "text":
      return withLength(writeValue(value, { type: "string" }, point), point);
    case "raw":
      return withLength(writeValue(value, { type: "bytes" }, point), point);
    case "version":
      return versionBytes(value, layout.size, point);
  }
}

function zeroOf({ layout }: BthomeObject): Uint8Array {
  if (layout.as === "number") return new Uint8Array(sizeOfType(layout.type) ?? 0);
  if (layout.as === "version") return new Uint8Array(layout.size);
  return new Uint8Array(layout.as === "dimmer" ? 2 : 1);
}

function withLength(bytes: Uint8Array, point: string): Uint8Array {
  if (bytes.length > 0xff) throw misfit(point, `${bytes.length} bytes are more than 255`);
  return Uint8Array.of(bytes.length, ...bytes);
}

/** `4.1.2`: its last number comes first. */
function versionBytes(value: Scalar, size: number, point: string): Uint8Array {
  const parts = typeof value === "string" ? value.split(".") : [];
  const isVersion = parts.length === size && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 0xff);
  if (!isVersion) throw misfit(point, `'${String(value)}' is no version of ${size} numbers`);
  return Uint8Array.from(parts.map(Number).reverse());
}
