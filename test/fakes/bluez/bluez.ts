import { type Answer, type Call, Refusal, Service } from "./service.js";
import { type Typed, typed } from "./wire.js";

export interface FakeCharacteristic {
  readonly uuid: string;
  readonly flags?: readonly string[];
  value: Uint8Array;
  /** The name of an error with which reading and writing end. */
  refuses?: string;
}

export interface FakeGattService {
  readonly uuid: string;
  readonly characteristics: readonly FakeCharacteristic[];
}

/** How a device behaves when it is connected. */
export type Temper = "good" | "absent" | "never-resolves" | "late-objects" | "breaks-off" | "breaks-off-late" | "mute";

export interface FakeDevice {
  readonly address: string;
  name?: string;
  services: readonly FakeGattService[];
  temper: Temper;
}

export interface Spoken {
  readonly rssi?: number;
  readonly manufacturer?: Readonly<Record<number, Uint8Array>>;
  readonly services?: Readonly<Record<string, Uint8Array>>;
}

type Properties = Map<string, Typed>;
type Interfaces = Map<string, Properties>;

const ADAPTER = "org.bluez.Adapter1";
const DEVICE = "org.bluez.Device1";
const SERVICE = "org.bluez.GattService1";
const CHARACTERISTIC = "org.bluez.GattCharacteristic1";
const OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES = "org.freedesktop.DBus.Properties";
const NOTHING: Answer = { signature: "", body: [] };

/** What bluetoothd is on D-Bus, with devices that do as they are told. Signatures are those of BlueZ 5.66. */
export class FakeBluez implements AsyncDisposable {
  /** `MEMBER PATH` of every call but GetManagedObjects, in order. */
  readonly calls: string[] = [];
  readonly written: (readonly [path: string, bytes: Uint8Array, type: string])[] = [];
  /** Methods that are answered with this error. */
  readonly refusals = new Map<string, string>();
  readonly #objects = new Map<string, Interfaces>();
  readonly #devices = new Map<string, FakeDevice>();
  readonly #scanners = new Set<string>();
  readonly #pending = new Map<string, (error: Refusal) => void>();
  #service: Service | undefined;

  static async start(address: string): Promise<FakeBluez> {
    const bluez = new FakeBluez();
    bluez.addController();
    await bluez.join(address);
    return bluez;
  }

  /** Comes to the bus; also after `leave`. */
  async join(address: string): Promise<void> {
    this.#service = await Service.start(address, "org.bluez", (call) => this.#answer(call));
  }

  /** The service ends; all connections are lost with it. */
  async leave(): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]();
    this.#service = undefined;
    this.#scanners.clear();
    for (const { address } of this.#devices.values()) this.#forget(address);
    this.#set("/org/bluez/hci0", ADAPTER, "Discovering", typed("b", false));
  }

  addController(address = "00:11:22:33:44:55", powered = true): void {
    this.#add("/org/bluez/hci0", ADAPTER, {
      Address: typed("s", address),
      Powered: typed("b", powered),
      Discovering: typed("b", false),
    });
  }

  removeController(): void {
    for (const { address } of this.#devices.values()) this.#forget(address);
    this.#remove("/org/bluez/hci0");
  }

  setPowered(powered: boolean): void {
    this.#change("/org/bluez/hci0", ADAPTER, { Powered: typed("b", powered) });
  }

  /** As when another program or the firmware ends the scan. */
  stopScanning(): void {
    this.#scanners.clear();
    this.#change("/org/bluez/hci0", ADAPTER, { Discovering: typed("b", false) });
  }

  get isScanning(): boolean {
    return this.#scanners.size > 0;
  }

  device(address: string, services: readonly FakeGattService[] = [], name?: string): FakeDevice {
    const device: FakeDevice = { address, services, temper: "good", ...(name === undefined ? {} : { name }) };
    this.#devices.set(address, device);
    return device;
  }

  isConnected(address: string): boolean {
    return this.#get(pathOf(address), DEVICE, "Connected") === true;
  }

  /** What a device says: its object appears with the first word, its properties change with each further one. */
  speak(address: string, { rssi, manufacturer, services }: Spoken): void {
    const path = pathOf(address);
    const known = this.#get(path, DEVICE, "ManufacturerData");
    const kept = known instanceof Map ? known : new Map();
    const companies = Object.entries(manufacturer ?? {}).map(([id, data]) => [Number(id), typed("ay", data)] as const);
    const changed: Record<string, Typed> = {
      ...(rssi === undefined ? {} : { RSSI: typed("n", rssi) }),
      // BlueZ keeps what came under other identifiers.
      ...(companies.length === 0 ? {} : { ManufacturerData: typed("a{qv}", new Map([...kept, ...companies])) }),
      ...(services === undefined ? {} : { ServiceData: typed("a{sv}", mapValues(services)) }),
    };
    if (this.#objects.has(path)) this.#change(path, DEVICE, changed);
    else this.#appear(address, changed);
  }

  notify(address: string, uuid: string, value: Uint8Array): void {
    const found = this.#findCharacteristic(address, uuid);
    if (found !== undefined) this.#change(found, CHARACTERISTIC, { Value: typed("ay", value) });
  }

  /** The radio link is lost. */
  drop(address: string): void {
    this.#change(pathOf(address), DEVICE, { Connected: typed("b", false), ServicesResolved: typed("b", false) });
    this.#hideServices(address);
  }

  /** Returns when the bus has passed on all that was said before. */
  async flush(): Promise<void> {
    await this.#service?.flush();
  }

  /** BlueZ forgets a device that it has not heard for a while. */
  forget(address: string): void {
    this.#forget(address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #answer(call: Call): Promise<Answer> {
    const { path, interface: iface, member, body } = call;
    if (member === "GetManagedObjects") return { signature: "a{oa{sa{sv}}}", body: [this.#objects] };
    this.calls.push(`${member} ${path}`);
    const refusal = this.refusals.get(member);
    if (refusal !== undefined) throw new Refusal(refusal);
    if (iface === PROPERTIES) throw new Refusal("org.freedesktop.DBus.Error.UnknownMethod");
    const interfaces = this.#objects.get(path);
    if (interfaces === undefined) throw new Refusal("org.freedesktop.DBus.Error.UnknownObject", `no ${path}`);
    if (iface === ADAPTER) return this.#callAdapter(call);
    if (iface === DEVICE) return await this.#callDevice(path, member);
    if (iface === CHARACTERISTIC) return await this.#callCharacteristic(path, member, body);
    throw new Refusal("org.freedesktop.DBus.Error.UnknownMethod");
  }

  #callAdapter({ sender, path, member }: Call): Answer {
    if (this.#get(path, ADAPTER, "Powered") !== true) throw new Refusal("org.bluez.Error.NotReady");
    if (member === "StartDiscovery") {
      if (this.#scanners.has(sender)) throw new Refusal("org.bluez.Error.InProgress");
      this.#scanners.add(sender);
      for (const { address, temper } of this.#devices.values()) {
        if (temper === "breaks-off-late" && this.isConnected(address)) this.drop(address);
      }
      this.#change(path, ADAPTER, { Discovering: typed("b", true) });
    } else if (member === "StopDiscovery") {
      if (!this.#scanners.delete(sender)) throw new Refusal("org.bluez.Error.Failed", "No discovery started");
      this.#change(path, ADAPTER, { Discovering: typed("b", false) });
    }
    return NOTHING;
  }

  async #callDevice(path: string, member: string): Promise<Answer> {
    const device = this.#deviceAt(path);
    if (member === "Disconnect") {
      this.#pending.get(path)?.(new Refusal("org.bluez.Error.Failed", "le-connection-abort-by-local"));
      if (this.isConnected(device.address)) this.drop(device.address);
      return NOTHING;
    }
    if (device.temper === "absent") {
      await new Promise<never>((_, reject) => this.#pending.set(path, reject));
    }
    this.#change(path, DEVICE, { Connected: typed("b", true) });
    if (device.temper === "never-resolves") return NOTHING;
    if (device.temper === "breaks-off") {
      setImmediate(() => this.drop(device.address));
      return NOTHING;
    }
    // Some versions say that services are resolved before they show them.
    const resolve = (): void => this.#change(path, DEVICE, { ServicesResolved: typed("b", true) });
    if (device.temper === "late-objects") resolve();
    this.#showServices(device);
    if (device.temper !== "late-objects") resolve();
    return NOTHING;
  }

  async #callCharacteristic(path: string, member: string, body: readonly unknown[]): Promise<Answer> {
    const device = this.#deviceAt(path.split("/").slice(0, 5).join("/"));
    if (device.temper === "mute") await new Promise<never>(() => undefined);
    const characteristic = this.#characteristicAt(device, path);
    const isAsked = member === "ReadValue" || member === "WriteValue";
    if (isAsked && characteristic.refuses !== undefined) throw new Refusal(characteristic.refuses);
    if (member === "ReadValue") return { signature: "ay", body: [characteristic.value] };
    if (member !== "WriteValue") return NOTHING;
    const [bytes, options] = body;
    characteristic.value = bytes instanceof Uint8Array ? new Uint8Array(bytes) : new Uint8Array();
    this.written.push([path, characteristic.value, typeOf(options)]);
    return NOTHING;
  }

  #deviceAt(path: string): FakeDevice {
    const device = [...this.#devices.values()].find(({ address }) => pathOf(address) === path);
    if (device === undefined) throw new Refusal("org.freedesktop.DBus.Error.UnknownObject");
    return device;
  }

  #characteristicAt(device: FakeDevice, path: string): FakeCharacteristic {
    const [service = -1, characteristic = -1] = path
      .split("/")
      .slice(5)
      .map((part) => Number(part.slice(-4)));
    const found = device.services[service]?.characteristics[characteristic];
    if (found === undefined) throw new Refusal("org.freedesktop.DBus.Error.UnknownObject");
    return found;
  }

  #findCharacteristic(address: string, uuid: string): string | undefined {
    const prefix = `${pathOf(address)}/`;
    return [...this.#objects.keys()].find(
      (path) => path.startsWith(prefix) && this.#get(path, CHARACTERISTIC, "UUID") === uuid,
    );
  }

  #appear(address: string, properties: Record<string, Typed>): void {
    const name = this.#devices.get(address)?.name;
    this.#add(pathOf(address), DEVICE, {
      Address: typed("s", address),
      AddressType: typed("s", "random"),
      ...(name === undefined ? {} : { Name: typed("s", name) }),
      Connected: typed("b", false),
      ServicesResolved: typed("b", false),
      ...properties,
    });
  }

  #showServices({ address, services }: FakeDevice): void {
    for (const [index, { uuid, characteristics }] of services.entries()) {
      const path = `${pathOf(address)}/service${digits(index)}`;
      this.#add(path, SERVICE, { UUID: typed("s", uuid), Primary: typed("b", true) });
      for (const [at, { uuid: own, flags = ["read", "write", "notify"] }] of characteristics.entries()) {
        this.#add(`${path}/char${digits(at)}`, CHARACTERISTIC, { UUID: typed("s", own), Flags: typed("as", flags) });
      }
    }
  }

  #hideServices(address: string): void {
    for (const path of [...this.#objects.keys()]) if (path.startsWith(`${pathOf(address)}/`)) this.#remove(path);
  }

  #forget(address: string): void {
    this.#hideServices(address);
    this.#remove(pathOf(address));
  }

  #add(path: string, iface: string, properties: Record<string, Typed>): void {
    const interfaces: Interfaces = new Map([[iface, new Map(Object.entries(properties))]]);
    this.#objects.set(path, interfaces);
    this.#service?.emit("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces]);
  }

  #remove(path: string): void {
    const interfaces = this.#objects.get(path);
    if (interfaces === undefined) return;
    this.#objects.delete(path);
    this.#service?.emit("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", [path, [...interfaces.keys()]]);
  }

  #get(path: string, iface: string, property: string): unknown {
    return this.#objects.get(path)?.get(iface)?.get(property)?.value;
  }

  #set(path: string, iface: string, property: string, value: Typed): void {
    this.#objects.get(path)?.get(iface)?.set(property, value);
  }

  #change(path: string, iface: string, changed: Record<string, Typed>): void {
    for (const [property, value] of Object.entries(changed)) this.#set(path, iface, property, value);
    this.#service?.emit(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [iface, changed, []]);
  }
}

function pathOf(address: string): string {
  return `/org/bluez/hci0/dev_${address.replaceAll(":", "_")}`;
}

function digits(index: number): string {
  return String(index).padStart(4, "0");
}

function mapValues(services: Readonly<Record<string, Uint8Array>>): Record<string, Typed> {
  return Object.fromEntries(Object.entries(services).map(([uuid, data]) => [uuid, typed("ay", data)]));
}

function typeOf(options: unknown): string {
  if (typeof options !== "object" || options === null || !("type" in options)) return "";
  const { type } = options;
  return typeof type === "object" && type !== null && "value" in type ? String(type.value) : "";
}
