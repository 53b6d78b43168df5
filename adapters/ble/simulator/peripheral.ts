import { CHARACTERISTIC, SERVICE } from "../bluez.js";
import type { ObjectTree } from "./object-tree.js";
import { typed } from "./wire.js";

export interface PeripheralCharacteristic {
  readonly uuid: string;
  readonly flags?: readonly string[];
  value: Uint8Array;
  /** The name of an error with which reading and writing end. */
  refuses?: string;
  /** Hears of each write, once `value` is the new one. */
  readonly onWrite?: () => void;
}

export interface PeripheralService {
  readonly uuid: string;
  readonly characteristics: readonly PeripheralCharacteristic[];
}

/** How a device behaves when it is connected. */
export type Temper = "good" | "absent" | "never-resolves" | "late-objects" | "breaks-off" | "breaks-off-late" | "mute";

/** A device within reach of the controller. */
export interface Peripheral {
  readonly address: string;
  name?: string;
  services: readonly PeripheralService[];
  temper: Temper;
}

/** What a device says at once. */
export interface Spoken {
  readonly rssi?: number;
  readonly txPower?: number;
  readonly manufacturer?: Readonly<Record<number, Uint8Array>>;
  readonly services?: Readonly<Record<string, Uint8Array>>;
}

/** Object path of a device of the controller. */
export function pathOf(address: string): string {
  return `/org/bluez/hci0/dev_${address.replaceAll(":", "_")}`;
}

export function showServices(tree: ObjectTree, { address, services }: Peripheral): void {
  for (const [index, { uuid, characteristics }] of services.entries()) {
    const path = `${pathOf(address)}/service${digits(index)}`;
    tree.add(path, SERVICE, { UUID: typed("s", uuid), Primary: typed("b", true) });
    for (const [at, { uuid: own, flags = ["read", "write", "notify"] }] of characteristics.entries()) {
      tree.add(`${path}/char${digits(at)}`, CHARACTERISTIC, { UUID: typed("s", own), Flags: typed("as", flags) });
    }
  }
}

/** The characteristic that `showServices` put there. */
export function characteristicAt({ services }: Peripheral, path: string): PeripheralCharacteristic | undefined {
  const [service = -1, characteristic = -1] = path
    .split("/")
    .slice(5)
    .map((part) => Number(part.slice(-4)));
  return services[service]?.characteristics[characteristic];
}

/** Where `showServices` puts a characteristic, of any service unless one is named. */
export function characteristicPath(
  { address, services }: Peripheral,
  uuid: string,
  service?: string,
): string | undefined {
  for (const [index, { uuid: own, characteristics }] of services.entries()) {
    if (service !== undefined && service !== own) continue;
    const at = characteristics.findIndex((one) => one.uuid === uuid);
    if (at >= 0) return `${pathOf(address)}/service${digits(index)}/char${digits(at)}`;
  }
  return undefined;
}

function digits(index: number): string {
  return String(index).padStart(4, "0");
}
