import { CausewayError, fromHex, type Scalar, type SimulatedStation } from "causeway/adapter";
import type { BlePoint, BleStation } from "../options.js";
import { formattedOf } from "../station-points.js";
import { fitToFormat } from "../value-format.js";
import type { SimulatedBluez } from "./bluez.js";
import { declaredFrames } from "./declared-frame.js";
import { FormattedFrame } from "./formatted-frame.js";
import { type Frame, misfit, setIn } from "./frame.js";
import { GattValues } from "./gatt-values.js";
import type { Peripheral } from "./peripheral.js";

const RSSI_DBM = -60;

type Radio = NonNullable<BlePoint["at"]["radio"]>;

/** A device made of its points: its packets, its characteristics, and what they hold. */
export class SimulatedDevice {
  readonly #name: string;
  readonly #bluez: SimulatedBluez;
  readonly #peripheral: Peripheral;
  readonly #frames: readonly Frame[];
  readonly #gatt: GattValues;
  readonly #radioOf: ReadonlyMap<string, Radio>;
  readonly #radio = new Map<Radio, number>([["rssi", RSSI_DBM]]);
  /** How the advertised name has to begin. */
  readonly #nameBegins: string;
  #isDue = false;

  constructor(
    { station, points }: SimulatedStation<BleStation, BlePoint>,
    key: Uint8Array | undefined,
    bluez: SimulatedBluez,
  ) {
    const { address } = station.address;
    this.#name = station.name;
    this.#bluez = bluez;
    const context = { address: fromHex(address.replaceAll(":", "")), ...(key === undefined ? {} : { key }) };
    this.#frames = [
      ...declaredFrames(points),
      ...formattedOf(points).map(({ format, points: own }) => new FormattedFrame(format, own, context)),
    ];
    this.#gatt = new GattValues(
      points.filter(({ address: { at } }) => at.gatt !== undefined),
      (service, characteristic, value) => bluez.notify(address, characteristic, value, service),
    );
    this.#radioOf = new Map(points.flatMap(({ name, address: { at } }) => (at.radio ? [[name, at.radio]] : [])));
    const names = points.map(({ address: { at } }) => at.name ?? "");
    this.#nameBegins = names.reduce((longest, one) => (one.length > longest.length ? one : longest), "");
    const name = this.#nameBegins === "" ? undefined : this.#nameBegins;
    this.#peripheral = bluez.device(address, this.#gatt.services, name);
  }

  /** What is set at once goes out in one packet. */
  set(point: string, value: Scalar): void {
    const radio = this.#radioOf.get(point);
    const frames = this.#frames.filter((frame) => frame.has(point));
    if (radio !== undefined) this.#setRadio(point, radio, value);
    else if (this.#gatt.has(point)) this.#gatt.set(point, value);
    else if (frames.length > 0) setIn(frames, point, value);
    else throw this.#unknown(point);
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.advertise());
  }

  get(point: string): Scalar {
    const radio = this.#radioOf.get(point);
    const frame = this.#frames.find((one) => one.has(point));
    if (radio === undefined && frame === undefined && !this.#gatt.has(point)) throw this.#unknown(point);
    const value = radio === undefined ? (frame?.get(point) ?? this.#gatt.get(point)) : this.#heldByRadio(radio);
    if (value === undefined) throw new CausewayError("INTERNAL", `${this.#name}.${point} has no value yet`);
    return value;
  }

  /** Sends each of its packets once more. */
  advertise(): void {
    this.#isDue = false;
    const rssi = this.#radio.get("rssi");
    const txPower = this.#radio.get("txPower");
    const common = { ...(rssi === undefined ? {} : { rssi }), ...(txPower === undefined ? {} : { txPower }) };
    const packets = this.#frames.flatMap((frame) => frame.send() ?? []);
    for (const packet of packets.length === 0 ? [{}] : packets) {
      this.#bluez.speak(this.#peripheral.address, { ...common, ...packet });
    }
  }

  #setRadio(point: string, radio: Radio, value: Scalar): void {
    if (radio === "name") {
      if (typeof value !== "string") throw misfit(point, "takes text");
      if (!value.startsWith(this.#nameBegins)) throw misfit(point, `must begin with '${this.#nameBegins}'`);
      this.#peripheral.name = value;
    } else this.#radio.set(radio, Number(fitToFormat(value, { type: "int8" }, point)));
    // It is read along with a new packet only.
    for (const frame of this.#frames) frame.renew();
  }

  #heldByRadio(radio: Radio): Scalar | undefined {
    return radio === "name" ? this.#peripheral.name : this.#radio.get(radio);
  }

  #unknown(point: string): CausewayError {
    return new CausewayError("INTERNAL", `${this.#name} has no point '${point}'`);
  }
}
