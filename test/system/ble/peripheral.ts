import { Buffer } from "node:buffer";

export interface CharacteristicSpec {
  /** 16 bits. */
  readonly uuid: number;
  readonly properties: readonly ("read" | "write" | "notify")[];
  readonly value: Uint8Array;
}

export interface PeripheralSpec {
  /** `C0:00:00:00:00:01`; a random static address. */
  readonly address: string;
  readonly name?: string;
  readonly intervalMs: number;
  readonly rssi: number;
  readonly services?: readonly { readonly uuid: number; readonly characteristics: readonly CharacteristicSpec[] }[];
}

/** One row of the attribute table (Core 5.4 vol 3 part F §3.2). */
export interface Attribute {
  readonly handle: number;
  readonly type: number;
  value: Buffer;
  /** Of the last attribute of the group that it begins. */
  endHandle?: number;
  readonly properties?: number;
  /** The value whose notifications this attribute switches. */
  readonly configures?: Attribute;
}

export const PRIMARY_SERVICE = 0x2800;
export const CHARACTERISTIC = 0x2803;
export const CLIENT_CONFIGURATION = 0x2902;
const PROPERTY = { read: 0x02, write: 0x08, notify: 0x10 } as const;

const AD_FLAGS = 0x01;
const AD_NAME = 0x09;
const AD_SERVICE_DATA = 0x16;
const AD_MANUFACTURER = 0xff;
const MAX_ADVERTISEMENT = 31;

/** A simulated device: what it advertises, and its attributes. */
export class Peripheral {
  readonly spec: PeripheralSpec;
  /** As on the air: least significant byte first. */
  readonly address: Buffer;
  readonly attributes: readonly Attribute[];
  isPresent = true;
  nextMs = 0;
  advertisement: Buffer;

  constructor(spec: PeripheralSpec) {
    this.spec = spec;
    this.address = Buffer.from(spec.address.replaceAll(":", ""), "hex").reverse();
    this.attributes = attributesOf(spec);
    this.advertisement = Buffer.concat([structure(AD_FLAGS, Buffer.of(0x06)), ...this.#name()]);
  }

  get isConnectable(): boolean {
    return this.spec.services !== undefined;
  }

  sayManufacturer(company: number, data: Uint8Array): void {
    this.#say(structure(AD_MANUFACTURER, Buffer.concat([uint16(company), data])));
  }

  sayService(uuid: number, data: Uint8Array): void {
    this.#say(structure(AD_SERVICE_DATA, Buffer.concat([uint16(uuid), data])));
  }

  valueOf(uuid: number): Attribute {
    const found = this.attributes.find(({ type, properties }) => type === uuid && properties !== undefined);
    if (found === undefined) throw new Error(`${this.spec.address} has no ${uuid.toString(16)}`);
    return found;
  }

  #say(data: Buffer): void {
    const parts = [structure(AD_FLAGS, Buffer.of(0x06)), data, ...this.#name()];
    const all = Buffer.concat(parts);
    this.advertisement = all.length <= MAX_ADVERTISEMENT ? all : Buffer.concat(parts.slice(0, 2));
  }

  #name(): Buffer[] {
    return this.spec.name === undefined ? [] : [structure(AD_NAME, Buffer.from(this.spec.name))];
  }
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function structure(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.of(data.length + 1, type), data]);
}

function attributesOf({ name = "", services = [] }: PeripheralSpec): Attribute[] {
  const table: Attribute[] = [];
  const add = (type: number, value: Buffer, more: Partial<Attribute> = {}): Attribute => {
    const attribute: Attribute = { handle: table.length + 1, type, value, ...more };
    table.push(attribute);
    return attribute;
  };
  const gap = {
    uuid: 0x1800,
    characteristics: [{ uuid: 0x2a00, properties: ["read"] as const, value: Buffer.from(name) }],
  };
  for (const { uuid, characteristics } of [gap, { uuid: 0x1801, characteristics: [] }, ...services]) {
    const service = add(PRIMARY_SERVICE, uint16(uuid));
    for (const { uuid: own, properties: names, value } of characteristics) {
      const properties = names.reduce((bits, property) => bits | PROPERTY[property], 0);
      const valueHandle = uint16(table.length + 2);
      add(CHARACTERISTIC, Buffer.concat([Buffer.of(properties), valueHandle, uint16(own)]));
      const configures = add(own, Buffer.from(value), { properties });
      if ((properties & PROPERTY.notify) !== 0) add(CLIENT_CONFIGURATION, Buffer.alloc(2), { configures });
    }
    service.endHandle = table.length;
  }
  return table;
}
