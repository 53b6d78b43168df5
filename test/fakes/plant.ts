import { type Clock, sleep } from "../../src/base/clock.js";
import { CausewayError } from "../../src/base/errors.js";
import { object } from "../../src/base/object-schema.js";
import { oneOf } from "../../src/base/schema.js";
import { type AnyAdapter, defineAdapter, type Link, type Point, type Station } from "../../src/field/adapter.js";
import type { Reading, Scalar } from "../../src/field/reading.js";

interface Source {
  /** `counter`: each read gives the next whole number, so that no reading equals another; `kept`: what was set. */
  readonly from: "counter" | "kept";
}

/** One value that a station gave to the gateway. */
export interface Served {
  readonly station: string;
  readonly point: string;
  readonly value: Scalar;
  readonly atMs: number;
}

/**
 * What is wrong with a station: its values rest, it does not answer, its answers are damaged, it says what cannot be a value, it refuses
 * writes, or it acknowledges them and does nothing.
 */
export type Trouble = "resting" | "silent" | "damaged" | "nonsense" | "refuses-writes" | "ignores-writes";

type NoOptions = Record<never, never>;

const ANSWER_MS = 10;
const TIMEOUT_MS = 300;

/** A field without wires in the test's hands; all stations share one medium. */
export class Plant {
  readonly adapter: AnyAdapter;
  readonly served: Served[] = [];
  readonly written: Omit<Served, "atMs">[] = [];
  readonly clock: Clock;
  readonly #values = new Map<string, Scalar>();
  readonly #troubles = new Map<string, Trouble>();
  #isCut = false;
  #close: (reason: Error) => void = () => undefined;

  constructor(clock: Clock) {
    this.clock = clock;
    this.adapter = defineAdapter<NoOptions, NoOptions, Source>({
      name: "plant",
      link: object({}),
      station: object({}),
      point: object({ from: oneOf("counter", "kept") }),
      medium: () => "plant",
      kind: () => "number",
      plan: (_options, _station, points) =>
        points.length === 0 ? [] : [{ points, summary: "all", wireMs: ANSWER_MS }],
      open: async () => this.#open(),
    });
  }

  set(station: string, point: string, value: Scalar): void {
    this.#values.set(`${station}.${point}`, value);
  }

  get(station: string, point: string): Scalar {
    return this.#values.get(`${station}.${point}`) ?? 0;
  }

  trouble(station: string, trouble: Trouble | "none"): void {
    if (trouble === "none") this.#troubles.delete(station);
    else this.#troubles.set(station, trouble);
  }

  /** The medium is cut, or mended. */
  cable(state: "cut" | "whole"): void {
    this.#isCut = state === "cut";
    if (this.#isCut) this.#close(new CausewayError("LINK_CLOSED", "the cable was cut"));
  }

  #open(): Link<NoOptions, Source> {
    if (this.#isCut) throw new CausewayError("LINK_NOT_FOUND", "the cable is cut");
    const closed = new Promise<Error>((resolve) => {
      this.#close = resolve;
    });
    return {
      closed,
      read: (station, points, signal) => this.#read(station, points, signal),
      write: (station, point, value, signal) => this.#write(station, point, value, signal),
      [Symbol.asyncDispose]: async () => this.#close(new CausewayError("LINK_CLOSED", "the plant was left")),
    };
  }

  async #read(
    { name }: Station<NoOptions>,
    points: readonly Point<Source>[],
    signal: AbortSignal,
  ): Promise<readonly Reading[]> {
    const trouble = this.#troubles.get(name);
    await sleep(this.clock, trouble === "silent" ? TIMEOUT_MS : ANSWER_MS, signal);
    const atMs = this.clock.nowMs();
    return points.map(({ name: point, address }) => {
      if (trouble === "silent") return { point, atMs, quality: "timeout", reason: "no answer" };
      if (trouble === "damaged") return { point, atMs, quality: "crc", reason: "the checksum is wrong" };
      if (trouble === "nonsense") return { point, atMs, quality: "good", value: Number.NaN };
      const value =
        address.from === "counter" && trouble !== "resting" ? Number(this.get(name, point)) + 1 : this.get(name, point);
      this.set(name, point, value);
      this.served.push({ station: name, point, value, atMs });
      return { point, atMs, quality: "good", value };
    });
  }

  async #write(
    { name }: Station<NoOptions>,
    { name: point }: Point<Source>,
    value: Scalar,
    signal: AbortSignal,
  ): Promise<void> {
    const trouble = this.#troubles.get(name);
    await sleep(this.clock, trouble === "silent" ? TIMEOUT_MS : ANSWER_MS, signal);
    if (trouble === "silent") throw new CausewayError("FIELD_TIMEOUT", `${name} does not answer`);
    if (trouble === "refuses-writes") throw new CausewayError("FIELD_EXCEPTION", `${name} refuses`);
    this.written.push({ station: name, point, value });
    if (trouble !== "ignores-writes") this.set(name, point, value);
  }
}
