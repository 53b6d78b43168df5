import type { Random } from "./random.js";
import type { Truth } from "./truth.js";

export interface SoakDevice {
  readonly name: string;
  readonly link: string;
  readonly profile: string;
  readonly address: Readonly<Record<string, unknown>>;
  readonly poll?: Readonly<Record<string, string>>;
}

/** Something that goes wrong for a while. */
export interface Trouble {
  readonly what: string;
  /** Everything is well again. */
  end(): Promise<void> | void;
}

/** The simulated devices of one adapter, which speak its real protocol. */
export interface SoakField extends AsyncDisposable {
  readonly links: Readonly<Record<string, unknown>>;
  readonly devices: readonly SoakDevice[];
  /** Of each device's points at the server. */
  readonly instances: readonly (readonly number[])[];
  /** Set in the gateway's process, to find what is simulated. */
  readonly environment?: Readonly<Record<string, string>>;
  /** All points take their next values. */
  change(): void;
  trouble(): Promise<Trouble> | Trouble;
}

export interface SoakContext {
  readonly truth: Truth;
  readonly random: Random;
}

/** Instance ids of each device's points, claimed in the order of the devices. */
export function claimPoints(
  truth: Truth,
  devices: readonly SoakDevice[],
  perDevice: number,
): readonly (readonly number[])[] {
  return devices.map(() => truth.claim(perDevice));
}
