import { CausewayError, type Point, type Scalar, sameScalar } from "causeway/adapter";
import { type BlePoint, formatOf, isNotified } from "../options.js";
import { readValue } from "../value-format.js";
import { misfit } from "./frame.js";
import type { PeripheralCharacteristic, PeripheralService } from "./peripheral.js";
import { bytesNeeded, withValue } from "./place-value.js";

interface Held {
  readonly characteristic: PeripheralCharacteristic;
  readonly tell: () => void;
}

/** Called with what a characteristic tells on its own. */
export type Notify = (service: string, characteristic: string, value: Uint8Array) => void;

/** The characteristics that points need, with what stands in them: 0 at first. */
export class GattValues {
  readonly services: readonly PeripheralService[];
  readonly #points: ReadonlyMap<string, Point<BlePoint>>;
  readonly #held = new Map<string, Held>();

  constructor(points: readonly Point<BlePoint>[], notify: Notify) {
    this.#points = new Map(points.map((point) => [point.name, point]));
    const services = new Map<string, Map<string, Point<BlePoint>[]>>();
    for (const point of points) {
      const { service = "", characteristic = "" } = point.address.at.gatt ?? {};
      const own = services.get(service) ?? new Map<string, Point<BlePoint>[]>();
      services.set(service, own.set(characteristic, [...(own.get(characteristic) ?? []), point]));
    }
    this.services = [...services].map(([service, characteristics]) => ({
      uuid: service,
      characteristics: [...characteristics].map(([uuid, own]) =>
        this.#add(own, uuid, (value) => notify(service, uuid, value)),
      ),
    }));
  }

  has(point: string): boolean {
    return this.#points.has(point);
  }

  /** Throws VALUE_INVALID. */
  set(name: string, value: Scalar): void {
    const { point, held } = this.#find(name);
    const format = formatOf(point.address);
    const { byte = 0 } = point.address.at;
    const bytes = withValue(held.characteristic.value, byte, value, format, name);
    const carried = readValue(bytes, byte, format);
    if (typeof value === "string" && !sameScalar(carried ?? "", value)) throw misfit(name, "text ends with its zeros");
    held.characteristic.value = bytes;
    held.tell();
  }

  /** Undefined where a write has left fewer bytes than the point needs. */
  get(name: string): Scalar | undefined {
    const { point, held } = this.#find(name);
    return readValue(held.characteristic.value, point.address.at.byte ?? 0, formatOf(point.address));
  }

  #add(
    points: readonly Point<BlePoint>[],
    uuid: string,
    notify: (value: Uint8Array) => void,
  ): PeripheralCharacteristic {
    const places = points.map(({ address }) => ({ byte: address.at.byte ?? 0, format: formatOf(address) }));
    const isTold = points.some(isNotified);
    const tell = (): void => {
      if (isTold) notify(characteristic.value);
    };
    const characteristic: PeripheralCharacteristic = {
      uuid,
      flags: flagsOf(points),
      value: new Uint8Array(bytesNeeded(places)),
      onWrite: tell,
    };
    for (const { name } of points) this.#held.set(name, { characteristic, tell });
    return characteristic;
  }

  #find(name: string): { readonly point: Point<BlePoint>; readonly held: Held } {
    const point = this.#points.get(name);
    const held = this.#held.get(name);
    if (point === undefined || held === undefined) throw new CausewayError("INTERNAL", `no characteristic has ${name}`);
    return { point, held };
  }
}

/** As BlueZ names what a characteristic can (org.bluez.GattCharacteristic). */
function flagsOf(points: readonly Point<BlePoint>[]): readonly string[] {
  const written = points.filter(({ access }) => access !== "r");
  return [
    ...(points.some(({ access }) => access !== "w") ? ["read"] : []),
    ...(points.some(isNotified) ? ["notify"] : []),
    ...(written.some(({ address }) => address.write !== "without-response") ? ["write"] : []),
    ...(written.some(({ address }) => address.write === "without-response") ? ["write-without-response"] : []),
  ];
}
