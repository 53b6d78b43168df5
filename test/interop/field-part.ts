import { fileURLToPath } from "node:url";
import ble from "../../adapters/ble/index.js";
import modbus from "../../adapters/modbus/index.js";
import mqtt from "../../adapters/mqtt/index.js";
import serial from "../../adapters/serial/index.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { Value } from "../../src/lwm2m/value.js";
import type { Profile } from "../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../src/mapping/profiles.js";

export const MAPPINGS = fileURLToPath(new URL("leshan/mappings", import.meta.url));

const ADAPTERS = new Map([ble, modbus, mqtt, serial].map((adapter) => [adapter.name, adapter]));

/** A device of the field, and what servers shall see of it. */
export interface FieldDevice {
  readonly name: string;
  readonly link: string;
  readonly profile: string;
  readonly address?: Readonly<Record<string, string | number>>;
  /** By path. */
  readonly shown: Readonly<Record<string, Value>>;
  /** Of each point that can be written, one at least. */
  readonly writes: readonly FieldWrite[];
}

export interface FieldWrite {
  readonly path: string;
  readonly value: Value;
  /** What the device holds after it, in its own words. */
  readonly raw: unknown;
  /** What it holds now. */
  held(): unknown;
}

/** Devices with the links that lead to them. */
export interface FieldPart extends AsyncDisposable {
  readonly links: Readonly<Record<string, object>>;
  readonly devices: readonly FieldDevice[];
}

/** The shipped profiles, and those of the interop tests. */
export class FieldProfiles {
  readonly #shelf: ProfileShelf;

  private constructor(shelf: ProfileShelf) {
    this.#shelf = shelf;
  }

  static async open(): Promise<FieldProfiles> {
    return new FieldProfiles(await ProfileShelf.open([shippedMappings(), MAPPINGS], ADAPTERS, await loadModels()));
  }

  async read(name: string): Promise<Profile> {
    const profile = (await this.#shelf.read(name))?.profile;
    if (profile === undefined) throw new Error(`no profile ${name}`);
    return profile;
  }

  /** The shipped ones of an adapter. */
  async of(adapter: string): Promise<readonly Profile[]> {
    const names = this.#shelf.names.filter((name) => this.#shelf.adapterOf(name) === adapter);
    const shipped = names.filter((name) => this.#shelf.fileOf(name)?.startsWith(shippedMappings()) === true);
    return await Promise.all(shipped.map((name) => this.read(name)));
  }
}

/** The resource that a point feeds, as if the device were alone. */
export function pathOf({ name, objects }: Profile, point: string): string {
  for (const { model, ordinal, resources } of objects) {
    for (const [id, source] of resources) {
      if (source.kind === "point" && source.point === point) return `/${model.id}/${ordinal}/${id}`;
    }
  }
  throw new Error(`${name}: no resource for ${point}`);
}
