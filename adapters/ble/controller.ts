import { abortable, CausewayError, type Clock, type Log, toError } from "causeway/adapter";
import type { Advertisement } from "./advertisement.js";
import {
  ADAPTER,
  addMatches,
  BLUEZ,
  CALL_TIMEOUT_MS,
  CHARACTERISTIC,
  DEVICE,
  findController,
  firstObjects,
  managedObjects,
  OBJECT_MANAGER,
  type ObjectTable,
  PROPERTIES,
} from "./bluez.js";
import type { Signal, SystemBus } from "./dbus.js";
import { booleanEntry, bytesEntry, type Dictionary, dictionary } from "./dbus-value.js";
import { DeviceView } from "./device-view.js";
import { Discovery } from "./discovery.js";
import type { BleLinkOptions } from "./options.js";

/** Hears of a device's connection; absent properties did not change. */
export interface DeviceChange {
  readonly connected?: boolean;
  readonly servicesResolved?: boolean;
}

export type AdvertisementListener = (heard: Advertisement, address: string) => void;

/** One Bluetooth controller as BlueZ shows it: says what is heard and what changes, and scans. */
export class Controller implements AsyncDisposable {
  /** Object path, e.g. `/org/bluez/hci0`. */
  readonly path: string;
  /** Settles when the controller, the service or D-Bus is gone, with the reason; never rejects. */
  readonly closed: Promise<CausewayError>;
  readonly discovery: Discovery;
  readonly #bus: SystemBus;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #views = new Map<string, DeviceView>();
  readonly #heardBy = new Map<string, Set<AdvertisementListener>>();
  readonly #everything = new Set<AdvertisementListener>();
  readonly #devices = new Map<string, Set<(change: DeviceChange) => void>>();
  readonly #characteristics = new Map<string, Set<(value: Uint8Array) => void>>();
  #end: (reason: CausewayError) => void = () => undefined;
  #isLost = false;

  private constructor(bus: SystemBus, path: string, options: BleLinkOptions, clock: Clock, log: Log) {
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
    this.path = path;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    const call = async (member: string, signature: string, body: readonly unknown[]): Promise<void> => {
      await this.call(path, ADAPTER, member, signature, body);
    };
    const lost = (reason: CausewayError): void => this.#lose(reason);
    this.discovery = new Discovery({ call, lost, clock, duplicateData: options.duplicateData ?? true });
    void bus.closed.then(lost);
  }

  /** Finds the controller and begins to scan. Rejects with LINK_* or the signal's reason; takes the bus over. */
  static async open(
    bus: SystemBus,
    options: BleLinkOptions,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
    signal: AbortSignal,
  ): Promise<Controller> {
    try {
      const objects = await firstObjects(bus, signal);
      const path = findController(objects, options.controller ?? "hci0");
      const controller = new Controller(bus, path, options, clock, log);
      bus.listen((message) => controller.#tell(() => controller.#take(message)));
      await addMatches(bus, path, signal);
      for (const [device, interfaces] of Object.entries(objects)) controller.#seed(device, interfaces);
      await abortable(controller.discovery.begin(), signal);
      return controller;
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
  }

  devicePath(address: string): string {
    return `${this.path}/dev_${address.replaceAll(":", "_")}`;
  }

  /** As `SystemBus.call`, to BlueZ. */
  async call(
    path: string,
    iface: string,
    member: string,
    signature = "",
    body: readonly unknown[] = [],
    { timeoutMs = CALL_TIMEOUT_MS, signal }: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly unknown[]> {
    const target = { destination: BLUEZ, path, interface: iface, member, signature, body };
    return await this.#bus.call(target, timeoutMs, signal);
  }

  async objects(signal?: AbortSignal): Promise<ObjectTable> {
    return await managedObjects(this.#bus, signal);
  }

  /** The device as BlueZ has it now; empty when it does not know it. */
  async device(address: string, signal: AbortSignal): Promise<Dictionary> {
    return dictionary((await this.objects(signal))[this.devicePath(address)]?.[DEVICE]);
  }

  /** Monotonic time at which the device was heard last, of those that BlueZ still knows. */
  heardAtMs(address: string): number | undefined {
    return this.#views.get(address)?.heardAtMs;
  }

  onAdvertisement(address: string, listener: AdvertisementListener): Disposable {
    return listen(this.#heardBy, address, listener);
  }

  onAnyAdvertisement(listener: AdvertisementListener): Disposable {
    this.#everything.add(listener);
    return { [Symbol.dispose]: () => void this.#everything.delete(listener) };
  }

  onDevice(address: string, listener: (change: DeviceChange) => void): Disposable {
    return listen(this.#devices, address, listener);
  }

  onCharacteristic(path: string, listener: (value: Uint8Array) => void): Disposable {
    return listen(this.#characteristics, path, listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isLost) await this.discovery.end();
    this.#lose(new CausewayError("LINK_CLOSED", `${this.path} was closed`));
    await this.#bus[Symbol.asyncDispose]();
  }

  #lose(reason: CausewayError): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.discovery.abandon();
    this.#end(reason);
  }

  #seed(path: string, interfaces: Dictionary): void {
    const properties = interfaces[DEVICE];
    const address = this.#addressOf(path);
    if (properties !== undefined && address !== undefined) this.#viewOf(address).seed(dictionary(properties));
  }

  /** Undefined for paths that are no device of this controller. */
  #addressOf(path: string): string | undefined {
    const prefix = `${this.path}/dev_`;
    return path.startsWith(prefix) && path.length === prefix.length + 17
      ? path.slice(prefix.length).replaceAll("_", ":")
      : undefined;
  }

  #viewOf(address: string): DeviceView {
    const known = this.#views.get(address);
    if (known !== undefined) return known;
    const view = new DeviceView();
    this.#views.set(address, view);
    return view;
  }

  #take({ path, interface: iface, member, body }: Signal): void {
    const [first, second] = body;
    if (iface === PROPERTIES && member === "PropertiesChanged" && typeof first === "string") {
      this.#changed(path, first, dictionary(second));
    } else if (iface === OBJECT_MANAGER && member === "InterfacesAdded" && typeof first === "string") {
      const properties = dictionary(second)[DEVICE];
      if (properties !== undefined) this.#changed(first, DEVICE, dictionary(properties));
    } else if (iface === OBJECT_MANAGER && member === "InterfacesRemoved" && typeof first === "string") {
      this.#removed(first, Array.isArray(second) ? second : []);
    } else if (member === "NameOwnerChanged" && first === BLUEZ) {
      const what = body[2] === "" ? "bluetoothd has ended" : "bluetoothd was started anew";
      this.#lose(new CausewayError("LINK_NO_BLUETOOTHD", what));
    }
  }

  #changed(path: string, iface: string, changed: Dictionary): void {
    if (iface === DEVICE) this.#deviceChanged(path, changed);
    else if (iface === CHARACTERISTIC) {
      const value = bytesEntry(changed, "Value");
      if (value !== undefined) for (const hear of this.#characteristics.get(path) ?? []) hear(value);
    } else if (iface === ADAPTER && path === this.path) {
      if (booleanEntry(changed, "Powered") === false) {
        this.#lose(new CausewayError("LINK_CONTROLLER_OFF", `${path} was switched off`));
      } else if (booleanEntry(changed, "Discovering") === false) this.discovery.stopped();
    }
  }

  #deviceChanged(path: string, changed: Dictionary): void {
    const address = this.#addressOf(path);
    if (address === undefined) return;
    const view = this.#viewOf(address);
    const heard = view.hear(changed);
    if (heard !== undefined) {
      view.heardAtMs = this.#clock.monotonicMs();
      this.discovery.heard();
      for (const hear of this.#heardBy.get(address) ?? []) this.#tell(() => hear(heard, address));
      for (const hear of this.#everything) this.#tell(() => hear(heard, address));
    }
    const connected = booleanEntry(changed, "Connected");
    const servicesResolved = booleanEntry(changed, "ServicesResolved");
    if (connected === undefined && servicesResolved === undefined) return;
    const change = {
      ...(connected === undefined ? {} : { connected }),
      ...(servicesResolved === undefined ? {} : { servicesResolved }),
    };
    for (const hear of [...(this.#devices.get(address) ?? [])]) hear(change);
  }

  #removed(path: string, interfaces: readonly unknown[]): void {
    if (path === this.path && interfaces.includes(ADAPTER)) {
      this.#lose(new CausewayError("LINK_NO_CONTROLLER", `${path} was taken away`));
    }
    const address = this.#addressOf(path);
    if (address === undefined || !interfaces.includes(DEVICE)) return;
    this.#views.delete(address);
    for (const hear of [...(this.#devices.get(address) ?? [])]) hear({ connected: false });
  }

  /** One listener's defect must not cost the others their word. */
  #tell(hear: () => void): void {
    try {
      hear();
    } catch (error) {
      this.#log.error("a word of BlueZ could not be handled", { error: toError(error).message });
    }
  }
}

function listen<T>(table: Map<string, Set<T>>, key: string, listener: T): Disposable {
  const listeners = table.get(key) ?? new Set();
  listeners.add(listener);
  table.set(key, listeners);
  return {
    [Symbol.dispose]: () => {
      listeners.delete(listener);
      if (listeners.size === 0 && table.get(key) === listeners) table.delete(key);
    },
  };
}
