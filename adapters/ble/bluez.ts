import { CausewayError } from "causeway/adapter";
import type { SystemBus } from "./dbus.js";
import { booleanEntry, type Dictionary, dictionary, NOTHING, stringEntry } from "./dbus-value.js";

export const BLUEZ = "org.bluez";
export const ADAPTER = "org.bluez.Adapter1";
export const DEVICE = "org.bluez.Device1";
export const CHARACTERISTIC = "org.bluez.GattCharacteristic1";
export const SERVICE = "org.bluez.GattService1";
export const OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager";
export const PROPERTIES = "org.freedesktop.DBus.Properties";
export const CALL_TIMEOUT_MS = 5000;

/** What the objects of BlueZ are: path → interface → properties. */
export type ObjectTable = Readonly<Record<string, Dictionary>>;

/** All objects, if the service runs. Rejects with LINK_*. */
export async function firstObjects(bus: SystemBus, signal: AbortSignal): Promise<ObjectTable> {
  // Asking does not start the service, where an operator has stopped it.
  await bus.ask("GetNameOwner", "s", [BLUEZ], signal).catch((error: unknown) => {
    if (error instanceof CausewayError && error.code === "LINK_NO_BLUETOOTHD") {
      throw new CausewayError("LINK_NO_BLUETOOTHD", "bluetoothd does not run", { cause: error });
    }
    throw error;
  });
  return await managedObjects(bus, signal);
}

export async function managedObjects(bus: SystemBus, signal?: AbortSignal): Promise<ObjectTable> {
  const target = { destination: BLUEZ, path: "/", interface: OBJECT_MANAGER, member: "GetManagedObjects" };
  const [objects] = await bus.call(target, CALL_TIMEOUT_MS, signal);
  return Object.fromEntries(Object.entries(dictionary(objects)).map(([path, value]) => [path, dictionary(value)]));
}

/** The object path of `hci0`, or of the controller with the address. Throws LINK_NO_CONTROLLER, LINK_CONTROLLER_OFF. */
export function findController(objects: ObjectTable, wanted: string): string {
  const controllers = Object.entries(objects).filter(([, interfaces]) => ADAPTER in interfaces);
  for (const [path, interfaces] of controllers) {
    const properties = dictionary(interfaces[ADAPTER] ?? NOTHING);
    const address = stringEntry(properties, "Address")?.toUpperCase();
    if (path !== `/org/bluez/${wanted}` && address !== wanted.toUpperCase()) continue;
    if (booleanEntry(properties, "Powered") === true) return path;
    throw new CausewayError("LINK_CONTROLLER_OFF", `${wanted} is switched off`);
  }
  const names = controllers.map(([path]) => path.slice(path.lastIndexOf("/") + 1));
  const there = names.length === 0 ? "there is none" : `there are: ${names.join(", ")}`;
  throw new CausewayError("LINK_NO_CONTROLLER", `no controller ${wanted}; ${there}`);
}

/** From now on the signals of the controller, its devices and of the service as a whole are heard. */
export async function addMatches(bus: SystemBus, path: string, signal: AbortSignal): Promise<void> {
  const rules = [
    `type='signal',sender='${BLUEZ}',interface='${PROPERTIES}',member='PropertiesChanged',path_namespace='${path}'`,
    `type='signal',sender='${BLUEZ}',interface='${OBJECT_MANAGER}',path='/'`,
    `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${BLUEZ}'`,
  ];
  for (const rule of rules) await bus.ask("AddMatch", "s", [rule], signal);
}
