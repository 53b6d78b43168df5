import { OBJECT_MANAGER, PROPERTIES } from "../bluez.js";
import type { Service } from "./service.js";
import type { Typed } from "./wire.js";

type Interfaces = Map<string, Map<string, Typed>>;

/** The objects of a D-Bus service with their properties; tells the bus of every change. */
export class ObjectTree {
  readonly #objects = new Map<string, Interfaces>();
  #service: Service | undefined;

  /** Who tells the bus from now on; nobody hears of changes without. */
  speaksThrough(service: Service | undefined): void {
    this.#service = service;
  }

  /** As `GetManagedObjects` answers. */
  get objects(): ReadonlyMap<string, Interfaces> {
    return this.#objects;
  }

  has(path: string): boolean {
    return this.#objects.has(path);
  }

  get(path: string, iface: string, property: string): unknown {
    return this.#objects.get(path)?.get(iface)?.get(property)?.value;
  }

  add(path: string, iface: string, properties: Readonly<Record<string, Typed>>): void {
    const interfaces: Interfaces = new Map([[iface, new Map(Object.entries(properties))]]);
    this.#objects.set(path, interfaces);
    this.#service?.emit("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces]);
  }

  change(path: string, iface: string, changed: Readonly<Record<string, Typed>>): void {
    const properties = this.#objects.get(path)?.get(iface);
    for (const [property, value] of Object.entries(changed)) properties?.set(property, value);
    this.#service?.emit(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [iface, changed, []]);
  }

  remove(path: string): void {
    const interfaces = this.#objects.get(path);
    if (interfaces === undefined) return;
    this.#objects.delete(path);
    this.#service?.emit("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", [path, [...interfaces.keys()]]);
  }

  removeBelow(path: string): void {
    for (const one of [...this.#objects.keys()]) if (one.startsWith(`${path}/`)) this.remove(one);
  }
}
