import { abortable, CausewayError, type Clock, type Timer } from "causeway/adapter";
import { CHARACTERISTIC, DEVICE, type ObjectTable, SERVICE } from "./bluez.js";
import type { Controller, DeviceChange } from "./controller.js";
import { booleanEntry, dictionary, stringEntry } from "./dbus-value.js";
import type { Turns } from "./turns.js";

export interface GattConnectionOptions {
  readonly controller: Controller;
  readonly address: string;
  /** Shared by all connections of the controller, which sets up one at a time. */
  readonly turns: Turns;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
}

/** Object paths by `SERVICE/CHARACTERISTIC`, both UUIDs in full. */
export type Characteristics = ReadonlyMap<string, string>;

/** No device advertises less often than every ten seconds while it may be connected. */
const ADVERTISED_WITHIN_MS = 30_000;
/** Who is there is heard within so long after scanning began. */
const FIRST_HEARD_MS = 10_000;
/** A connection that nobody used for so long costs the device's battery. */
const IDLE_MS = 30_000;
const DISCONNECT_TIMEOUT_MS = 2000;

/** The connection to one device: set up when somebody needs it, kept while somebody does. */
export class GattConnection {
  readonly #options: GattConnectionOptions;
  readonly #lostListeners = new Set<() => void>();
  readonly #listening: Disposable;
  #characteristics: Characteristics | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #keepers = 0;
  #idle: Timer | undefined;
  #onChange: ((change: DeviceChange) => void) | undefined;

  constructor(options: GattConnectionOptions) {
    this.#options = options;
    const { controller, address } = options;
    this.#listening = controller.onDevice(address, (change) => this.#changed(change));
  }

  get isConnected(): boolean {
    return this.#characteristics !== undefined;
  }

  /** Hears each time that the connection, once it stood, is gone. */
  onLost(listener: () => void): Disposable {
    this.#lostListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#lostListeners.delete(listener) };
  }

  /** Until it is disposed of, the connection is not given up for being idle. */
  keep(): Disposable {
    this.#keepers++;
    this.#idle?.cancel();
    let kept = true;
    return {
      [Symbol.dispose]: () => {
        if (kept) this.#keepers--;
        kept = false;
        this.#used();
      },
    };
  }

  /**
   * The characteristics of the device, connected if it was not. Rejects with FIELD_TIMEOUT when it cannot be had,
   * LINK_* when Bluetooth cannot, or the signal's reason.
   */
  async open(signal: AbortSignal): Promise<Characteristics> {
    this.#used();
    if (this.#characteristics !== undefined) return this.#characteristics;
    // Before its turn: meanwhile others are connected.
    await this.#firstHeard(signal);
    return await this.#options.turns.take(async () => {
      if (this.#characteristics === undefined) await this.#connect(signal);
      this.#used();
      // It may be gone again by now.
      if (this.#characteristics !== undefined) return this.#characteristics;
      throw this.#brokenOff();
    }, signal);
  }

  /** Also ends an attempt that is under way. Never rejects. */
  async close(): Promise<void> {
    this.#lose();
    const { controller, address } = this.#options;
    const path = controller.devicePath(address);
    const options = { timeoutMs: DISCONNECT_TIMEOUT_MS };
    await controller.call(path, DEVICE, "Disconnect", "", [], options).catch(() => undefined);
  }

  /** Forgets the device; `close` before ends the connection. */
  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    this.#idle?.cancel();
  }

  #used(): void {
    this.#idle?.cancel();
    if (this.#keepers > 0) return;
    this.#idle = this.#options.clock.schedule(IDLE_MS, () => {
      if (this.#characteristics !== undefined) void this.close();
    });
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { controller, address, clock, connectTimeoutMs } = this.#options;
    const known = await controller.device(address, signal);
    if (booleanEntry(known, "Connected") !== true) this.#requireHeard();
    const attempt = new AbortController();
    const giveUp = (reason: unknown): void => attempt.abort(reason);
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = clock.schedule(connectTimeoutMs, () =>
      giveUp(new CausewayError("FIELD_TIMEOUT", `${address} could not be connected within ${connectTimeoutMs} ms`)),
    );
    try {
      await controller.discovery.rest(() => this.#setUp(attempt.signal));
    } catch (error) {
      await this.close();
      this.#failedAtMs = clock.monotonicMs();
      throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #firstHeard(signal: AbortSignal): Promise<void> {
    const { address, clock, controller } = this.#options;
    const { beganAtMs, tellsAll } = controller.discovery;
    const waitMs = beganAtMs + FIRST_HEARD_MS - clock.monotonicMs();
    if (!tellsAll || waitMs <= 0) return;
    if (booleanEntry(await controller.device(address, signal), "Connected") === true) return;
    if (controller.heardAtMs(address) !== undefined) return;
    let done = (): void => undefined;
    const waited = new Promise<void>((resolve) => {
      done = resolve;
    });
    using _listening = controller.onAdvertisement(address, done);
    const timer = clock.schedule(waitMs, done);
    try {
      await abortable(Promise.race([waited, controller.closed]), signal);
    } finally {
      timer.cancel();
    }
  }

  /** An attempt costs others their advertisements, so none is made for a device that is not there. */
  #requireHeard(): void {
    const { address, clock, controller } = this.#options;
    if (!controller.discovery.tellsAll) return;
    const heardAtMs = controller.heardAtMs(address);
    if (heardAtMs === undefined) throw new CausewayError("FIELD_TIMEOUT", `${address} has not advertised yet`);
    const agoMs = clock.monotonicMs() - heardAtMs;
    if (heardAtMs >= this.#failedAtMs && agoMs < ADVERTISED_WITHIN_MS) return;
    throw new CausewayError("FIELD_TIMEOUT", `${address} has not advertised for ${Math.round(agoMs / 1000)} s`);
  }

  async #setUp(signal: AbortSignal): Promise<void> {
    const { controller, address } = this.#options;
    const path = controller.devicePath(address);
    const resolved = this.#servicesResolved();
    try {
      const connected = controller.call(path, DEVICE, "Connect", "", [], { timeoutMs: 60_000, signal });
      await Promise.race([connected.catch((error: unknown) => asTimeout(error, address)), resolved.failed]);
      const before = await controller.device(address, signal);
      if (booleanEntry(before, "ServicesResolved") !== true) await abortable(resolved.done, signal);
      // BlueZ may say so before it shows the objects: they are read after it.
      const objects = await Promise.race([controller.objects(signal), resolved.failed]);
      this.#characteristics = characteristicsOf(objects, path);
    } finally {
      this.#onChange = undefined;
    }
  }

  /** `done` rejects when the device goes; `failed` does too and never resolves. */
  #servicesResolved(): { readonly done: Promise<void>; readonly failed: Promise<never> } {
    let fail: (error: Error) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const done = new Promise<void>((resolve) => {
      this.#onChange = ({ connected, servicesResolved }) => {
        if (connected === false) fail(this.#brokenOff());
        else if (servicesResolved === true) resolve();
      };
    });
    const resolved = Promise.race([done, failed]);
    // Whoever waits hears of it; nobody may be waiting yet.
    resolved.catch(() => undefined);
    return { done: resolved, failed };
  }

  #changed(change: DeviceChange): void {
    this.#onChange?.(change);
    if (change.connected === false) this.#lose();
  }

  #lose(): void {
    this.#idle?.cancel();
    if (this.#characteristics === undefined) return;
    this.#characteristics = undefined;
    for (const hear of [...this.#lostListeners]) hear();
  }

  #brokenOff(): CausewayError {
    return new CausewayError("FIELD_TIMEOUT", `${this.#options.address} broke the connection off`);
  }
}

/** Why a device could not be connected; what is wrong with Bluetooth as a whole stays what it is. */
function asTimeout(error: unknown, address: string): never {
  if (!(error instanceof CausewayError) || error.code !== "LINK_FAILED") throw error;
  throw new CausewayError("FIELD_TIMEOUT", `${address} could not be connected: ${error.message}`, { cause: error });
}

function characteristicsOf(objects: ObjectTable, device: string): Characteristics {
  const found = new Map<string, string>();
  for (const [path, interfaces] of Object.entries(objects)) {
    const own = interfaces[CHARACTERISTIC];
    if (own === undefined || !path.startsWith(`${device}/`)) continue;
    const service = dictionary(objects[path.slice(0, path.lastIndexOf("/"))]?.[SERVICE]);
    const key = `${stringEntry(service, "UUID")}/${stringEntry(dictionary(own), "UUID")}`;
    // Of several with one UUID the first counts, as the device lists them.
    if (!found.has(key)) found.set(key, path);
  }
  return found;
}
