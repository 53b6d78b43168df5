import { CausewayError } from "../base/errors.js";
import type { Reading, Scalar } from "../field/reading.js";
import { type CounterState, nextCount } from "./counter.js";
import { transformWith } from "./factor.js";
import { type Absence, Presence } from "./presence.js";
import { type DerivedPoint, inputsOf, type Profile, type ProfilePoint } from "./profile.js";
import { reckon } from "./reckoning.js";
import { isFault, type Transform, toScaled, type ValueFault } from "./transform.js";

export interface DerivationOptions {
  readonly profile: Profile;
  /** Hears of the points that the device does not have, or of which that is not known yet. */
  readonly onAbsent: (points: ReadonlySet<string>) => void;
  /** Where counters go on from. */
  readonly counters?: ReadonlyMap<string, CounterState>;
  /** Hears of each reading of a counter that is carried on. */
  readonly onCounted?: (point: string, state: CounterState) => void;
  readonly onCounter: (point: string, event: "rollover" | "reset", from: number, to: number) => void;
}

/** Whether a profile has anything that depends on more than the raw value of one point. */
export function derives({ points, derived }: Profile): boolean {
  const isPlain = (point: ProfilePoint): boolean => !needsMore(point) && point.when === undefined;
  return derived.size > 0 || ![...points.values()].every(isPlain);
}

/** A point whose value depends on others or on its own past. */
interface Plan {
  readonly point: ProfilePoint;
  readonly factors: readonly string[];
  /** The transform for the factors as they were last. */
  transform: Transform | undefined;
  for: readonly (Scalar | undefined)[];
}

/**
 * What lies between the readings of one device and its resources where a value depends on more than its own raw one:
 * factors that the device tells, derived points, counters, points that not every device has.
 */
export class Derivation {
  readonly #options: DerivationOptions;
  readonly #presence: Presence;
  readonly #plans: ReadonlyMap<string, Plan>;
  /** Points that others need. */
  readonly #inputs: ReadonlySet<string>;
  /** The last reading of each input, scaled. */
  readonly #known = new Map<string, Reading>();
  /** Raw readings for which the factor has not come yet. */
  readonly #waiting = new Map<string, Reading>();
  readonly #counters: Map<string, CounterState>;
  /** What was told last of each point. */
  readonly #told = new Map<string, Reading>();

  constructor(options: DerivationOptions) {
    this.#options = options;
    this.#counters = new Map(options.counters);
    const { points, derived } = options.profile;
    this.#presence = new Presence(options.profile);
    const all = [...points.values(), ...derived.values()];
    this.#inputs = new Set([...all.flatMap(inputsOf), ...this.#presence.inputs]);
    const planned = [...points].filter(([, point]) => needsMore(point));
    this.#plans = new Map(
      planned.map(([name, point]) => [name, { point, factors: inputsOf(point), transform: undefined, for: [] }]),
    );
  }

  get absent(): ReadonlySet<string> {
    return this.#presence.absent;
  }

  /** Why a point is not there; undefined for one that is. */
  absence(name: string): Absence | undefined {
    return this.#presence.has(name) ? undefined : this.#presence.absence(name);
  }

  get last(): ReadonlyMap<string, Reading> {
    return this.#told;
  }

  /** Whether readings of the point come out with their final value. */
  finishes(name: string): boolean {
    return this.#plans.has(name) || this.#options.profile.derived.has(name);
  }

  /** The readings of points that are there, with what follows from them; those that `finishes` names are final. */
  accept(readings: readonly Reading[]): readonly Reading[] {
    const told = this.#derived(readings);
    for (const reading of told) this.#told.set(reading.point, reading);
    return told;
  }

  /** How the point is scaled now. Throws FIELD_BUSY while its factor is unknown, FIELD_NOT_WRITABLE where it is absent. */
  transformOf(point: ProfilePoint): Transform {
    const { name } = point.point;
    if (!this.#presence.has(name)) {
      throw new CausewayError("FIELD_NOT_WRITABLE", `${name} is ${this.#presence.absence(name).reason}`);
    }
    const plan = this.#plans.get(name);
    if (plan === undefined) return point.transform;
    const transform = this.#transform(plan);
    if ("quality" in transform) throw new CausewayError("FIELD_BUSY", `${name}: ${transform.reason}`);
    return transform;
  }

  /** First what every device has, since it may tell whether the rest is there at all. */
  #derived(readings: readonly Reading[]): readonly Reading[] {
    const changed = new Set<string>();
    const [certain, conditional] = this.#presence.split(readings);
    const finished = this.#finishAll(certain, changed);
    const told = changed.size === 0 ? [] : this.#judge(changed);
    told.push(...finished);
    const present = conditional.filter(({ point }) => this.#presence.has(point));
    if (present.length > 0) told.push(...this.#finishAll(present, changed));
    if (changed.size === 0) return told;
    for (const point of this.#options.profile.derived.values()) this.#derive(point, changed, told);
    return told;
  }

  #finishAll(readings: readonly Reading[], changed: Set<string>): Reading[] {
    for (const reading of readings) if (!this.#plans.has(reading.point)) this.#learn(reading, changed);
    const finished = readings.map((reading) => this.#finish(reading, changed));
    for (const [name, reading] of [...this.#waiting]) {
      const hasNewFactor = this.#plans.get(name)?.factors.some((factor) => changed.has(factor)) === true;
      if (hasNewFactor && this.#presence.has(name) && !readings.includes(reading))
        finished.push(this.#finish(reading, changed));
    }
    return finished;
  }

  #learn(reading: Reading, changed: Set<string>): void {
    const { point: name } = reading;
    const point = this.#inputs.has(name) ? this.#options.profile.points.get(name) : undefined;
    if (point === undefined) return;
    this.#known.set(name, reading.quality === "manual" ? reading : scaled(reading, point.transform));
    changed.add(name);
  }

  /** The final reading of a point with a plan; that of any other as it is. */
  #finish(reading: Reading, changed: Set<string>): Reading {
    const plan = this.#plans.get(reading.point);
    if (plan === undefined) return reading;
    const finished = this.#finished(plan, reading);
    if (this.#inputs.has(reading.point)) {
      this.#known.set(reading.point, finished);
      changed.add(reading.point);
    }
    return finished;
  }

  #finished(plan: Plan, reading: Reading): Reading {
    const { point, atMs } = reading;
    this.#waiting.delete(point);
    if ("reason" in reading || reading.quality === "manual") return reading;
    const transform = this.#transform(plan);
    if (!("quality" in transform)) return this.#counted(plan.point, reading, transform);
    this.#waiting.set(point, reading);
    return { ...transform, point, atMs, value: reading.value };
  }

  #transform(plan: Plan): Transform | ValueFault {
    for (const factor of plan.factors) {
      const known = this.#known.get(factor);
      if (known !== undefined && !("reason" in known)) continue;
      const why = known === undefined ? "is not known yet" : `has no value: ${known.reason}`;
      return { quality: "invalid", reason: `its factor '${factor}' ${why}` };
    }
    const isSame = plan.factors.every((factor, index) => this.#known.get(factor)?.value === plan.for[index]);
    if (isSame && plan.transform !== undefined) return plan.transform;
    const transform = transformWith(plan.point, (factor) => this.#known.get(factor)?.value ?? Number.NaN);
    if ("quality" in transform) return transform;
    plan.for = plan.factors.map((factor) => this.#known.get(factor)?.value);
    plan.transform = transform;
    return transform;
  }

  /** The scaled reading, of a counter its total. One that lies beyond `valid` is not counted: the next goes on from before. */
  #counted(
    { point, counter }: ProfilePoint,
    reading: Reading & { readonly value: Scalar },
    transform: Transform,
  ): Reading {
    const raw = typeof reading.value === "bigint" ? Number(reading.value) : reading.value;
    const isCount = counter !== undefined && typeof raw === "number" && Number.isFinite(raw);
    if (!isCount || transform.invalid.includes(raw)) return scaled(reading, transform);
    const before = this.#counters.get(point.name);
    const { state, event } = nextCount(before, raw, counter);
    const total = scaled({ ...reading, value: state.raw + state.carried }, transform);
    if ("reason" in total) return total;
    this.#counters.set(point.name, state);
    this.#options.onCounted?.(point.name, state);
    if (event === "rollover" || event === "reset") this.#options.onCounter(point.name, event, before?.raw ?? 0, raw);
    return total;
  }

  #derive({ name, expression, transform }: DerivedPoint, changed: Set<string>, told: Reading[]): void {
    if (!this.#presence.has(name)) return;
    if (!changed.has(name) && !expression.names.some((input) => changed.has(input))) return;
    const reading = scaled(reckon(name, expression, this.#known), transform);
    this.#known.set(name, reading);
    changed.add(name);
    told.push(reading);
  }

  /** Conditions are on points that are read once after each connect: there is seldom anything to judge. */
  #judge(changed: Set<string>): Reading[] {
    const verdicts = this.#presence.judge(changed, this.#known);
    const told: Reading[] = [];
    for (const { point, atMs } of verdicts) {
      if (this.#presence.has(point)) {
        // What it is reckoned from may have come before.
        if (this.#options.profile.derived.has(point)) changed.add(point);
        continue;
      }
      const reading: Reading = { point, atMs, ...this.#presence.absence(point) };
      this.#known.set(point, reading);
      changed.add(point);
      told.push(reading);
    }
    if (verdicts.length > 0) this.#options.onAbsent(this.#presence.absent);
    return told;
  }
}

function needsMore(point: ProfilePoint): boolean {
  return inputsOf(point).length > 0 || point.counter !== undefined;
}

function scaled(reading: Reading, transform: Transform): Reading {
  if ("reason" in reading) return reading;
  const value = toScaled(reading.value, transform);
  if (!isFault(value)) return { ...reading, value };
  return { ...value, point: reading.point, atMs: reading.atMs, value: reading.value };
}
