import type { AnyAdapter } from "../field/adapter.js";
import { loadAdapter } from "../field/load-adapter.js";

export type LoadAdapter = (name: string) => Promise<AnyAdapter>;

/** Those that come with Causeway. */
const SHIPPED = ["ble", "modbus", "mqtt", "serial", "sim"] as const;

/** Adapters by name. The shipped ones are known, but their code is loaded only when somebody asks for it. */
export class AdapterShelf {
  readonly #load: LoadAdapter;
  readonly #loaded = new Map<string, AnyAdapter>();

  constructor(load: LoadAdapter = loadAdapter) {
    this.#load = load;
  }

  get loaded(): ReadonlyMap<string, AnyAdapter> {
    return this.#loaded;
  }

  /** One that was loaded. */
  get(name: string): AnyAdapter | undefined {
    return this.#loaded.get(name);
  }

  /** The names that may be used. */
  keys(): Iterable<string> {
    return new Set([...SHIPPED, ...this.#loaded.keys()]);
  }

  /** What cannot be loaded is left out. */
  async load(names: Iterable<string>): Promise<void> {
    for (const name of new Set(names)) {
      if (this.#loaded.has(name)) continue;
      const adapter = await this.#load(name).catch(() => undefined);
      if (adapter !== undefined) this.#loaded.set(name, adapter);
    }
  }

  async loadShipped(): Promise<void> {
    await this.load(SHIPPED);
  }
}
