import {
  CausewayError,
  type LinkContext,
  type Scalar,
  Scope,
  type SimulatedField,
  type SimulatedStation,
  type Timer,
  toError,
} from "causeway/adapter";
import type { BleLinkOptions, BlePoint, BleStation } from "../options.js";
import { stationKey } from "../station-key.js";
import { SimulatedBluez } from "./bluez.js";
import { SimulatedDevice } from "./device.js";
import { PrivateBus } from "./private-bus.js";

/** How often a device repeats what it says. */
const ADVERTISE_EVERY_MS = 1000;
/** Whoever begins to scan hears of all devices soon. */
const AFTER_SCAN_MS = 100;

/** Devices around a BlueZ of their own, on a D-Bus of its own. */
export class BleSimulator implements SimulatedField<BleLinkOptions> {
  readonly link: BleLinkOptions;
  /** What bluetoothd would be: for what goes wrong there. */
  readonly bluez: SimulatedBluez;
  readonly #context: LinkContext;
  readonly #scope: Scope;
  readonly #devices = new Map<string, SimulatedDevice>();
  #next: Timer | undefined;

  private constructor(link: BleLinkOptions, bluez: SimulatedBluez, context: LinkContext, scope: Scope) {
    this.link = link;
    this.bluez = bluez;
    this.#context = context;
    this.#scope = scope;
    scope.defer(() => this.#next?.cancel());
    bluez.onScan = () => this.#advertiseIn(AFTER_SCAN_MS);
    this.#advertiseIn(ADVERTISE_EVERY_MS);
  }

  /** Rejects with LINK_NO_DBUS where there is no dbus-daemon, CONFIG_SECRET_MISSING and CONFIG_INVALID for stations. */
  static async open(
    options: BleLinkOptions,
    stations: readonly SimulatedStation<BleStation, BlePoint>[],
    context: LinkContext,
  ): Promise<BleSimulator> {
    const scope = new Scope((error) => context.log.error("ble simulator", { error: toError(error).message }));
    try {
      const bus = scope.use(await PrivateBus.start());
      const bluez = scope.use(await SimulatedBluez.start(bus.address));
      const { controller: _, ...others } = options;
      const simulator = new BleSimulator({ ...others, bus: bus.address }, bluez, context, scope);
      for (const station of stations) await simulator.#add(station);
      return simulator;
    } catch (error) {
      await scope[Symbol.asyncDispose]();
      throw error;
    }
  }

  set(station: string, point: string, value: Scalar): void {
    this.#device(station).set(point, value);
  }

  get(station: string, point: string): Scalar {
    return this.#device(station).get(point);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  async #add(simulated: SimulatedStation<BleStation, BlePoint>): Promise<void> {
    const { address } = simulated.station.address;
    if (this.bluez.peripheral(address) !== undefined) {
      throw new CausewayError("CONFIG_INVALID", `two simulated devices have the address ${address}`);
    }
    const key = await stationKey(simulated.station, this.#context);
    this.#devices.set(simulated.station.name, new SimulatedDevice(simulated, key, this.bluez));
  }

  #device(station: string): SimulatedDevice {
    const device = this.#devices.get(station);
    if (device === undefined) throw new CausewayError("INTERNAL", `no station '${station}' is simulated`);
    return device;
  }

  #advertiseIn(delayMs: number): void {
    this.#next?.cancel();
    this.#next = this.#context.clock.schedule(delayMs, () => {
      for (const device of this.#devices.values()) device.advertise();
      this.#advertiseIn(ADVERTISE_EVERY_MS);
    });
  }
}
