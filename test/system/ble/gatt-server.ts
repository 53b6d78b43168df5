import { Buffer } from "node:buffer";
import { type Attribute, type Peripheral, uint16 } from "./peripheral.js";

/** Opcodes of the attribute protocol (Core 5.4 vol 3 part F §3.4). */
const OP = {
  error: 0x01,
  mtu: 0x02,
  findInformation: 0x04,
  findByValue: 0x06,
  readByType: 0x08,
  read: 0x0a,
  readBlob: 0x0c,
  readByGroup: 0x10,
  write: 0x12,
  notify: 0x1b,
  writeCommand: 0x52,
} as const;
const ERROR = { handle: 0x01, readNotPermitted: 0x02, writeNotPermitted: 0x03, unsupported: 0x06, notFound: 0x0a };
const READABLE = 0x02;
const WRITABLE = 0x08;
/** Commands and signatures are never answered. */
const COMMAND_FLAG = 0x40;
const MTU = 247;

/** Answers the attribute protocol for one connection to a peripheral. */
export class GattServer {
  readonly #peripheral: Peripheral;
  readonly #notified = new Set<Attribute>();
  #mtu = 23;

  constructor(peripheral: Peripheral) {
    this.#peripheral = peripheral;
  }

  /** A notification of the value, if the client asked for them. */
  notification(attribute: Attribute): Buffer | undefined {
    if (!this.#notified.has(attribute)) return undefined;
    const value = attribute.value.subarray(0, this.#mtu - 3);
    return Buffer.concat([Buffer.of(OP.notify), uint16(attribute.handle), value]);
  }

  /** Undefined for what is not answered. */
  answer(request: Buffer): Buffer | undefined {
    const opcode = request[0] ?? 0;
    switch (opcode) {
      case OP.mtu:
        this.#mtu = Math.max(23, Math.min(MTU, request.readUInt16LE(1)));
        return Buffer.concat([Buffer.of(OP.mtu + 1), uint16(MTU)]);
      case OP.findInformation:
        return this.#list(request, this.#range(request), ({ handle, type }) => [uint16(handle), uint16(type)], 1);
      case OP.findByValue:
        return this.#findByValue(request);
      case OP.readByType: {
        const type = request.length === 7 ? request.readUInt16LE(5) : -1;
        const found = this.#range(request).filter((attribute) => attribute.type === type);
        return this.#list(request, found, ({ handle, value }) => [uint16(handle), value]);
      }
      case OP.readByGroup: {
        const type = request.readUInt16LE(5);
        const found = this.#range(request).filter((attribute) => attribute.type === type);
        return this.#list(request, found, ({ handle, endHandle = handle, value }) => [
          uint16(handle),
          uint16(endHandle),
          value,
        ]);
      }
      case OP.read:
      case OP.readBlob:
        return this.#read(request, opcode);
      case OP.write:
      case OP.writeCommand:
        return this.#write(request, opcode);
      default:
        return (opcode & COMMAND_FLAG) !== 0 || opcode === 0x1e ? undefined : refuse(request, 0, ERROR.unsupported);
    }
  }

  #range(request: Buffer): readonly Attribute[] {
    const [from, to] = [request.readUInt16LE(1), request.readUInt16LE(3)];
    return this.#peripheral.attributes.filter(({ handle }) => handle >= from && handle <= to);
  }

  /** As many entries of one length as the connection takes; `format` stands where others have the length. */
  #list(
    request: Buffer,
    found: readonly Attribute[],
    entryOf: (attribute: Attribute) => readonly Buffer[],
    format?: number,
  ): Buffer {
    const entries = found.map((attribute) => Buffer.concat(entryOf(attribute)));
    const [first] = entries;
    if (first === undefined) return refuse(request, request.readUInt16LE(1), ERROR.notFound);
    const alike = entries.findIndex(({ length }) => length !== first.length);
    const room = Math.floor((this.#mtu - 2) / first.length);
    const fitting = entries.slice(0, Math.min(alike < 0 ? entries.length : alike, room));
    return Buffer.concat([Buffer.of((request[0] ?? 0) + 1, format ?? first.length), ...fitting]);
  }

  #findByValue(request: Buffer): Buffer {
    const [type, value] = [request.readUInt16LE(5), request.subarray(7)];
    const found = this.#range(request).filter((own) => own.type === type && own.value.equals(value));
    if (found.length === 0) return refuse(request, request.readUInt16LE(1), ERROR.notFound);
    const handles = found.flatMap(({ handle, endHandle = handle }) => [uint16(handle), uint16(endHandle)]);
    return Buffer.concat([Buffer.of(OP.findByValue + 1), ...handles]);
  }

  #read(request: Buffer, opcode: number): Buffer {
    const handle = request.readUInt16LE(1);
    const attribute = this.#peripheral.attributes[handle - 1];
    if (attribute === undefined) return refuse(request, handle, ERROR.handle);
    if (((attribute.properties ?? READABLE) & READABLE) === 0) return refuse(request, handle, ERROR.readNotPermitted);
    const from = opcode === OP.readBlob ? request.readUInt16LE(3) : 0;
    return Buffer.concat([Buffer.of(opcode + 1), attribute.value.subarray(from, from + this.#mtu - 1)]);
  }

  #write(request: Buffer, opcode: number): Buffer | undefined {
    const handle = request.readUInt16LE(1);
    const attribute = this.#peripheral.attributes[handle - 1];
    const complain = (error: number): Buffer | undefined =>
      opcode === OP.write ? refuse(request, handle, error) : undefined;
    if (attribute === undefined) return complain(ERROR.handle);
    const value = Buffer.from(request.subarray(3));
    if (attribute.configures !== undefined) {
      if (((value[0] ?? 0) & 1) === 1) this.#notified.add(attribute.configures);
      else this.#notified.delete(attribute.configures);
    } else {
      if (((attribute.properties ?? 0) & WRITABLE) === 0) return complain(ERROR.writeNotPermitted);
      attribute.value = value;
    }
    return opcode === OP.write ? Buffer.of(OP.write + 1) : undefined;
  }
}

function refuse(request: Buffer, handle: number, error: number): Buffer {
  return Buffer.concat([Buffer.of(OP.error, request[0] ?? 0), uint16(handle), Buffer.of(error)]);
}
