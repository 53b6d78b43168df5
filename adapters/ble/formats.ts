import { ATC_UUID, ATC1441_OBJECTS, PVVX_OBJECTS, readAtc1441, readPvvx } from "./atc.js";
import { BTHOME_UUID, readBthome } from "./bthome.js";
import { BTHOME_OBJECTS } from "./bthome-objects.js";
import { MIBEACON_OBJECTS, MIBEACON_UUID, readMibeacon } from "./mibeacon.js";
import type { Packet, PacketContext, PacketObject } from "./packet.js";
import { fullUuid } from "./uuid.js";

/** A format whose packets name their data. */
export interface PacketFormat {
  /** UUID of the service data that carry it. */
  readonly uuid: string;
  readonly objects: readonly PacketObject[];
  read(data: Uint8Array, context: PacketContext): Packet;
}

export const PACKET_FORMATS = ["bthome", "mibeacon", "pvvx", "atc1441"] as const;
export type PacketFormatName = (typeof PACKET_FORMATS)[number];

export const FORMATS: Readonly<Record<PacketFormatName, PacketFormat>> = {
  bthome: {
    uuid: uuidOf(BTHOME_UUID),
    objects: [...BTHOME_OBJECTS.values()].map(({ id, name, kind }) => ({ id, object: name, kind })),
    read: readBthome,
  },
  mibeacon: { uuid: uuidOf(MIBEACON_UUID), objects: MIBEACON_OBJECTS, read: readMibeacon },
  pvvx: { uuid: uuidOf(ATC_UUID), objects: PVVX_OBJECTS, read: readPvvx },
  atc1441: { uuid: uuidOf(ATC_UUID), objects: ATC1441_OBJECTS, read: readAtc1441 },
};

export function isFormatName(name: string): name is PacketFormatName {
  return PACKET_FORMATS.some((format) => format === name);
}

export function objectsNamed(format: PacketFormatName): readonly string[] {
  return [...new Set(FORMATS[format].objects.map(({ object }) => object))];
}

function uuidOf(short: number): string {
  return fullUuid(short) ?? "";
}
