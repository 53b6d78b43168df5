import { SimulatedBluez } from "../adapters/ble/simulator/bluez.js";
import { PrivateBus } from "../adapters/ble/simulator/private-bus.js";
import type { SoakContext, SoakDevice, SoakField, Trouble } from "./soak-field.js";
import { claimPoints } from "./soak-field.js";

const DEVICES = 3;
const POINTS = 2;
const COMPANY = 0xffff;

/** Devices that advertise; their BlueZ is on a bus of its own. */
export class SoakBle implements SoakField {
  readonly links = { radio: { adapter: "ble", controller: "hci0" } };
  readonly devices: readonly SoakDevice[];
  readonly environment: Readonly<Record<string, string>>;
  readonly #context: SoakContext;
  readonly instances: readonly (readonly number[])[];
  readonly #bus: PrivateBus;
  readonly #bluez: SimulatedBluez;
  #isMute = false;

  private constructor(bus: PrivateBus, bluez: SimulatedBluez, context: SoakContext) {
    this.#bus = bus;
    this.#bluez = bluez;
    this.#context = context;
    this.environment = { DBUS_SYSTEM_BUS_ADDRESS: bus.address };
    this.devices = Array.from({ length: DEVICES }, (_, index) => ({
      name: `ble-${index + 1}`,
      link: "radio",
      profile: "soak-ble",
      address: { address: addressOf(index) },
    }));
    this.instances = claimPoints(context.truth, this.devices, POINTS);
    for (const index of this.devices.keys()) bluez.device(addressOf(index));
    this.change();
  }

  static async open(context: SoakContext): Promise<SoakBle> {
    const bus = await PrivateBus.start();
    return new SoakBle(bus, await SimulatedBluez.start(bus.address), context);
  }

  change(): void {
    for (const [index, instances] of this.instances.entries()) {
      const data = new DataView(new ArrayBuffer(1 + 4 * POINTS));
      data.setUint8(0, 0x5a);
      for (const [at, instance] of instances.entries())
        data.setUint32(1 + 4 * at, this.#context.truth.advance(instance));
      if (!this.#isMute) this.#speak(index, new Uint8Array(data.buffer));
    }
  }

  async trouble(): Promise<Trouble> {
    const { random } = this.#context;
    const what = random.pick([
      "foreign data",
      "cut data",
      "bluetoothd restart",
      "controller gone",
      "powered off",
      "forgotten",
      "scan stopped",
      "mute",
    ]);
    const victim = random.whole(0, DEVICES - 1);
    switch (what) {
      case "foreign data":
        this.#speak(victim, Uint8Array.of(0x77, ...random.bytes(4 * POINTS)));
        break;
      case "cut data":
        this.#speak(victim, Uint8Array.of(0x5a, ...random.bytes(random.whole(0, 4 * POINTS - 1))));
        break;
      case "forgotten":
        this.#bluez.forget(addressOf(victim));
        break;
      case "scan stopped":
        this.#bluez.stopScanning();
        break;
      case "mute":
        this.#isMute = true;
        return { what, end: () => this.#unmute() };
      case "bluetoothd restart":
        this.#isMute = true;
        await this.#bluez.leave();
        return { what, end: () => this.#rejoin() };
      case "controller gone":
        this.#isMute = true;
        this.#bluez.removeController();
        return {
          what,
          end: () => {
            this.#bluez.addController();
            this.#unmute();
          },
        };
      case "powered off":
        this.#isMute = true;
        this.#bluez.setPowered(false);
        return {
          what,
          end: () => {
            this.#bluez.setPowered(true);
            this.#unmute();
          },
        };
    }
    return { what, end: () => undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bluez[Symbol.asyncDispose]();
    await this.#bus[Symbol.asyncDispose]();
  }

  async #rejoin(): Promise<void> {
    await this.#bluez.join(this.#bus.address);
    this.#unmute();
  }

  #unmute(): void {
    this.#isMute = false;
  }

  #speak(index: number, data: Uint8Array): void {
    this.#bluez.speak(addressOf(index), { rssi: -60, manufacturer: { [COMPANY]: data } });
  }
}

function addressOf(index: number): string {
  return `C0:FF:EE:00:00:0${index + 1}`;
}
