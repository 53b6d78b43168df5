import { toHex } from "causeway/adapter";
import type { Advertisement } from "./advertisement.js";
import { bytesEntry, type Dictionary, dictionary, entry, numberEntry, stringEntry } from "./dbus-value.js";

/** What is known of one device of BlueZ; turns changes of its properties into what was heard. */
export class DeviceView {
  #name: string | undefined;
  #companies: ReadonlyMap<number, string> = new Map();
  #newestCompany: number | undefined;

  /** Monotonic time of its last word; absent before the first. */
  heardAtMs: number | undefined;

  /** Properties that are known without having been heard now. */
  seed(properties: Dictionary): void {
    this.#take(properties);
  }

  /** Undefined when the change is none that an advertisement causes. */
  hear(changed: Dictionary): Advertisement | undefined {
    const manufacturer = this.#take(changed);
    const services = servicesOf(changed);
    const rssi = numberEntry(changed, "RSSI");
    if (manufacturer === undefined && services === undefined && rssi === undefined) return undefined;
    const txPower = numberEntry(changed, "TxPower");
    return {
      ...(this.#name === undefined ? {} : { name: this.#name }),
      ...(rssi === undefined ? {} : { rssi }),
      ...(txPower === undefined ? {} : { txPower }),
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(this.#newestCompany === undefined ? {} : { newestCompany: this.#newestCompany }),
      ...(services === undefined ? {} : { services }),
    };
  }

  #take(changed: Dictionary): ReadonlyMap<number, Uint8Array> | undefined {
    this.#name = stringEntry(changed, "Name") ?? this.#name;
    if (!("ManufacturerData" in changed)) return undefined;
    const data = dictionary(entry(changed, "ManufacturerData"));
    const manufacturer = new Map<number, Uint8Array>();
    for (const company of Object.keys(data)) {
      const bytes = bytesEntry(data, company);
      if (bytes !== undefined) manufacturer.set(Number(company), bytes);
    }
    this.#compare(manufacturer);
    return manufacturer;
  }

  /** BlueZ keeps what came under other identifiers: the new one is the one that differs from before. */
  #compare(manufacturer: ReadonlyMap<number, Uint8Array>): void {
    const companies = new Map([...manufacturer].map(([company, bytes]) => [company, toHex(bytes)]));
    const changed = [...companies].filter(([company, hex]) => this.#companies.get(company) !== hex);
    if (changed.length === 1) this.#newestCompany = changed[0]?.[0];
    else if (changed.length > 1) this.#newestCompany = undefined;
    this.#companies = companies;
  }
}

function servicesOf(changed: Dictionary): ReadonlyMap<string, Uint8Array> | undefined {
  if (!("ServiceData" in changed)) return undefined;
  const data = dictionary(entry(changed, "ServiceData"));
  const services = new Map<string, Uint8Array>();
  for (const uuid of Object.keys(data)) {
    const bytes = bytesEntry(data, uuid);
    if (bytes !== undefined) services.set(uuid, bytes);
  }
  return services;
}
