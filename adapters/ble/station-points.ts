import type { Point } from "causeway/adapter";
import type { Advertisement } from "./advertisement.js";
import type { PacketFormatName } from "./formats.js";
import { type BlePlace, type BlePoint, formatOf, packetFormatOf } from "./options.js";
import { type BytePattern, manufacturerBytes, matchPattern } from "./payload.js";
import type { ValueFormat } from "./value-format.js";

export interface DeclaredPoint {
  readonly name: string;
  readonly place: BlePlace;
  readonly pattern: BytePattern;
  readonly format: ValueFormat;
}

/** Points whose bytes come from one source. */
export interface Declared {
  readonly source: string;
  readonly points: readonly DeclaredPoint[];
  bytes(heard: Advertisement): Uint8Array | undefined;
}

export interface Formatted {
  readonly format: PacketFormatName;
  readonly points: readonly Point<BlePoint>[];
}

/** Points whose bytes are declared, by source. */
export function declaredOf(points: readonly Point<BlePoint>[]): readonly Declared[] {
  const groups = new Map<string, DeclaredPoint[]>();
  const finders = new Map<string, Declared["bytes"]>();
  for (const { name, address } of points) {
    const { at } = address;
    const source = at.service ?? (at.manufacturer === undefined ? undefined : String(at.manufacturer));
    if (source === undefined) continue;
    const pattern = matchPattern(at.match ?? "") ?? [];
    const declared = { name, place: at, pattern, format: formatOf(address) };
    const group = groups.get(source);
    if (group === undefined) groups.set(source, [declared]);
    else group.push(declared);
    finders.set(source, finderOf(at));
  }
  return [...groups].map(([source, own]) => ({
    source,
    points: own,
    bytes: finders.get(source) ?? (() => undefined),
  }));
}

function finderOf({ manufacturer, service = "" }: BlePlace): Declared["bytes"] {
  if (manufacturer === undefined) return (heard) => heard.services?.get(service);
  return (heard) => manufacturerBytes(heard, manufacturer);
}

/** Points of packets that name their data, by format. */
export function formattedOf(points: readonly Point<BlePoint>[]): readonly Formatted[] {
  const groups = new Map<PacketFormatName, Point<BlePoint>[]>();
  for (const point of points) {
    const format = packetFormatOf(point.address.at);
    if (format === undefined) continue;
    const group = groups.get(format);
    if (group === undefined) groups.set(format, [point]);
    else group.push(point);
  }
  return [...groups].map(([format, own]) => ({ format, points: own }));
}
