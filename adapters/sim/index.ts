import {
  type Adapter,
  CausewayError,
  defineAdapter,
  type Link,
  type LinkContext,
  object,
  type Point,
  type Reading,
  type Scalar,
  type Station,
  schema,
} from "causeway/adapter";
import { WAVES, type Wave, waveValue } from "./wave.js";

type LinkOptions = Record<never, never>;
type Address = Record<never, never>;

/** `min` 0, `max` 100 and `period` 1m unless given. */
interface SimulatedPoint {
  readonly wave: Wave["wave"];
  readonly min?: number;
  readonly max?: number;
  readonly period?: number;
}

const DEFAULT_PERIOD_MS = 60_000;

class SimulatedLink implements Link<Address, SimulatedPoint> {
  readonly closed: Promise<Error>;
  readonly #context: LinkContext;
  readonly #written = new Map<string, Scalar>();
  #close: (reason: Error) => void = () => undefined;

  constructor(context: LinkContext) {
    this.#context = context;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  async read(station: Station<Address>, points: readonly Point<SimulatedPoint>[]): Promise<readonly Reading[]> {
    const atMs = this.#context.clock.nowMs();
    return points.map(({ name, address: { wave, min = 0, max = 100, period = DEFAULT_PERIOD_MS } }) => {
      const key = `${station.name}.${name}`;
      const value = this.#written.get(key) ?? waveValue({ wave, min, max, periodMs: period }, key, atMs);
      return { point: name, atMs, quality: "good", value };
    });
  }

  async write(station: Station<Address>, point: Point<SimulatedPoint>, value: Scalar): Promise<void> {
    this.#written.set(`${station.name}.${point.name}`, value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new CausewayError("LINK_CLOSED", "the simulation was closed"));
  }
}

/** Values without hardware, to try mappings out: waves, and what was written stays. */
const sim: Adapter<LinkOptions, Address, SimulatedPoint> = {
  name: "sim",
  link: object({}),
  station: object({}),
  point: object(
    { wave: schema.oneOf(...WAVES) },
    { min: schema.number(), max: schema.number(), period: schema.durationMs },
  ),
  medium: () => "simulation",
  kind: () => "number",
  plan: (_options, station, points) =>
    points.length === 0 ? [] : [{ points, summary: `${points.length} points of ${station.name}`, wireMs: 0 }],
  open: async (_options, context, signal) => {
    signal.throwIfAborted();
    return new SimulatedLink(context);
  },
  pointProblem: ({ min = 0, max = 100, period }) =>
    min > max ? "'min' is greater than 'max'" : period === 0 ? "'period' must be longer than 0" : undefined,
};

export default defineAdapter(sim);
