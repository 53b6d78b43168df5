import { CausewayError, type Point, type Scalar, sameScalar } from "causeway/adapter";
import { PACKET_ID } from "../bthome.js";
import { BTHOME_OBJECTS } from "../bthome-objects.js";
import { FORMATS, type PacketFormatName } from "../formats.js";
import { type BlePoint, isObject } from "../options.js";
import type { PacketContext } from "../packet.js";
import { fitToFormat } from "../value-format.js";
import { writeAtc1441, writePvvx } from "./atc-writer.js";
import { writeBthome } from "./bthome-writer.js";
import { type Frame, misfit } from "./frame.js";
import { writeMibeacon } from "./mibeacon-writer.js";
import type { PacketWriter, Wanted } from "./packet-writer.js";
import type { Spoken } from "./peripheral.js";

const WRITERS: Readonly<Record<PacketFormatName, PacketWriter>> = {
  bthome: writeBthome,
  mibeacon: writeMibeacon,
  pvvx: writePvvx,
  atc1441: writeAtc1441,
};

type Values = ReadonlyMap<string, Scalar>;

/** A packet of a format that names its data. What it holds is what the format's own decoder reads from it. */
export class FormattedFrame implements Frame {
  readonly #format: PacketFormatName;
  readonly #context: PacketContext;
  readonly #points: ReadonlyMap<string, Omit<Wanted, "value">>;
  /** What was set, as it is told. */
  #values: Values = new Map();
  /** Of all points, also those of which the packet has a value that nobody has set. */
  #told: Values = new Map();
  #packet = 1;
  #counter = 1;
  #hasValues = false;
  #isSent = false;

  constructor(format: PacketFormatName, points: readonly Point<BlePoint>[], context: PacketContext) {
    this.#format = format;
    this.#context = context;
    this.#points = new Map(
      points.map(({ name, address: { at } }) => [name, { point: name, object: at[format] ?? 0, index: at.index ?? 0 }]),
    );
  }

  has(point: string): boolean {
    return this.#points.has(point);
  }

  prepare(point: string, value: Scalar): () => void {
    const packet = this.#isPacketId(point) ? Number(fitToFormat(value, { type: "uint8" }, point)) : undefined;
    const next = packet === undefined ? new Map(this.#values).set(point, value) : this.#values;
    const told = this.#read(this.#write(next));
    if (packet === undefined && !told.has(point)) throw misfit(point, "the packet cannot carry it beside the others");
    for (const name of this.#values.keys()) {
      if (name !== point && !isSame(told.get(name), this.#told.get(name))) {
        throw misfit(point, `the packet cannot tell it and ${name} apart`);
      }
    }
    return () => {
      this.renew();
      this.#values = new Map([...next.keys()].map((name) => [name, told.get(name) ?? value]));
      this.#told = told;
      this.#hasValues = true;
      if (packet !== undefined) this.#packet = packet;
    };
  }

  get(point: string): Scalar | undefined {
    return this.#isPacketId(point) ? this.#packet & 0xff : this.#told.get(point);
  }

  renew(): void {
    if (!this.#isSent) return;
    this.#isSent = false;
    this.#packet++;
    this.#counter++;
  }

  send(): Spoken | undefined {
    if (!this.#hasValues) return undefined;
    this.#isSent = true;
    return { services: { [FORMATS[this.#format].uuid]: this.#write(this.#values) } };
  }

  /** Whether the point tells the number of the packet itself. */
  #isPacketId(point: string): boolean {
    const object = this.#points.get(point)?.object;
    return this.#format === "bthome" && (object === PACKET_ID || object === BTHOME_OBJECTS.get(PACKET_ID)?.name);
  }

  #write(values: Values): Uint8Array {
    const wanted = [...values].flatMap(([name, value]) => {
      const point = this.#points.get(name);
      return point === undefined ? [] : [{ ...point, value }];
    });
    const numbers = { packet: this.#packet, counter: this.#counter };
    return WRITERS[this.#format](wanted, numbers, this.#context);
  }

  #read(bytes: Uint8Array): Values {
    const packet = FORMATS[this.#format].read(bytes, this.#context);
    if (packet.state !== "read") throw new CausewayError("INTERNAL", `${this.#format} cannot read its own packet`);
    const told = new Map<string, Scalar>();
    for (const [name, { object, index }] of this.#points) {
      const value = packet.values.filter((row) => isObject(row, object))[index]?.value;
      if (value !== undefined) told.set(name, value);
    }
    return told;
  }
}

function isSame(one: Scalar | undefined, other: Scalar | undefined): boolean {
  return one === undefined || other === undefined ? one === other : sameScalar(one, other);
}
