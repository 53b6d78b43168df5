import { type Clock, fromHex, type Log, type Point, type Reading, type Scalar, type Station } from "causeway/adapter";
import type { Advertisement } from "./advertisement.js";
import { FORMATS, type PacketFormatName } from "./formats.js";
import { type BlePlace, type BlePoint, type BleStation, isObject } from "./options.js";
import type { Packet } from "./packet.js";
import type { PacketMemory } from "./packet-memory.js";
import { type BytePattern, matches } from "./payload.js";
import { type Declared, type DeclaredPoint, declaredOf, type Formatted, formattedOf } from "./station-points.js";
import { readValue, sizeOfType } from "./value-format.js";

export interface DecoderContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly memory: PacketMemory;
  /** 16 bytes. */
  readonly key?: Uint8Array;
}

/** Makes readings of what one station advertises; points of characteristics are none of its business. */
export class StationDecoder {
  readonly #station: Station<BleStation>;
  readonly #context: DecoderContext;
  readonly #address: Uint8Array;
  readonly #declared: readonly Declared[];
  readonly #formatted: readonly Formatted[];
  readonly #radio: readonly Point<BlePoint>[];

  constructor(station: Station<BleStation>, points: readonly Point<BlePoint>[], context: DecoderContext) {
    this.#station = station;
    this.#context = context;
    this.#address = fromHex(station.address.address.replaceAll(":", ""));
    this.#declared = declaredOf(points);
    this.#formatted = formattedOf(points);
    this.#radio = points.filter(({ address: { at } }) => at.radio !== undefined);
  }

  get hasPoints(): boolean {
    return this.#declared.length + this.#formatted.length + this.#radio.length > 0;
  }

  /** Empty for a packet that was heard already, and for one that says nothing of these points. */
  decode(heard: Advertisement): readonly Reading[] {
    const atMs = this.#context.clock.nowMs();
    const readings: Reading[] = [];
    for (const group of this.#declared) this.#readDeclared(group, heard, atMs, readings);
    for (const group of this.#formatted) this.#readFormatted(group, heard, atMs, readings);
    // How strong a repeated packet was is not worth a reading of its own.
    if (readings.length > 0 || this.#declared.length + this.#formatted.length === 0) {
      for (const point of this.#radio) readRadio(point, heard, atMs, readings);
    }
    return readings;
  }

  #readDeclared({ source, points, bytes: find }: Declared, heard: Advertisement, atMs: number, out: Reading[]): void {
    const bytes = find(heard);
    if (bytes === undefined) return;
    const own = points.filter(({ place, pattern }) => isOwn(bytes, place, pattern, heard.name));
    const sequence = sequenceOf(bytes, own);
    if (sequence !== undefined && this.#isRepeat(source, sequence)) return;
    for (const { name, place, format } of own) {
      const at = place.byte ?? 0;
      const value = readValue(bytes, at, format);
      if (value !== undefined) out.push({ point: name, atMs, quality: "good", value });
      else out.push(invalid(name, atMs, `${bytes.length} bytes have no ${format.type} at byte ${at}`));
    }
  }

  #readFormatted({ format, points }: Formatted, heard: Advertisement, atMs: number, out: Reading[]): void {
    const { uuid, read } = FORMATS[format];
    const data = heard.services?.get(uuid);
    if (data === undefined) return;
    const own = points.filter(({ address: { at } }) => hasName(heard.name, at.name));
    const { key } = this.#context;
    const packet = read(data, { address: this.#address, ...(key === undefined ? {} : { key }) });
    if (packet.state === "fault") {
      if (!this.#isOwnFault(format, packet)) return;
      for (const { name } of own) out.push(invalid(name, atMs, packet.reason));
    } else if (packet.state === "read" && this.#isNews(format, packet)) {
      readPacket(own, format, packet, atMs, out);
    }
  }

  #isOwnFault(format: PacketFormatName, fault: Extract<Packet, { state: "fault" }>): boolean {
    if (fault.authentication === "failed" && !this.#context.memory.isDoubtful(format)) return false;
    this.#complain("packet cannot be read", fault.reason);
    return true;
  }

  #isNews(format: PacketFormatName, packet: Extract<Packet, { state: "read" }>): boolean {
    const { memory } = this.#context;
    memory.noteOpened(format);
    if (packet.counter !== undefined) {
      const verdict = memory.judge(format, packet.counter, this.#context.clock.monotonicMs());
      if (verdict === "replay") this.#complain("old packet left out", "its counter is lower than one before");
      if (verdict !== "new") return false;
    }
    if (packet.sequence !== undefined && this.#isRepeat(format, packet.sequence)) return false;
    if (packet.remark !== undefined) this.#complain("packet read in part", packet.remark);
    return true;
  }

  #isRepeat(source: string, sequence: number): boolean {
    return this.#context.memory.isRepeat(source, sequence, this.#context.clock.monotonicMs());
  }

  #complain(what: string, reason: string): void {
    const { memory, log } = this.#context;
    if (memory.isNewComplaint(`${what}: ${reason}`)) log.warn(what, { device: this.#station.name, reason });
  }
}

function isOwn(bytes: Uint8Array, place: BlePlace, pattern: BytePattern, name: string | undefined): boolean {
  if (place.length !== undefined && bytes.length !== place.length) return false;
  return matches(bytes, pattern) && hasName(name, place.name);
}

/** A name that was not heard yet excludes nothing: the address is right. */
function hasName(name: string | undefined, wanted: string | undefined): boolean {
  return name === undefined || wanted === undefined || name.startsWith(wanted);
}

function sequenceOf(bytes: Uint8Array, points: readonly DeclaredPoint[]): number | undefined {
  const place = points.find(({ place: { sequence } }) => sequence !== undefined)?.place.sequence;
  if (place === undefined || place.byte + (sizeOfType(place.type) ?? 0) > bytes.length) return undefined;
  const value = readValue(bytes, place.byte, place);
  return typeof value === "number" ? value : undefined;
}

function readPacket(
  points: readonly Point<BlePoint>[],
  format: PacketFormatName,
  packet: Extract<Packet, { state: "read" }>,
  atMs: number,
  out: Reading[],
): void {
  for (const { name, address } of points) {
    const { [format]: wanted, index = 0 } = address.at;
    const value = packet.values.filter((row) => isObject(row, wanted))[index]?.value;
    if (value !== undefined && !isNoEvent(format, value)) out.push({ point: name, atMs, quality: "good", value });
  }
}

/** What a button says while another one of the device is pressed. */
function isNoEvent(format: PacketFormatName, value: Scalar): boolean {
  return format === "bthome" && value === "none";
}

function readRadio({ name, address }: Point<BlePoint>, heard: Advertisement, atMs: number, out: Reading[]): void {
  const value = address.at.radio === undefined ? undefined : heard[address.at.radio];
  if (value !== undefined) out.push({ point: name, atMs, quality: "good", value });
}

function invalid(point: string, atMs: number, reason: string): Reading {
  return { point, atMs, quality: "invalid", reason };
}
