import { CausewayError, type Clock, type FaultQuality, type Point, type Reading, type Scalar } from "causeway/adapter";
import { CHARACTERISTIC } from "./bluez.js";
import type { Controller } from "./controller.js";
import { GattConnection } from "./gatt-connection.js";
import { type BlePoint, formatOf } from "./options.js";
import { Turns } from "./turns.js";
import { readValue, writeValue } from "./value-format.js";

export interface GattClientOptions {
  readonly controller: Controller;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
}

const NOT_AUTHORIZED = "org.bluez.Error.NotAuthorized";

/** What BlueZ says of a request to a device (org.bluez.GattCharacteristic). */
const QUALITIES: Readonly<Record<string, FaultQuality>> = {
  "org.bluez.Error.NotPermitted": "unsupported",
  "org.bluez.Error.NotSupported": "unsupported",
  [NOT_AUTHORIZED]: "exception",
  "org.bluez.Error.InvalidOffset": "exception",
  "org.bluez.Error.InvalidValueLength": "exception",
  "org.bluez.Error.Failed": "exception",
  "org.bluez.Error.InProgress": "exception",
  "org.bluez.Error.NotConnected": "timeout",
  "org.freedesktop.DBus.Error.UnknownObject": "timeout",
};

interface Fault {
  readonly quality: FaultQuality;
  readonly reason: string;
}

/** Reads and writes characteristics of any number of devices. */
export class GattClient {
  readonly #options: GattClientOptions;
  readonly #turns = new Turns();
  readonly #connections = new Map<string, GattConnection>();

  constructor(options: GattClientOptions) {
    this.#options = options;
  }

  connection(address: string): GattConnection {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const connection = new GattConnection({ ...this.#options, address, turns: this.#turns });
    this.#connections.set(address, connection);
    return connection;
  }

  /** Faults are readings; rejects with LINK_* and the signal's reason. */
  async read(
    address: string,
    points: readonly Point<BlePoint>[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly Reading[]> {
    const connection = this.connection(address);
    const answers = new Map<string, Uint8Array | Fault>();
    try {
      const characteristics = await connection.open(signal);
      for (const { address: point } of points) {
        const key = characteristicKey(point);
        if (answers.has(key)) continue;
        const path = characteristics.get(key);
        answers.set(key, path === undefined ? MISSING : await this.#readOne(path, timeoutMs, signal));
      }
    } catch (error) {
      if (!isFieldFault(error)) throw error;
      const silent: Fault = { quality: "timeout", reason: error.message };
      for (const { address: point } of points) {
        if (!answers.has(characteristicKey(point))) answers.set(characteristicKey(point), silent);
      }
    }
    // Whoever leaves a request unanswered gets a new connection.
    const isGone = [...answers.values()].some((answer) => "quality" in answer && answer.quality === "timeout");
    if (isGone && connection.isConnected) await connection.close();
    const atMs = this.#options.clock.nowMs();
    return points.map((point) => readingOf(point, answers.get(characteristicKey(point.address)) ?? MISSING, atMs));
  }

  /** Rejects with FIELD_*, LINK_* or the signal's reason. */
  async write(
    address: string,
    { name, address: point }: Point<BlePoint>,
    value: Scalar,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { Variant } = await import("dbus-next");
    const connection = this.connection(address);
    const path = (await connection.open(signal)).get(characteristicKey(point));
    if (path === undefined) throw new CausewayError("FIELD_NOT_WRITABLE", `${name}: ${MISSING.reason}`);
    const bytes = writeValue(value, formatOf(point), name);
    const type = new Variant("s", point.write === "without-response" ? "command" : "request");
    const { controller } = this.#options;
    try {
      const body = [Buffer.from(bytes), { type }];
      await controller.call(path, CHARACTERISTIC, "WriteValue", "aya{sv}", body, { timeoutMs, signal });
    } catch (error) {
      const fault = faultOf(error);
      if (fault?.quality === "timeout" || isFieldFault(error)) await connection.close();
      if (fault === undefined) throw error;
      const code = fault.quality === "timeout" ? "FIELD_TIMEOUT" : CODE_OF_FAULT[fault.quality];
      throw new CausewayError(code ?? "FIELD_EXCEPTION", `${name}: ${fault.reason}`, { cause: error });
    }
  }

  /** Ends every connection that stands; none is opened afterwards. */
  async close(): Promise<void> {
    const open = [...this.#connections.values()].filter(({ isConnected }) => isConnected);
    await Promise.all(open.map((connection) => connection.close()));
    this.abandon();
  }

  /** As `close`, where there is nobody to say it to. */
  abandon(): void {
    for (const connection of this.#connections.values()) connection[Symbol.dispose]();
    this.#connections.clear();
  }

  async #readOne(path: string, timeoutMs: number, signal: AbortSignal): Promise<Uint8Array | Fault> {
    const { controller } = this.#options;
    try {
      const [value] = await controller.call(path, CHARACTERISTIC, "ReadValue", "a{sv}", [{}], { timeoutMs, signal });
      return value instanceof Uint8Array ? new Uint8Array(value) : new Uint8Array();
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      return fault;
    }
  }
}

const MISSING: Fault = { quality: "unsupported", reason: "the device has no such characteristic" };

const CODE_OF_FAULT: Partial<Record<FaultQuality, "FIELD_NOT_WRITABLE">> = { unsupported: "FIELD_NOT_WRITABLE" };

export function characteristicKey({ at }: BlePoint): string {
  return `${at.gatt?.service}/${at.gatt?.characteristic}`;
}

/** What the bytes of a characteristic, or their absence, say of a point. */
export function readingOf({ name, address }: Point<BlePoint>, answer: Uint8Array | Fault, atMs: number): Reading {
  if (!(answer instanceof Uint8Array)) return { point: name, atMs, ...answer };
  const format = formatOf(address);
  const at = address.at.byte ?? 0;
  const value = readValue(answer, at, format);
  if (value !== undefined) return { point: name, atMs, quality: "good", value };
  const reason = `${answer.length} bytes have no ${format.type} at byte ${at}`;
  return { point: name, atMs, quality: "invalid", reason };
}

/** Undefined for what is no answer of the device. */
function faultOf(error: unknown): Fault | undefined {
  if (!(error instanceof CausewayError)) return undefined;
  const quality = QUALITIES[String(error.facts["dbus"])];
  if (quality === undefined) return undefined;
  const remedy = error.facts["dbus"] === NOT_AUTHORIZED ? "; pair it with 'bluetoothctl pair'" : "";
  return { quality, reason: `${error.message}${remedy}` };
}

function isFieldFault(error: unknown): error is CausewayError {
  return error instanceof CausewayError && error.code === "FIELD_TIMEOUT";
}
