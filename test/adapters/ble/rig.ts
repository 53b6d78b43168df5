import { vi } from "vitest";
import { bleAdapter } from "../../../adapters/ble/index.js";
import type { BleLinkOptions, BlePoint, BleStation } from "../../../adapters/ble/options.js";
import { SimulatedBluez } from "../../../adapters/ble/simulator/bluez.js";
import { PrivateBus } from "../../../adapters/ble/simulator/private-bus.js";
import { createLog } from "../../../src/base/log.js";
import type { Link, Point, Station } from "../../../src/field/adapter.js";
import type { Reading } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";

export type BleLink = Link<BleStation, BlePoint>;

export interface Watched {
  readonly told: Reading[];
  readonly gone: string[];
  stop(): void;
}

/** The adapter on a D-Bus of its own, opposite a double of bluetoothd; time goes by hand. */
export class BleRig implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly logged: string[] = [];
  readonly adapter = bleAdapter();
  readonly bus: PrivateBus;
  readonly bluez: SimulatedBluez;
  readonly #links: BleLink[] = [];

  private constructor(bus: PrivateBus, bluez: SimulatedBluez) {
    this.bus = bus;
    this.bluez = bluez;
  }

  static async start(): Promise<BleRig> {
    const bus = await PrivateBus.start();
    vi.stubEnv("DBUS_SYSTEM_BUS_ADDRESS", bus.address);
    return new BleRig(bus, await SimulatedBluez.start(bus.address));
  }

  async open(options: BleLinkOptions = {}, signal: AbortSignal = new AbortController().signal): Promise<BleLink> {
    const log = createLog("debug", (line) => this.logged.push(String(JSON.parse(line).msg)));
    const secret = async (text: string): Promise<string> => text;
    const link = await this.adapter.open(options, { name: "ble", clock: this.clock, log, secret }, signal);
    this.#links.push(link);
    return link;
  }

  async watch(link: BleLink, station: Station<BleStation>, points: readonly Point<BlePoint>[]): Promise<Watched> {
    const told: Reading[] = [];
    const gone: string[] = [];
    const ending = new AbortController();
    const sink = {
      readings: (readings: readonly Reading[]) => void told.push(...readings),
      gone: (reason: string) => void gone.push(reason),
    };
    await link.watch?.(station, points, sink, ending.signal);
    return { told, gone, stop: () => ending.abort(new Error("stopped")) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) await link[Symbol.asyncDispose]();
    await this.bluez[Symbol.asyncDispose]();
    await this.bus[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  }
}

/** Waits for what other processes do; fails after some seconds. */
export async function until(happened: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (!happened()) throw new Error(`not yet: ${happened.toString()}`);
    },
    { timeout: 10_000, interval: 5 },
  );
}
