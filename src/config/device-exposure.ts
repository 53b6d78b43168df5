import { createHash } from "node:crypto";
import type { Problems, WithSource } from "../base/schema.js";
import type { DeviceExposure, ExposureMode } from "./config.js";
import type { DeviceSection } from "./gateway-schema.js";
import { placeOf } from "./place.js";

/** What the section `gateway` says for all devices. */
export interface GatewayExposure {
  readonly endpoint: string;
  readonly mode: ExposureMode;
  /** Ids of the objects that it has by its own configuration. */
  readonly objects: readonly number[];
}

const PREFIX_DIGITS = 6;

/** Says how each device is shown; an id or a prefix that another one has already is reported at the later one. */
export class DeviceExposures {
  readonly #gateway: GatewayExposure;
  readonly #problems: Problems;
  readonly #ids: Map<string, string>;
  readonly #prefixes = new Map<string, string>();

  constructor(gateway: GatewayExposure, problems: Problems) {
    this.#gateway = gateway;
    this.#problems = problems;
    this.#ids = new Map([[gateway.endpoint, "the gateway"]]);
  }

  read(section: WithSource<DeviceSection>, path: string): DeviceExposure {
    const { name, expose: mode = this.#gateway.mode, id = `${this.#gateway.endpoint}:${name}` } = section.value;
    const prefix = section.value.prefix ?? defaultPrefix(id);
    this.#claim(this.#ids, id, path, section, "id");
    if (mode === "gateway") this.#claim(this.#prefixes, prefix, path, section, "prefix");
    return { mode, id, prefix };
  }

  #claim(
    taken: Map<string, string>,
    value: string,
    path: string,
    section: WithSource<DeviceSection>,
    key: "id" | "prefix",
  ): void {
    const owner = taken.get(value);
    if (owner === undefined) {
      taken.set(value, path);
      return;
    }
    const isOwn = section.value[key] !== undefined;
    const what = isOwn
      ? `'${value}' is that of ${owner} already`
      : `the default '${value}' is that of ${owner} already`;
    this.#problems.add(placeOf(section, key), `${path}.${key}`, what, `give each device its own ${key}`);
  }
}

/** Of the device's id alone, so that it stays the same whatever else is configured or lost. */
function defaultPrefix(id: string): string {
  return `d${createHash("sha256").update(id).digest("hex").slice(0, PREFIX_DIGITS)}`;
}
