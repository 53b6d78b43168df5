import type { BlePoint } from "../../../adapters/ble/options.js";
import type { Peripheral, PeripheralCharacteristic } from "../../../adapters/ble/simulator/peripheral.js";
import { fromHex } from "../../../src/base/bytes.js";
import type { Point } from "../../../src/field/adapter.js";
import type { Reading } from "../../../src/field/reading.js";
import { point, station, uuid } from "./points.js";
import { type BleLink, BleRig, until } from "./rig.js";

export const ADDRESS = "C0:00:00:00:00:01";
const OTHER = "C0:00:00:00:00:02";
const SERVICE = uuid("181a");
export const UNTIL_ABORTED: AbortSignal = new AbortController().signal;

export const GATT = { service: SERVICE, characteristic: uuid("2a6e") };
export const TEMPERATURE = point("temperature", { at: { gatt: GATT }, type: "int16" });
const SETPOINT_GATT = { service: SERVICE, characteristic: uuid("2a1c") };
export const SETPOINT = point("setpoint", { at: { gatt: SETPOINT_GATT }, type: "int16", order: "big" }, "rw");

/** A link, and a device with a temperature and a set point that was heard just now. */
export class GattBench implements AsyncDisposable {
  readonly rig: BleRig;
  readonly link: BleLink;
  readonly device: Peripheral;
  readonly temperature: PeripheralCharacteristic = { uuid: GATT.characteristic, value: fromHex("c409") };

  private constructor(rig: BleRig, link: BleLink) {
    this.rig = rig;
    this.link = link;
    const setpoint = { uuid: SETPOINT_GATT.characteristic, value: fromHex("00c8") };
    this.device = rig.bluez.device(ADDRESS, [{ uuid: SERVICE, characteristics: [this.temperature, setpoint] }]);
  }

  static async open(): Promise<GattBench> {
    const rig = await BleRig.start();
    const bench = new GattBench(rig, await rig.open());
    await bench.advertise();
    return bench;
  }

  /** The device is heard; somebody else's word shows that it has arrived. */
  async advertise(): Promise<void> {
    const { bluez } = this.rig;
    const rssi = point("rssi", { at: { radio: "rssi" } });
    const { told, stop } = await this.rig.watch(this.link, station(OTHER), [rssi]);
    bluez.speak(ADDRESS, { rssi: -50 });
    bluez.speak(OTHER, { rssi: -50 });
    await until(() => told.length > 0);
    stop();
  }

  async read(...points: readonly Point<BlePoint>[]): Promise<readonly Reading[]> {
    return await this.link.read(station(ADDRESS), points, UNTIL_ABORTED);
  }

  /** Lets time go by for a read that has to wait for it. */
  async readLate(ms: number, started: () => boolean): Promise<readonly Reading[]> {
    const reading = this.read(TEMPERATURE);
    await until(started);
    await this.answered();
    await this.rig.clock.advance(ms);
    return await reading;
  }

  /** Nothing but the device itself is waited for any more, so that time may go by. */
  async answered(): Promise<void> {
    for (let trip = 0; trip < 5; trip++) await this.rig.bluez.flush();
  }

  /** Of calls that BlueZ got. */
  count(call: string): number {
    return this.rig.bluez.calls.filter((one) => one.startsWith(call)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}
