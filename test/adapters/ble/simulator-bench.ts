import { bleAdapter } from "../../../adapters/ble/index.js";
import type { BlePoint, BleStation } from "../../../adapters/ble/options.js";
import { BleSimulator } from "../../../adapters/ble/simulator/simulate.js";
import { silentLog } from "../../../src/base/log.js";
import { Scope } from "../../../src/base/scope.js";
import type { Point, Station } from "../../../src/field/adapter.js";
import type { Reading, Scalar } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { point, station } from "./points.js";
import type { BleLink } from "./rig.js";

export const AIR = "air";

export interface BenchDevice {
  readonly points: Readonly<Record<string, BlePoint>>;
  readonly key?: string;
  /** One of its own unless given. */
  readonly address?: string;
  /** Of all its points; read only unless given. */
  readonly access?: "rw";
}

interface Made {
  readonly station: Station<BleStation>;
  readonly points: readonly Point<BlePoint>[];
}

/** Simulated devices, and the adapter's real link that watches them; time goes by hand. */
export class SimulatorBench implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly simulator: BleSimulator;
  /** Everything heard, in order. */
  readonly told: (Reading & { readonly device: string })[] = [];
  readonly #devices: ReadonlyMap<string, Made>;
  readonly #link: BleLink;
  readonly #scope: Scope;

  private constructor(
    clock: FakeClock,
    simulator: BleSimulator,
    devices: ReadonlyMap<string, Made>,
    link: BleLink,
    scope: Scope,
  ) {
    this.clock = clock;
    this.simulator = simulator;
    this.#devices = devices;
    this.#link = link;
    this.#scope = scope;
  }

  static async open(devices: Readonly<Record<string, BenchDevice>>): Promise<SimulatorBench> {
    const scope = new Scope((error) => {
      throw error;
    });
    const made = new Map(Object.entries(devices).map(([name, device], index) => [name, make(name, device, index)]));
    const clock = new FakeClock();
    const secret = (text: string): Promise<string> => Promise.resolve(text);
    const context = { name: "ble", clock, log: silentLog, secret };
    const simulator = scope.use(await BleSimulator.open({}, [...made.values()], context));
    const link = scope.use(await bleAdapter().open(simulator.link, context, new AbortController().signal));
    const bench = new SimulatorBench(clock, simulator, made, link, scope);
    for (const [device, own] of made) await bench.#watch(device, own);
    return bench;
  }

  /** Good values of a point, in order, of whichever device has it. */
  heard(name: string): readonly (Scalar | undefined)[] {
    return this.told.flatMap((one) => (one.point === name && one.quality === "good" ? [one.value] : []));
  }

  async read(...names: readonly string[]): Promise<readonly (Scalar | undefined)[]> {
    const { station: device, points } = this.#device();
    const asked = names.flatMap((name) => points.filter((one) => one.name === name));
    const readings = await this.#link.read(device, asked, new AbortController().signal);
    return readings.map(({ value }) => value);
  }

  async write(name: string, value: Scalar): Promise<void> {
    const { station: device, points } = this.#device();
    for (const one of points) {
      if (one.name === name) await this.#link.write(device, one, value, new AbortController().signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  #device(): Made {
    const made = this.#devices.get(AIR);
    if (made === undefined) throw new Error(`there is no ${AIR}`);
    return made;
  }

  async #watch(device: string, { station: own, points }: Made): Promise<void> {
    const sink = {
      readings: (readings: readonly Reading[]) => {
        for (const one of readings) this.told.push({ ...one, device });
      },
      gone: () => undefined,
    };
    const ending = new AbortController();
    this.#scope.defer(() => ending.abort(new Error("the bench is closed")));
    await this.#link.watch?.(own, points, sink, ending.signal);
  }
}

function make(name: string, { points, key, access, address = "" }: BenchDevice, index: number): Made {
  return {
    station: station(address || `A4:C1:38:00:00:0${index}`, key, name),
    points: Object.entries(points).map(([own, what]) => point(own, what, access)),
  };
}
