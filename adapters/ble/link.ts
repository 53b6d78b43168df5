import {
  CausewayError,
  FrameTrace,
  type Link,
  type LinkContext,
  type Point,
  type Reading,
  type Scalar,
  Scope,
  type Station,
  type TracedFrame,
  toError,
  type WatchSink,
} from "causeway/adapter";
import type { Advertisement } from "./advertisement.js";
import type { Controller } from "./controller.js";
import { GattClient } from "./gatt-client.js";
import { Notifications } from "./notifications.js";
import { type BlePoint, type BleStation, isNotified } from "./options.js";
import type { PacketMemory } from "./packet-memory.js";
import { StationDecoder } from "./station-decoder.js";
import { stationKey } from "./station-key.js";

export interface BleLinkContext extends LinkContext {
  readonly connectTimeoutMs: number;
  /** Of a station, kept while the process lives. */
  readonly memoryOf: (station: Station<BleStation>) => PacketMemory;
}

const RESPONSE_TIMEOUT_MS = 5000;

/** One controller: hears advertisements, asks and hears characteristics. */
export class BleLink implements Link<BleStation, BlePoint> {
  readonly closed: Promise<Error>;
  readonly #controller: Controller;
  readonly #context: BleLinkContext;
  readonly #gatt: GattClient;
  readonly #trace: FrameTrace;
  readonly #scope: Scope;
  #isLost = false;

  constructor(controller: Controller, context: BleLinkContext) {
    this.#controller = controller;
    this.#context = context;
    this.closed = controller.closed;
    this.#gatt = new GattClient({ controller, clock: context.clock, connectTimeoutMs: context.connectTimeoutMs });
    this.#trace = new FrameTrace(context.clock);
    this.#scope = new Scope((error) => context.log.error("ble link", { error: toError(error).message }));
    void controller.closed.then(() => {
      this.#isLost = true;
    });
  }

  async read(
    station: Station<BleStation>,
    points: readonly Point<BlePoint>[],
    signal: AbortSignal,
  ): Promise<readonly Reading[]> {
    return await this.#gatt.read(station.address.address, points, timeoutOf(station), signal);
  }

  async write(station: Station<BleStation>, point: Point<BlePoint>, value: Scalar, signal: AbortSignal): Promise<void> {
    if (point.address.at.gatt === undefined) {
      throw new CausewayError("FIELD_NOT_WRITABLE", `${station.name}.${point.name}: only characteristics are written`);
    }
    await this.#gatt.write(station.address.address, point, value, timeoutOf(station), signal);
  }

  async watch(
    station: Station<BleStation>,
    points: readonly Point<BlePoint>[],
    sink: WatchSink,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log, memoryOf } = this.#context;
    const { address } = station.address;
    const key = await stationKey(station, this.#context);
    signal.throwIfAborted();
    const memory = memoryOf(station);
    memory.renew();
    const decoder = new StationDecoder(station, points, { clock, log, memory, ...(key === undefined ? {} : { key }) });
    if (decoder.hasPoints) {
      const heard = this.#controller.onAdvertisement(address, (advertisement) => {
        this.#note(advertisement);
        const readings = decoder.decode(advertisement);
        if (readings.length > 0) sink.readings(readings);
      });
      signal.addEventListener("abort", () => heard[Symbol.dispose](), { once: true });
    }
    const notified = points.filter(isNotified);
    if (notified.length === 0) return;
    const notifications = new Notifications({
      controller: this.#controller,
      gatt: this.#gatt,
      clock,
      address,
      points: notified,
      sink,
    });
    this.#scope.spawn((ending) => notifications.run(AbortSignal.any([signal, ending])));
  }

  trace(): readonly TracedFrame[] {
    return this.#trace.frames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
    if (this.#isLost) this.#gatt.abandon();
    else await this.#gatt.close();
    await this.#controller[Symbol.asyncDispose]();
  }

  #note({ manufacturer, services }: Advertisement): void {
    for (const bytes of manufacturer?.values() ?? []) this.#trace.add("in", bytes);
    for (const bytes of services?.values() ?? []) this.#trace.add("in", bytes);
  }
}

function timeoutOf({ traits }: Station<BleStation>): number {
  return traits.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS;
}
