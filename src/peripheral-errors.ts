import type { LinkState } from "./field/bus.js";
import type { HealthState } from "./field/health.js";
import type { Device } from "./lwm2m/objects/device.js";

/** Peripheral Malfunction of Error Code /3/0/11 (OMA LwM2M Core 1.2 Appendix E.4). */
const PERIPHERAL_MALFUNCTION = 8;

/** Tells servers which devices cannot be reached, because they are silent or because their link is away. */
export class PeripheralErrors {
  /** Object 3 of a device itself; undefined where it is a part of the gateway. */
  readonly #deviceOf: (name: string) => Device | undefined;
  readonly #gateway: Device;
  readonly #silent = new Set<string>();
  readonly #unlinked = new Set<string>();
  /** Parts of the gateway that cannot be reached. */
  readonly #missing = new Set<string>();

  constructor(deviceOf: (name: string) => Device | undefined, gateway: Device) {
    this.#deviceOf = deviceOf;
    this.#gateway = gateway;
  }

  health(name: string, health: HealthState): void {
    this.#note(name, this.#silent, health === "offline" ? "add" : "delete");
  }

  link(name: string, state: LinkState): void {
    this.#note(name, this.#unlinked, state === "down" ? "add" : "delete");
  }

  #note(name: string, reasons: Set<string>, change: "add" | "delete"): void {
    const before = this.#isAway(name);
    reasons[change](name);
    const isAway = this.#isAway(name);
    if (isAway === before) return;
    const device = this.#deviceOf(name);
    if (device !== undefined) device.setErrors(isAway ? [PERIPHERAL_MALFUNCTION] : []);
    else this.#noteMissing(name, change);
  }

  #noteMissing(name: string, change: "add" | "delete"): void {
    const before = this.#missing.size;
    this.#missing[change](name);
    const { size } = this.#missing;
    if (Math.min(before, 1) !== Math.min(size, 1)) this.#gateway.setErrors(size > 0 ? [PERIPHERAL_MALFUNCTION] : []);
  }

  #isAway(name: string): boolean {
    return this.#silent.has(name) || this.#unlinked.has(name);
  }
}
