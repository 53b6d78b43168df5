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

/** Keeps one device connected and hears what its characteristics tell. */
export class Notifications {
  readonly #options: NotificationsOptions;
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
    try {
      const characteristics = await connection.open(signal);
      let lose: () => void = () => undefined;
      const lost = new Promise<void>((resolve) => {
        lose = resolve;
      });
      listening.push(connection.onLost(lose));
      signal.addEventListener("abort", lose, { once: true });
      listening.push({ [Symbol.dispose]: () => signal.removeEventListener("abort", lose) });
      await this.#subscribe(characteristics, listening, signal);
      this.#grace?.cancel();
      this.#complaint = "";
      if (connection.isConnected && !signal.aborted) await lost;
      if (!signal.aborted) this.#expect();
      return true;
    } catch (error) {
      this.#complaint ||= toError(error).message;
      return false;
    } finally {
      for (const one of listening) one[Symbol.dispose]();
    }
  }

  async #subscribe(
    characteristics: ReadonlyMap<string, string>,
    listening: Disposable[],
    signal: AbortSignal,
  ): Promise<void> {
    const { controller, clock, points, sink } = this.#options;
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
        sink.readings(own.map((point) => readingOf(point, value, clock.nowMs())));
      };
      listening.push(controller.onCharacteristic(path, hear));
      await controller.call(path, CHARACTERISTIC, "StartNotify", "", [], { signal }).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        const reason = toError(error).message;
        sink.readings(own.map((point) => readingOf(point, { quality: "unsupported", reason }, clock.nowMs())));
      });
    }
  }

  /** Unless a connection stands again in time, the device is gone. */
  #expect(): void {
    const { clock, sink } = this.#options;
    this.#grace?.cancel();
    this.#grace = clock.schedule(GRACE_MS, () => sink.gone(this.#complaint || "the connection to the device is lost"));
  }
}

const UNKNOWN = { quality: "unsupported", reason: "the device has no such characteristic" } as const;

/** The characteristic does not notify, which another attempt will not change. */
function isRefusal(error: unknown): boolean {
  const name = error instanceof CausewayError ? error.facts["dbus"] : undefined;
  return name === "org.bluez.Error.NotSupported" || name === "org.bluez.Error.NotPermitted";
}
