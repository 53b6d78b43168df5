import { serial } from "../../../adapters/serial/index.js";
import { pointSchema, protocolSchema, type SerialPoint } from "../../../adapters/serial/options.js";
import { SerialSimulator } from "../../../adapters/serial/simulator.js";
import { silentLog } from "../../../src/base/log.js";
import { object } from "../../../src/base/object-schema.js";
import { Problems, record } from "../../../src/base/schema.js";
import { Scope } from "../../../src/base/scope.js";
import { formatProblem, parseSource } from "../../../src/base/source.js";
import type { Link, Point, SimulatedStation } from "../../../src/field/adapter.js";
import type { Reading, Scalar } from "../../../src/field/reading.js";
import type { Variables } from "../../../src/field/template.js";
import { FakeClock, settle } from "../../fakes/clock.js";

export type SerialStation = SimulatedStation<Variables, SerialPoint>;

const device = object({ protocol: protocolSchema, points: record(pointSchema) });
const forever = new AbortController().signal;

/** A station of which a text says `protocol` and `points`, as a profile does; throws when it has a mistake. */
export function stationOf(text: string, address: Readonly<Record<string, string>> = {}, name = "a"): SerialStation {
  const problems = new Problems();
  const { root, problems: syntax } = parseSource(text, "device.yaml");
  const read = root === undefined ? undefined : device.read(root, "", problems);
  const all = [...syntax, ...problems.list].map(formatProblem);
  if (read === undefined || all.length > 0) throw new Error(all.join("\n"));
  const points = [...read.points].map(([point, own]): Point<SerialPoint> => {
    const access = own.write === undefined ? "r" : own.at === undefined ? "w" : "rw";
    const problem = serial.pointProblem?.(own, { protocol: read.protocol }, access);
    if (problem !== undefined) throw new Error(`${point}: ${problem}`);
    return { name: point, access, pollClass: "normal", address: own };
  });
  const problem = serial.traitsProblem?.({ protocol: read.protocol });
  if (problem !== undefined) throw new Error(problem);
  return { station: { name, address: new Map(Object.entries(address)), traits: { protocol: read.protocol } }, points };
}

/** Simulated stations, and the adapter's own link to them over a TCP socket; time by hand. */
export class SimulatorRig implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly simulator: SerialSimulator;
  readonly #stations: readonly SerialStation[];
  readonly #scope = new Scope((error) => {
    throw error;
  });
  #link: Link<Variables, SerialPoint> | undefined;

  constructor(...stations: readonly SerialStation[]) {
    this.#stations = stations;
    this.simulator = this.#scope.use(new SerialSimulator(stations, this.clock));
  }

  async open(): Promise<this> {
    await this.simulator.listen(0);
    const secret = (text: string): Promise<string> => Promise.resolve(text);
    const context = { name: "line", clock: this.clock, log: silentLog, secret };
    this.#link = this.#scope.use(await serial.open(this.simulator.link, context, forever));
    return this;
  }

  /** What a station's points say, polled or heard, `quality: reason` where they say nothing good. */
  async read(name = "a"): Promise<Readonly<Record<string, Scalar>>> {
    const { station, points } = this.#station(name);
    const readable = points.filter(({ access }) => access !== "w");
    const exchanges = serial.plan(this.simulator.link, station, readable);
    const asked = new Set(exchanges.flatMap(({ points: own }) => own));
    const heard = new Map<string, Reading>();
    const listening = new AbortController();
    const sink = {
      readings: (readings: readonly Reading[]) => readings.map((reading) => heard.set(reading.point, reading)),
      gone: () => undefined,
    };
    await this.link.watch?.(station, readable, sink, listening.signal);
    const wanted = readable.filter((point) => !asked.has(point));
    const polled: Reading[] = [];
    // As a bus does, one after the other.
    const poll = async (): Promise<void> => {
      for (const { points: own } of exchanges) polled.push(...(await this.link.read(station, own, forever)));
    };
    await this.#passing(poll(), () => wanted.every(({ name: one }) => heard.has(one)));
    listening.abort();
    return Object.fromEntries([...polled, ...heard.values()].map((reading) => [reading.point, shown(reading)]));
  }

  /** Returns when the station has acknowledged it, where it does. */
  async write(point: string, value: Scalar, name = "a"): Promise<void> {
    const { station, points } = this.#station(name);
    const target = points.find((one) => one.name === point);
    if (target === undefined) throw new Error(`no ${point}`);
    await this.#passing(this.link.write(station, target, value, forever));
  }

  /** Looks again at each turn of the event loop. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await settle();
  }

  /** What the line carried last, as text. */
  get lastHeard(): string {
    const hex = this.link.trace?.().findLast(({ direction }) => direction === "in")?.hex ?? "";
    return Buffer.from(hex, "hex").toString("latin1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }

  private get link(): Link<Variables, SerialPoint> {
    if (this.#link === undefined) throw new Error("not open");
    return this.#link;
  }

  /** Time passes until there is a result and the condition holds. */
  async #passing<T>(result: Promise<T>, condition: () => boolean = () => true): Promise<T> {
    let isSettled = false;
    const settled = result.finally(() => {
      isSettled = true;
    });
    // Who awaits it below hears of its failure.
    settled.catch(() => undefined);
    while (!isSettled || !condition()) {
      await settle();
      await this.clock.advance(1);
    }
    return await settled;
  }

  #station(name: string): SerialStation {
    const station = this.#stations.find((one) => one.station.name === name);
    if (station === undefined) throw new Error(`no station ${name}`);
    return station;
  }
}

function shown(reading: Reading): Scalar {
  return "reason" in reading ? `${reading.quality}: ${reading.reason}` : reading.value;
}
