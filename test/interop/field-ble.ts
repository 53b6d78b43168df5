import ble from "../../adapters/ble/index.js";
import type { Peripheral, PeripheralCharacteristic } from "../../adapters/ble/simulator/peripheral.js";
import { BleSimulator } from "../../adapters/ble/simulator/simulate.js";
import type { Profile } from "../../src/mapping/profile.js";
import type { FieldDevice, FieldPart, FieldProfiles } from "./field-part.js";
import { type Place, SimulatedPart } from "./field-simulated.js";

export const THERMOSTAT = "interop-thermostat";
const THERMOSTAT_ADDRESS = "C0:00:00:00:00:01";
const KEY_VARIABLE = "CAUSEWAY_LOUNGE_KEY";
export const LOUNGE_KEY = "5d4a1c93e07b62f8a9d03c51b7e6480f";
/** A thermometer with BTHome that encrypts. */
const LOUNGE_PROFILE = "bthome-climate";
const LOUNGE_ADDRESS = "54:48:E6:8F:80:A5";
const LOUNGE: Place = {
  name: "bthome-lounge",
  address: { address: LOUNGE_ADDRESS, key: `\${env:${KEY_VARIABLE}}` },
  station: { address: LOUNGE_ADDRESS, key: LOUNGE_KEY },
};

/** A device of each shipped profile, one that encrypts, and a thermostat with characteristics. */
export class BlePart implements FieldPart {
  readonly links: FieldPart["links"];
  readonly devices: readonly FieldDevice[];
  /** The gateway's. */
  readonly environment = { [KEY_VARIABLE]: LOUNGE_KEY };
  readonly field: BleSimulator;
  readonly #busAddress: string;
  readonly #thermostat: Peripheral;

  private constructor({ links, devices }: SimulatedPart, field: BleSimulator) {
    const { bus = "" } = field.link;
    const thermostat = field.bluez.peripheral(THERMOSTAT_ADDRESS);
    if (thermostat === undefined) throw new Error("there is no thermostat");
    this.links = Object.fromEntries(
      Object.entries(links).map(([name, link]) => [name, { ...link, connectTimeout: "2s" }]),
    );
    this.devices = devices;
    this.field = field;
    this.#busAddress = bus;
    this.#thermostat = thermostat;
  }

  static async open(profiles: FieldProfiles): Promise<BlePart> {
    const shipped = await profiles.of("ble");
    const places = [
      ...shipped.map((profile, index) => ({ profile, place: placeAt(`C1:00:00:00:00:${10 + index}`) })),
      { profile: await profiles.read(LOUNGE_PROFILE), place: LOUNGE },
      { profile: await profiles.read(THERMOSTAT), place: placeAt(THERMOSTAT_ADDRESS) },
    ];
    const placeOf = (_: Profile, index: number): Place => places[index]?.place ?? placeAt("");
    const part = await SimulatedPart.open(
      ble,
      {},
      places.map(({ profile }) => profile),
      placeOf,
    );
    if (part.field instanceof BleSimulator) return new BlePart(part, part.field);
    throw new Error("Bluetooth is simulated otherwise");
  }

  /** The thermostat answers every read and write with this error. */
  refuse(error: string): void {
    for (const characteristic of this.#characteristics) characteristic.refuses = error;
  }

  /** bluetoothd ends; resolves with what starts it again. */
  async stopDaemon(): Promise<() => Promise<void>> {
    await this.field.bluez.leave();
    return () => this.field.bluez.join(this.#busAddress);
  }

  /** The thermostat is not connected any more, and cannot be. */
  takeAway(): void {
    this.#thermostat.temper = "absent";
    this.field.bluez.drop(THERMOSTAT_ADDRESS);
  }

  bringBack(): void {
    this.#thermostat.temper = "good";
    for (const characteristic of this.#characteristics) delete characteristic.refuses;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.field[Symbol.asyncDispose]();
  }

  get #characteristics(): readonly PeripheralCharacteristic[] {
    return this.#thermostat.services.flatMap(({ characteristics }) => characteristics);
  }
}

function placeAt(address: string): Place {
  return { address: { address }, station: { address } };
}
