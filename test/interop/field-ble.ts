import { createCipheriv } from "node:crypto";
import type { Advertisement } from "../../adapters/ble/advertisement.js";
import { SimulatedBluez } from "../../adapters/ble/simulator/bluez.js";
import type { Peripheral, PeripheralCharacteristic } from "../../adapters/ble/simulator/peripheral.js";
import { PrivateBus } from "../../adapters/ble/simulator/private-bus.js";
import { concatBytes, fromHex, toHex } from "../../src/base/bytes.js";
import { Scope } from "../../src/base/scope.js";
import { EXAMPLES } from "../adapters/ble/examples.js";
import { uuid } from "../adapters/ble/points.js";
import type { FieldDevice, FieldPart } from "./field-part.js";

const SPEAK_EVERY_MS = 300;
const LINK = "air";
const ADDRESS = "C0:00:00:00:00:01";
export const THERMOSTAT = "interop-thermostat";

/** A thermometer with BTHome that encrypts. */
const LOUNGE = { name: "bthome-lounge", address: "54:48:E6:8F:80:A5", profile: "bthome-climate" };
const KEY_VARIABLE = "CAUSEWAY_LOUNGE_KEY";
export const LOUNGE_KEY = "5d4a1c93e07b62f8a9d03c51b7e6480f";

/** A device of each shipped profile that advertises, one that encrypts, and a thermostat with characteristics. */
export class BlePart implements FieldPart {
  readonly links = { [LINK]: { adapter: "ble", connectTimeout: "2s" } };
  readonly devices: readonly FieldDevice[];
  /** The gateway's. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #busAddress: string;
  readonly #thermostat: Peripheral;
  readonly #characteristics = CHARACTERISTICS.map(
    ([short, hex]): PeripheralCharacteristic => ({ uuid: uuid(short), value: fromHex(hex) }),
  );
  readonly #said = new Map<string, readonly Advertisement[]>();
  readonly #addresses = new Map<string, string>();
  readonly #bluez: SimulatedBluez;
  readonly #scope: Scope;
  #turn = 0;

  private constructor(scope: Scope, bus: PrivateBus, bluez: SimulatedBluez) {
    this.#scope = scope;
    this.#bluez = bluez;
    this.#busAddress = bus.address;
    this.environment = { DBUS_SYSTEM_BUS_ADDRESS: bus.address, [KEY_VARIABLE]: LOUNGE_KEY };
    this.#thermostat = bluez.device(ADDRESS, [{ uuid: uuid("181a"), characteristics: this.#characteristics }]);
    const advertising = Object.keys(EXAMPLES).map((profile, index) => this.#advertiser(profile, index));
    this.devices = [...advertising, this.#loungeDevice(), this.#thermostatDevice()];
    const timer = setInterval(() => this.#speak(), SPEAK_EVERY_MS);
    scope.defer(() => clearInterval(timer));
  }

  static async open(): Promise<BlePart> {
    const scope = new Scope((error) => {
      throw error;
    });
    const bus = scope.use(await PrivateBus.start());
    return new BlePart(scope, bus, scope.use(await SimulatedBluez.start(bus.address)));
  }

  /** The temperature, in °C, that the thermometer with BTHome tells from now on, in packets with a number of their own. */
  warm(temperature: number): void {
    const data = new DataView(new ArrayBuffer(6));
    data.setUint8(0, 0x40);
    data.setUint16(1, this.#turn & 0xff);
    data.setUint8(3, 0x02);
    data.setInt16(4, Math.round(100 * temperature), true);
    this.#said.set("bthome-climate", [{ services: new Map([[uuid("fcd2"), new Uint8Array(data.buffer)]]) }]);
  }

  /** The button is pressed once more, shortly; it was once before. */
  press(): void {
    const data = fromHex("44000201643A01");
    this.#said.set("bthome-button", [{ services: new Map([[uuid("fcd2"), data]]) }]);
  }

  notify(short: string, value: Uint8Array): void {
    this.#bluez.notify(ADDRESS, uuid(short), value);
  }

  /** The thermostat answers every read and write with this error. */
  refuse(error: string): void {
    for (const characteristic of this.#characteristics) characteristic.refuses = error;
  }

  /** bluetoothd ends; resolves with what starts it again. */
  async stopDaemon(): Promise<() => Promise<void>> {
    await this.#bluez.leave();
    return () => this.#bluez.join(this.#busAddress);
  }

  /** It is not connected any more, and cannot be. */
  takeAway(): void {
    this.#thermostat.temper = "absent";
    this.#bluez.drop(ADDRESS);
  }

  bringBack(): void {
    this.#thermostat.temper = "good";
    for (const characteristic of this.#characteristics) delete characteristic.refuses;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  #advertiser(profile: string, index: number): FieldDevice {
    const [example] = EXAMPLES[profile] ?? [];
    const address = `C1:00:00:00:00:${String(index).padStart(2, "0")}`;
    this.#bluez.device(address, [], example?.heard[0]?.name);
    this.#addresses.set(profile, address);
    this.#said.set(profile, example?.heard ?? []);
    return { name: profile, link: LINK, profile, address: { address }, shown: example?.tree ?? {}, writes: [] };
  }

  #loungeDevice(): FieldDevice {
    const { name, address, profile } = LOUNGE;
    this.#bluez.device(address);
    this.#addresses.set(name, address);
    const shown = EXAMPLES[profile]?.[0]?.tree ?? {};
    return { name, link: LINK, profile, address: { address, key: `\${env:${KEY_VARIABLE}}` }, shown, writes: [] };
  }

  #thermostatDevice(): FieldDevice {
    const [, setPoint, , boost] = this.#characteristics;
    const held = (characteristic: PeripheralCharacteristic | undefined) => () =>
      characteristic === undefined ? undefined : toHex(characteristic.value);
    return {
      name: THERMOSTAT,
      link: LINK,
      profile: THERMOSTAT,
      address: { address: ADDRESS },
      shown: { "/3303/0/5700": 25, "/3308/0/5900": 20, "/3200/0/5500": true },
      writes: [
        { path: "/3308/0/5900", value: 21.5, raw: "00d7", held: held(setPoint) },
        { path: "/3306/0/5850", value: true, raw: "01", held: held(boost) },
        { path: "/3306/0/5850", value: false, raw: "00", held: held(boost) },
      ],
    };
  }

  #speak(): void {
    const turn = this.#turn++;
    this.#bluez.speak(ADDRESS, { rssi: -50 - (turn % 2) });
    this.#said.set(LOUNGE.name, [{ services: new Map([[uuid("fcd2"), sealed(fromHex("015D025D0903B718"), turn)]]) }]);
    for (const [profile, advertisements] of this.#said) {
      const { manufacturer = new Map(), services = new Map() } = advertisements[turn % advertisements.length] ?? {};
      const address = this.#addresses.get(profile) ?? "";
      this.#bluez.speak(address, {
        rssi: -60 - (turn % 2),
        ...(manufacturer.size === 0 ? {} : { manufacturer: Object.fromEntries(manufacturer) }),
        ...(services.size === 0 ? {} : { services: Object.fromEntries(services) }),
      });
    }
  }
}

/** Temperature, set point, lock and boost, as the thermostat has them at first. */
const CHARACTERISTICS = [
  ["2a6e", "c409"],
  ["2a1c", "00c8"],
  ["2a1d", "01"],
  ["2a1e", "00"],
] as const;

/** bthome.io/encryption: the device's address, the UUID, the device information and the counter are the nonce. */
function sealed(data: Uint8Array, packet: number): Uint8Array {
  const information = Uint8Array.of(0x41);
  const counter = new Uint8Array(4);
  new DataView(counter.buffer).setUint32(0, 1000 + packet, true);
  const nonce = concatBytes([fromHex(LOUNGE.address.replaceAll(":", "")), fromHex("D2FC"), information, counter]);
  const cipher = createCipheriv("aes-128-ccm", fromHex(LOUNGE_KEY), nonce, { authTagLength: 4 });
  const bytes = cipher.update(data);
  cipher.final();
  return concatBytes([information, bytes, counter, cipher.getAuthTag()]);
}
