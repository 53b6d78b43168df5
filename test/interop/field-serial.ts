import serial from "../../adapters/serial/index.js";
import { SerialSimulator } from "../../adapters/serial/simulator.js";
import { Scope } from "../../src/base/scope.js";
import type { Profile } from "../../src/mapping/profile.js";
import type { FieldDevice, FieldPart } from "./field-part.js";
import { SimulatedPart } from "./field-simulated.js";
import type { Programs } from "./modbus-programs.js";

/** This one is reached through a serial port, the others through serial servers. */
const ON_PORT = "nmea-0183-gps";
const SETTINGS = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;

/** A device of each shipped profile for serial lines, on a line of its own. */
export class SerialPart implements FieldPart {
  readonly links: Record<string, object> = {};
  readonly devices: FieldDevice[] = [];
  readonly #simulators = new Map<string, SerialSimulator>();
  readonly #scope = new Scope((error) => {
    throw error;
  });

  static async open(programs: Programs, profiles: readonly Profile[]): Promise<SerialPart> {
    const part = new SerialPart();
    for (const profile of profiles) {
      const { name } = profile;
      const ends = name === ON_PORT ? await programs.ptyPair("serial") : undefined;
      const options = ends === undefined ? {} : { port: ends.far, ...SETTINGS };
      const place = { address: {}, station: new Map() };
      const own = part.#scope.use(await SimulatedPart.open(serial, options, [profile], () => place, name));
      const near = ends === undefined ? {} : { port: ends.near };
      part.links[name] = { ...own.links[name], ...near };
      part.devices.push(...own.devices);
      if (own.field instanceof SerialSimulator) part.#simulators.set(name, own.field);
    }
    return part;
  }

  simulator(profile: string): SerialSimulator {
    const simulator = this.#simulators.get(profile);
    if (simulator === undefined) throw new Error(`no ${profile}`);
    return simulator;
  }

  /** The serial server of the device is switched off; resolves with what switches it on again. */
  async switchOff(profile: string): Promise<() => Promise<unknown>> {
    const simulator = this.simulator(profile);
    const { port } = simulator.link;
    await simulator[Symbol.asyncDispose]();
    return async () => await simulator.listen(Number(port));
  }

  /** What lies on the scale, in g. */
  weigh(weight: number): void {
    this.simulator("mt-sics-scale").set("mt-sics-scale", "weight", weight);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }
}
