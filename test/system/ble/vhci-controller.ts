import { Buffer } from "node:buffer";
import { createCipheriv, randomBytes } from "node:crypto";
import { closeSync, constants, openSync, read, writeSync } from "node:fs";
import { GattServer } from "./gatt-server.js";
import { Peripheral, type PeripheralSpec, uint16 } from "./peripheral.js";

/** Kinds of packets on /dev/vhci (Core 5.4 vol 4 part A §2). */
const PACKET = { command: 0x01, data: 0x02, event: 0x04, vendor: 0xff } as const;
const EVENT = { disconnected: 0x05, complete: 0x0e, status: 0x0f, sent: 0x13, lowEnergy: 0x3e } as const;
const LOW_ENERGY = { connected: 0x01, report: 0x02, updated: 0x03, features: 0x04 } as const;
const ATT_CHANNEL = 4;
const SECURITY_CHANNEL = 6;
const ADVERTISABLE = 0;
const NOT_CONNECTABLE = 3;
const SCAN_RESPONSE = 4;
const NO_SUCH_CONNECTION = 0x02;
const TICK_MS = 20;
const READ_PAUSE_MS = 3;

/** Why a connection ends (Core 5.4 vol 1 part F). */
export const REASON = { timeout: 0x08, byHost: 0x16 } as const;

/** Answers to commands that only ask what the controller is (Core 5.4 vol 4 part E §7.4, §7.8). */
const FACTS: ReadonlyMap<number, () => Buffer> = new Map([
  [0x1001, () => Buffer.from("09000009ffff0000", "hex")],
  [0x1002, supportedCommands],
  [0x1003, () => Buffer.from("0000000060000000", "hex")],
  [0x2002, () => Buffer.from("fb0010", "hex")],
  [0x2003, () => Buffer.alloc(8)],
  [0x2007, () => Buffer.of(0)],
  [0x200f, () => Buffer.of(32)],
  [0x2018, () => randomBytes(8)],
  [0x201c, () => Buffer.from("ffffffffff030000", "hex")],
]);
/** Settings that nothing here depends on. */
const IGNORED: ReadonlySet<number> = new Set([0x0c01, 0x2001, 0x2005, 0x2006, 0x2008, 0x2009, 0x200a, 0x2014]);

interface Connection {
  readonly handle: number;
  readonly peripheral: Peripheral;
  readonly server: GattServer;
  /** Of a message in several fragments, what has come. */
  received: Buffer;
}

/**
 * A Bluetooth controller for low energy on /dev/vhci with simulated devices in the air around it: what the kernel and
 * bluetoothd take for hardware. Needs root and the module hci_vhci. No pairing, no extended advertising.
 */
export class VhciController {
  readonly #peripherals: readonly Peripheral[];
  readonly #descriptor: number;
  readonly #connections = new Map<number, Connection>();
  readonly #accepted = new Set<string>();
  readonly #ticks: NodeJS.Timeout;
  #scan: { readonly isActive: boolean; readonly acceptedOnly: boolean } | undefined;
  #parameters = { isActive: false, acceptedOnly: false };
  #wanted: Buffer | undefined;
  #nextHandle = 0x40;
  #isClosed = false;

  constructor(specs: readonly PeripheralSpec[]) {
    this.#peripherals = specs.map((spec) => new Peripheral(spec));
    // A read that blocks would hold a thread of Node's for ever.
    this.#descriptor = openSync("/dev/vhci", constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(this.#descriptor, Buffer.of(PACKET.vendor, 0));
    this.#receive();
    this.#ticks = setInterval(() => this.#tick(), TICK_MS);
  }

  get peripherals(): readonly Peripheral[] {
    return this.#peripherals;
  }

  /** Connections that stand. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  notify(peripheral: Peripheral, uuid: number): void {
    const connection = this.#connectionTo(peripheral);
    const message = connection?.server.notification(peripheral.valueOf(uuid));
    if (connection !== undefined && message !== undefined) this.#sendMessage(connection, ATT_CHANNEL, message);
  }

  /** The radio link is lost. */
  drop(peripheral: Peripheral): void {
    const connection = this.#connectionTo(peripheral);
    if (connection !== undefined) this.#end(connection, REASON.timeout);
  }

  /** The controller is unplugged. Kernel 6.1 wants no connection to be pending then. */
  close(): void {
    clearInterval(this.#ticks);
    for (const connection of [...this.#connections.values()]) this.#end(connection, REASON.timeout);
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  #receive(): void {
    const buffer = Buffer.alloc(2048);
    const next = (): void => {
      if (this.#isClosed) return;
      read(this.#descriptor, buffer, 0, buffer.length, null, (error, length) => {
        if (this.#isClosed) return;
        if (error !== null || length === 0) {
          setTimeout(next, READ_PAUSE_MS);
          return;
        }
        this.#take(Buffer.from(buffer.subarray(0, length)));
        next();
      });
    };
    next();
  }

  #take(packet: Buffer): void {
    if (packet[0] === PACKET.command) this.#command(packet.readUInt16LE(1), packet.subarray(4));
    else if (packet[0] === PACKET.data) this.#data(packet.subarray(1));
  }

  #command(opcode: number, data: Buffer): void {
    const done = (more: Buffer = Buffer.alloc(0)): void => this.#complete(opcode, Buffer.concat([Buffer.of(0), more]));
    const fact = FACTS.get(opcode);
    if (fact !== undefined) {
      done(fact());
      return;
    }
    switch (opcode) {
      case 0x0c03:
        this.#reset();
        done();
        break;
      case 0x1009:
        done(Buffer.from("020000000001", "hex").reverse());
        break;
      case 0x1405:
        done(Buffer.concat([data.subarray(0, 2), Buffer.of(0xc4)]));
        break;
      case 0x200b:
        this.#parameters = { isActive: data[0] === 1, acceptedOnly: ((data[6] ?? 0) & 1) === 1 };
        done();
        break;
      case 0x200c:
        this.#scan = data[0] === 1 ? this.#parameters : undefined;
        done();
        break;
      case 0x2010:
        this.#accepted.clear();
        done();
        break;
      case 0x2011:
        this.#accepted.add(data.subarray(1, 7).toString("hex"));
        done();
        break;
      case 0x2012:
        this.#accepted.delete(data.subarray(1, 7).toString("hex"));
        done();
        break;
      case 0x2015:
        done(Buffer.concat([data.subarray(0, 2), Buffer.from("ffffffff1f", "hex")]));
        break;
      case 0x2017:
        done(encrypt(data.subarray(0, 16), data.subarray(16, 32)));
        break;
      default:
        if (IGNORED.has(opcode)) done();
        else this.#connectionCommand(opcode, data, done);
    }
  }

  #connectionCommand(opcode: number, data: Buffer, done: () => void): void {
    switch (opcode) {
      case 0x200d:
        this.#wanted = Buffer.from(data);
        this.#status(opcode, 0);
        break;
      case 0x200e:
        done();
        if (this.#wanted !== undefined) this.#refuseConnection();
        break;
      case 0x2013:
        this.#status(opcode, 0);
        this.#lowEnergy(LOW_ENERGY.updated, [
          Buffer.of(0),
          data.subarray(0, 2),
          data.subarray(4, 6),
          data.subarray(6, 10),
        ]);
        break;
      case 0x2016:
        this.#status(opcode, 0);
        this.#lowEnergy(LOW_ENERGY.features, [Buffer.of(0), data.subarray(0, 2), Buffer.alloc(8)]);
        break;
      case 0x041d:
        this.#status(opcode, 0);
        this.#event(0x0c, [Buffer.of(0), data.subarray(0, 2), Buffer.from("09ffff0000", "hex")]);
        break;
      case 0x0406: {
        const connection = this.#connections.get(data.readUInt16LE(0));
        this.#status(opcode, connection === undefined ? NO_SUCH_CONNECTION : 0);
        if (connection !== undefined) this.#end(connection, REASON.byHost);
        break;
      }
      default:
        this.#complete(opcode, Buffer.of(1));
    }
  }

  #reset(): void {
    this.#scan = undefined;
    this.#wanted = undefined;
    this.#accepted.clear();
    this.#connections.clear();
  }

  #tick(): void {
    const nowMs = Date.now();
    const busy = new Set([...this.#connections.values()].map(({ peripheral }) => peripheral));
    for (const peripheral of this.#peripherals) {
      if (!peripheral.isPresent || busy.has(peripheral) || nowMs < peripheral.nextMs) continue;
      peripheral.nextMs = nowMs + peripheral.spec.intervalMs;
      this.#report(peripheral);
      this.#connect(peripheral);
    }
  }

  #report({ address, advertisement, isConnectable, spec }: Peripheral): void {
    const scan = this.#scan;
    if (scan === undefined || (scan.acceptedOnly && !this.#accepted.has(address.toString("hex")))) return;
    const tell = (type: number, data: Buffer): void => {
      const head = Buffer.concat([Buffer.of(1, type, 1), address, Buffer.of(data.length)]);
      this.#lowEnergy(LOW_ENERGY.report, [head, data, Buffer.of(spec.rssi & 0xff)]);
    };
    tell(isConnectable ? ADVERTISABLE : NOT_CONNECTABLE, advertisement);
    if (scan.isActive && isConnectable) tell(SCAN_RESPONSE, Buffer.alloc(0));
  }

  #connect(peripheral: Peripheral): void {
    const wanted = this.#wanted;
    if (wanted === undefined || !peripheral.isConnectable) return;
    const byList = wanted[4] === 1;
    const isWanted = byList
      ? this.#accepted.has(peripheral.address.toString("hex"))
      : wanted.subarray(6, 12).equals(peripheral.address);
    if (!isWanted) return;
    this.#wanted = undefined;
    const handle = this.#nextHandle++;
    const server = new GattServer(peripheral);
    this.#connections.set(handle, { handle, peripheral, server, received: Buffer.alloc(0) });
    const head = Buffer.concat([Buffer.of(0), uint16(handle), Buffer.of(0, 1), peripheral.address]);
    this.#lowEnergy(LOW_ENERGY.connected, [
      head,
      wanted.subarray(13, 15),
      wanted.subarray(17, 19),
      wanted.subarray(19, 21),
      Buffer.of(0),
    ]);
  }

  #refuseConnection(): void {
    this.#wanted = undefined;
    this.#lowEnergy(LOW_ENERGY.connected, [Buffer.of(NO_SUCH_CONNECTION), Buffer.alloc(17)]);
  }

  #end(connection: Connection, reason: number): void {
    this.#connections.delete(connection.handle);
    this.#event(EVENT.disconnected, [Buffer.of(0), uint16(connection.handle), Buffer.of(reason)]);
  }

  #connectionTo(wanted: Peripheral): Connection | undefined {
    return [...this.#connections.values()].find(({ peripheral }) => peripheral === wanted);
  }

  #data(packet: Buffer): void {
    const handle = packet.readUInt16LE(0) & 0xfff;
    const isContinued = ((packet.readUInt16LE(0) >> 12) & 3) === 1;
    this.#event(EVENT.sent, [Buffer.of(1), uint16(handle), uint16(1)]);
    const connection = this.#connections.get(handle);
    if (connection === undefined) return;
    const fragment = packet.subarray(4);
    connection.received = isContinued ? Buffer.concat([connection.received, fragment]) : fragment;
    const { received } = connection;
    if (received.length < 4 || received.length < 4 + received.readUInt16LE(0)) return;
    const channel = received.readUInt16LE(2);
    const message = Buffer.from(received.subarray(4));
    connection.received = Buffer.alloc(0);
    if (channel === ATT_CHANNEL) {
      const answer = connection.server.answer(message);
      if (answer !== undefined) this.#sendMessage(connection, ATT_CHANNEL, answer);
    } else if (channel === SECURITY_CHANNEL && message[0] === 1) {
      this.#sendMessage(connection, SECURITY_CHANNEL, Buffer.of(5, 5));
    }
  }

  #sendMessage({ handle }: Connection, channel: number, message: Buffer): void {
    const header = [uint16(handle | 0x2000), uint16(message.length + 4), uint16(message.length), uint16(channel)];
    this.#send(PACKET.data, [...header, message]);
  }

  #complete(opcode: number, result: Buffer): void {
    this.#event(EVENT.complete, [Buffer.of(1), uint16(opcode), result]);
  }

  #status(opcode: number, status: number): void {
    this.#event(EVENT.status, [Buffer.of(status, 1), uint16(opcode)]);
  }

  #lowEnergy(kind: number, parts: readonly Buffer[]): void {
    this.#event(EVENT.lowEnergy, [Buffer.of(kind), ...parts]);
  }

  #event(code: number, parts: readonly Buffer[]): void {
    const data = Buffer.concat(parts);
    this.#send(PACKET.event, [Buffer.of(code, data.length), data]);
  }

  #send(kind: number, parts: readonly Buffer[]): void {
    if (!this.#isClosed) writeSync(this.#descriptor, Buffer.concat([Buffer.of(kind), ...parts]));
  }
}

/** Bits of the commands that are known here. */
function supportedCommands(): Buffer {
  const bits: readonly (readonly [at: number, value: number])[] = [
    [0, 0x20],
    [2, 0x80],
    [5, 0xc0],
    [14, 0x28],
    [15, 0x22],
    [25, 0xf7],
    [26, 0xff],
    [27, 0xff],
    [28, 0x08],
  ];
  const commands = Buffer.alloc(64);
  for (const [at, value] of bits) commands[at] = value;
  return commands;
}

/** AES-128 with the order of bytes of the standard (Core 5.4 vol 4 part E §7.8.22). */
function encrypt(key: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv("aes-128-ecb", Buffer.from(key).reverse(), null);
  cipher.setAutoPadding(false);
  return Buffer.from(cipher.update(Buffer.from(plain).reverse())).reverse();
}
