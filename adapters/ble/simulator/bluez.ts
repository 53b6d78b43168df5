import { ADAPTER, BLUEZ, CHARACTERISTIC, DEVICE, PROPERTIES } from "../bluez.js";
import { ObjectTree } from "./object-tree.js";
import {
  characteristicAt,
  characteristicPath,
  type Peripheral,
  type PeripheralCharacteristic,
  type PeripheralService,
  pathOf,
  type Spoken,
  showServices,
} from "./peripheral.js";
import { type Answer, type Call, Refusal, Service } from "./service.js";
import { type Typed, typed } from "./wire.js";

const CONTROLLER = "/org/bluez/hci0";
/** Of what was called and written. */
const KEPT = 1000;
const NOTHING: Answer = { signature: "", body: [] };

interface Unanswered {
  readonly path: string;
  readonly refuse: (error: Refusal) => void;
}

/** What bluetoothd is on D-Bus, with devices that do as they are told. Signatures are those of BlueZ 5.66. */
export class SimulatedBluez implements AsyncDisposable {
  /** `MEMBER PATH` of the last calls but GetManagedObjects, in order. */
  readonly calls: string[] = [];
  readonly written: (readonly [path: string, bytes: Uint8Array, type: string])[] = [];
  /** Methods that are answered with this error. */
  readonly refusals = new Map<string, string>();
  /** Told that somebody begins to scan. */
  onScan: () => void = () => undefined;
  readonly #tree = new ObjectTree();
  readonly #peripherals = new Map<string, Peripheral>();
  readonly #scanners = new Set<string>();
  /** Calls that are not answered while all is as it is. */
  readonly #unanswered = new Set<Unanswered>();
  #service: Service | undefined;

  static async start(address: string): Promise<SimulatedBluez> {
    const bluez = new SimulatedBluez();
    bluez.addController();
    await bluez.join(address);
    return bluez;
  }

  /** Comes to the bus; also after `leave`. */
  async join(address: string): Promise<void> {
    this.#service = await Service.start(address, BLUEZ, (call) => this.#answer(call));
    this.#tree.speaksThrough(this.#service);
  }

  /** The service ends; all connections are lost with it. */
  async leave(): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]();
    this.#service = undefined;
    this.#tree.speaksThrough(undefined);
    this.#refuse([...this.#unanswered], "bluetoothd has ended");
    this.#scanners.clear();
    for (const address of this.#peripherals.keys()) this.forget(address);
    this.#tree.change(CONTROLLER, ADAPTER, { Discovering: typed("b", false) });
  }

  addController(address = "00:11:22:33:44:55", powered = true): void {
    this.#tree.add(CONTROLLER, ADAPTER, {
      Address: typed("s", address),
      Powered: typed("b", powered),
      Discovering: typed("b", false),
    });
  }

  removeController(): void {
    for (const address of this.#peripherals.keys()) this.forget(address);
    this.#scanners.clear();
    this.#tree.remove(CONTROLLER);
  }

  setPowered(powered: boolean): void {
    if (!powered) this.#scanners.clear();
    const scanning = powered ? {} : { Discovering: typed("b", false) };
    this.#tree.change(CONTROLLER, ADAPTER, { Powered: typed("b", powered), ...scanning });
  }

  /** As when another program or the firmware ends the scan. */
  stopScanning(): void {
    this.#scanners.clear();
    this.#tree.change(CONTROLLER, ADAPTER, { Discovering: typed("b", false) });
  }

  get isScanning(): boolean {
    return this.#scanners.size > 0;
  }

  device(address: string, services: readonly PeripheralService[] = [], name?: string): Peripheral {
    const device: Peripheral = { address, services, temper: "good", ...(name === undefined ? {} : { name }) };
    this.#peripherals.set(address, device);
    return device;
  }

  /** Its behaviour may be changed at any time. */
  peripheral(address: string): Peripheral | undefined {
    return this.#peripherals.get(address);
  }

  isConnected(address: string): boolean {
    return this.#tree.get(pathOf(address), DEVICE, "Connected") === true;
  }

  /**
   * What a device says: its object appears with the first word, its properties change with each further one. Nothing
   * is heard while nobody scans.
   */
  speak(address: string, { rssi, txPower, manufacturer, services }: Spoken): void {
    if (this.#service === undefined || !this.isScanning) return;
    const path = pathOf(address);
    const known = this.#tree.get(path, DEVICE, "ManufacturerData");
    const kept = known instanceof Map ? known : new Map();
    const companies = Object.entries(manufacturer ?? {}).map(([id, data]) => [Number(id), typed("ay", data)] as const);
    const changed: Record<string, Typed> = {
      ...this.#nameOf(address),
      ...(rssi === undefined ? {} : { RSSI: typed("n", rssi) }),
      ...(txPower === undefined ? {} : { TxPower: typed("n", txPower) }),
      // BlueZ keeps what came under other identifiers.
      ...(companies.length === 0 ? {} : { ManufacturerData: typed("a{qv}", new Map([...kept, ...companies])) }),
      ...(services === undefined ? {} : { ServiceData: typed("a{sv}", mapValues(services)) }),
    };
    if (this.#tree.has(path)) this.#tree.change(path, DEVICE, changed);
    else this.#appear(address, changed);
  }

  /** A characteristic tells a value, if the device is connected. */
  notify(address: string, uuid: string, value: Uint8Array, service?: string): void {
    const device = this.#peripherals.get(address);
    const path = device === undefined ? undefined : characteristicPath(device, uuid, service);
    if (path !== undefined && this.#tree.has(path)) {
      this.#tree.change(path, CHARACTERISTIC, { Value: typed("ay", value) });
    }
  }

  /** The radio link is lost. */
  drop(address: string): void {
    const path = pathOf(address);
    this.#tree.change(path, DEVICE, { Connected: typed("b", false), ServicesResolved: typed("b", false) });
    this.#tree.removeBelow(path);
  }

  /** Returns when the bus has passed on all that was said before. */
  async flush(): Promise<void> {
    await this.#service?.flush();
  }

  /** BlueZ forgets a device that it has not heard for a while. */
  forget(address: string): void {
    this.#tree.removeBelow(pathOf(address));
    this.#tree.remove(pathOf(address));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #answer(call: Call): Promise<Answer> {
    const { path, interface: iface, member, body } = call;
    if (member === "GetManagedObjects") return { signature: "a{oa{sa{sv}}}", body: [this.#tree.objects] };
    keep(this.calls, `${member} ${path}`);
    const refusal = this.refusals.get(member);
    if (refusal !== undefined) throw new Refusal(refusal);
    if (iface === PROPERTIES) throw new Refusal("org.freedesktop.DBus.Error.UnknownMethod");
    if (!this.#tree.has(path)) throw new Refusal("org.freedesktop.DBus.Error.UnknownObject", `no ${path}`);
    if (iface === ADAPTER) return this.#callAdapter(call);
    if (iface === DEVICE) return await this.#callDevice(path, member);
    if (iface === CHARACTERISTIC) return await this.#callCharacteristic(path, member, body);
    throw new Refusal("org.freedesktop.DBus.Error.UnknownMethod");
  }

  #callAdapter({ sender, path, member }: Call): Answer {
    if (this.#tree.get(path, ADAPTER, "Powered") !== true) throw new Refusal("org.bluez.Error.NotReady");
    if (member === "StartDiscovery") {
      if (this.#scanners.has(sender)) throw new Refusal("org.bluez.Error.InProgress");
      this.#scanners.add(sender);
      for (const { address, temper } of this.#peripherals.values()) {
        if (temper === "breaks-off-late" && this.isConnected(address)) this.drop(address);
      }
      this.#tree.change(path, ADAPTER, { Discovering: typed("b", true) });
      this.onScan();
    } else if (member === "StopDiscovery") {
      if (!this.#scanners.delete(sender)) throw new Refusal("org.bluez.Error.Failed", "No discovery started");
      this.#tree.change(path, ADAPTER, { Discovering: typed("b", false) });
    }
    return NOTHING;
  }

  async #callDevice(path: string, member: string): Promise<Answer> {
    const device = this.#peripheralAt(path);
    if (member === "Disconnect") {
      const own = [...this.#unanswered].filter((one) => one.path === path);
      this.#refuse(own, "le-connection-abort-by-local");
      if (this.isConnected(device.address)) this.drop(device.address);
      return NOTHING;
    }
    if (device.temper === "absent") await this.#leaveUnanswered(path);
    this.#tree.change(path, DEVICE, { Connected: typed("b", true) });
    if (device.temper === "never-resolves") return NOTHING;
    if (device.temper === "breaks-off") {
      setImmediate(() => this.drop(device.address));
      return NOTHING;
    }
    // Some versions say that services are resolved before they show them.
    const resolve = (): void => this.#tree.change(path, DEVICE, { ServicesResolved: typed("b", true) });
    if (device.temper === "late-objects") resolve();
    showServices(this.#tree, device);
    if (device.temper !== "late-objects") resolve();
    return NOTHING;
  }

  async #callCharacteristic(path: string, member: string, body: readonly unknown[]): Promise<Answer> {
    const device = this.#peripheralAt(path.split("/").slice(0, 5).join("/"));
    if (device.temper === "mute") await this.#leaveUnanswered(path);
    const characteristic = characteristicAt(device, path);
    if (characteristic === undefined) throw new Refusal("org.freedesktop.DBus.Error.UnknownObject");
    const isAsked = member === "ReadValue" || member === "WriteValue";
    if (isAsked && characteristic.refuses !== undefined) throw new Refusal(characteristic.refuses);
    if (member === "ReadValue") return { signature: "ay", body: [characteristic.value] };
    if (member === "WriteValue") this.#write(path, characteristic, body);
    return NOTHING;
  }

  #write(path: string, characteristic: PeripheralCharacteristic, [bytes, options]: readonly unknown[]): void {
    characteristic.value = bytes instanceof Uint8Array ? new Uint8Array(bytes) : new Uint8Array();
    keep(this.written, [path, characteristic.value, typeOf(options)]);
    characteristic.onWrite?.();
  }

  #leaveUnanswered(path: string): Promise<never> {
    return new Promise((_, refuse) => this.#unanswered.add({ path, refuse }));
  }

  #refuse(calls: readonly Unanswered[], why: string): void {
    for (const call of calls) {
      this.#unanswered.delete(call);
      call.refuse(new Refusal("org.bluez.Error.Failed", why));
    }
  }

  #peripheralAt(path: string): Peripheral {
    const device = [...this.#peripherals.values()].find(({ address }) => pathOf(address) === path);
    if (device === undefined) throw new Refusal("org.freedesktop.DBus.Error.UnknownObject");
    return device;
  }

  #nameOf(address: string): Record<string, Typed> {
    const name = this.#peripherals.get(address)?.name;
    const known = this.#tree.get(pathOf(address), DEVICE, "Name");
    return name === undefined || name === known ? {} : { Name: typed("s", name) };
  }

  #appear(address: string, properties: Readonly<Record<string, Typed>>): void {
    this.#tree.add(pathOf(address), DEVICE, {
      Address: typed("s", address),
      AddressType: typed("s", "random"),
      Connected: typed("b", false),
      ServicesResolved: typed("b", false),
      ...properties,
    });
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > KEPT) list.shift();
}

function mapValues(services: Readonly<Record<string, Uint8Array>>): Record<string, Typed> {
  return Object.fromEntries(Object.entries(services).map(([uuid, data]) => [uuid, typed("ay", data)]));
}

function typeOf(options: unknown): string {
  if (typeof options !== "object" || options === null || !("type" in options)) return "";
  const { type } = options;
  return typeof type === "object" && type !== null && "value" in type ? String(type.value) : "";
}
