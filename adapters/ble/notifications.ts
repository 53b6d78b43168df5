import { CausewayError, type Clock, type Point, sleep, type Timer, toError, type WatchSink } from "causeway/adapter";
import { CHARACTERISTIC } from "./bluez.js";
import type { Controller } from "./controller.js";
import { characteristicKey, type GattClient, readingOf } from "./gatt-client.js";
import type { BlePoint } from "./options.js";

export interface NotificationsOptions {
  readonly controller: Controller;
  readonly gatt: GattClient;
  readonly clock: Clock;
  readonly address: string;
  readonly points: readonly Point<BlePoint>[];
  readonly sink: WatchSink;
}

/** A device that lost the connection and is back so soon was never gone. */
const GRACE_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;
/** A characteristic that tells changes only is asked when it said nothing for so long. */
const QUIET_MS = 120_000;
const READ_TIMEOUT_MS = 5000;

/** Keeps one device connected and hears what its characteristics tell. */
export class Notifications {
  readonly #options: NotificationsOptions;
  /** Characteristics that said something since they were looked after last. */
  readonly #heard = new Set<string>();
  /** Characteristics that cannot be asked. */
  readonly #unreadable = new Set<string>();
  #grace: Timer | undefined;
  #complaint = "";

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** Until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, address, gatt } = this.#options;
    using _kept = gatt.connection(address).keep();
    signal.addEventListener("abort", () => this.#grace?.cancel(), { once: true });
    this.#expect();
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
      const held = await this.#hold(signal);
      pauseMs = held ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, MAX_PAUSE_MS);
      await sleep(clock, pauseMs, signal).catch(() => undefined);
    }
    this.#grace?.cancel();
  }

  /** One connection, from its beginning to its end; false when it could not be had. */
  async #hold(signal: AbortSignal): Promise<boolean> {
    const { gatt, address } = this.#options;
    const connection = gatt.connection(address);
    const listening: Disposable[] = [];
    const ended = new AbortController();
    const end = (): void => ended.abort(new Error("the connection has ended"));
    signal.addEventListener("abort", end, { once: true });
    let stood = false;
    try {
      const characteristics = await connection.open(signal);
      listening.push(connection.onLost(end));
      const told = await this.#subscribe(characteristics, listening, signal);
      stood = true;
      this.#grace?.cancel();
      this.#complaint = "";
      this.#heard.clear();
      while (connection.isConnected && !ended.signal.aborted) {
        await this.#ask(told, ended.signal);
        await sleep(this.#options.clock, QUIET_MS, ended.signal).catch(() => undefined);
      }
      return true;
    } catch (error) {
      // Lost while it was asked, which is no other loss.
      if (stood && ended.signal.aborted) return true;
      this.#complaint ||= toError(error).message;
      // It does not answer although it is connected, or is gone already.
      if (isTimeout(error) && connection.isConnected) await connection.close();
      return false;
    } finally {
      if (stood && !signal.aborted) this.#expect();
      signal.removeEventListener("abort", end);
      for (const one of listening) one[Symbol.dispose]();
    }
  }

  /** The characteristics that tell from now on. */
  async #subscribe(
    characteristics: ReadonlyMap<string, string>,
    listening: Disposable[],
    signal: AbortSignal,
  ): Promise<readonly Told[]> {
    const { controller, clock, points, sink } = this.#options;
    const told: Told[] = [];
    const groups = new Map<string, Point<BlePoint>[]>();
    for (const point of points) {
      const key = characteristicKey(point.address);
      groups.set(key, [...(groups.get(key) ?? []), point]);
    }
    for (const [key, own] of groups) {
      const path = characteristics.get(key);
      if (path === undefined) {
        sink.readings(own.map((point) => readingOf(point, UNKNOWN, clock.nowMs())));
        continue;
      }
      const hear = (value: Uint8Array): void => {
        this.#heard.add(path);
        sink.readings(own.map((point) => readingOf(point, value, clock.nowMs())));
      };
      listening.push(controller.onCharacteristic(path, hear));
      try {
        await controller.call(path, CHARACTERISTIC, "StartNotify", "", [], { signal });
        told.push({ path, hear });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const reason = toError(error).message;
        sink.readings(own.map((point) => readingOf(point, { quality: "unsupported", reason }, clock.nowMs())));
      }
    }
    return told;
  }

  /** Reads what said nothing: there may have been nothing to say. Rejects with FIELD_TIMEOUT, LINK_* or the signal. */
  async #ask(told: readonly Told[], signal: AbortSignal): Promise<void> {
    for (const { path, hear } of told) {
      if (this.#heard.has(path) || this.#unreadable.has(path)) continue;
      const options = { timeoutMs: READ_TIMEOUT_MS, signal };
      try {
        const [value] = await this.#options.controller.call(path, CHARACTERISTIC, "ReadValue", "a{sv}", [{}], options);
        if (value instanceof Uint8Array) hear(new Uint8Array(value));
      } catch (error) {
        if (!isAnswer(error)) throw error;
        this.#unreadable.add(path);
      }
    }
    this.#heard.clear();
  }

  /** Unless a connection stands again in time, the device is gone. */
  #expect(): void {
    const { clock, sink } = this.#options;
    this.#grace?.cancel();
    this.#grace = clock.schedule(GRACE_MS, () => sink.gone(this.#complaint || "the connection to the device is lost"));
  }
}

interface Told {
  readonly path: string;
  readonly hear: (value: Uint8Array) => void;
}

const UNKNOWN = { quality: "unsupported", reason: "the device has no such characteristic" } as const;

/** The characteristic does not notify, which another attempt will not change. */
function isRefusal(error: unknown): boolean {
  const name = error instanceof CausewayError ? error.facts["dbus"] : undefined;
  return name === "org.bluez.Error.NotSupported" || name === "org.bluez.Error.NotPermitted";
}

/** The device has answered, though not with a value. */
function isAnswer(error: unknown): boolean {
  return error instanceof CausewayError && error.code === "LINK_FAILED" && "dbus" in error.facts;
}

function isTimeout(error: unknown): boolean {
  return error instanceof CausewayError && error.code === "FIELD_TIMEOUT";
}
