import type { Reading } from "../field/reading.js";
import type { Expression } from "./expression/expression.js";
import type { Profile } from "./profile.js";
import { reckon } from "./reckoning.js";

type Condition = readonly [point: string, when: Expression];

export interface Absence {
  readonly quality: "never-read" | "unsupported";
  readonly reason: string;
}

/** Which points a device has, of those that only some devices of the type have. */
export class Presence {
  readonly #conditions: ReadonlyMap<string, Expression>;
  /** By point; not in it while that is unknown. */
  readonly #verdicts = new Map<string, boolean>();

  constructor({ points, derived }: Profile) {
    const conditions = new Map<string, Expression>();
    for (const [name, { when }] of [...points, ...derived]) if (when !== undefined) conditions.set(name, when);
    this.#conditions = conditions;
    // Those on parameters only are numbers by now, which nothing that is read will change.
    this.#judgeAll(
      [...conditions].filter(([, { names }]) => names.length === 0),
      new Map(),
    );
  }

  get inputs(): readonly string[] {
    return [...this.#conditions.values()].flatMap(({ names }) => names);
  }

  has(name: string): boolean {
    return !this.#conditions.has(name) || this.#verdicts.get(name) === true;
  }

  /** Readings of points that every device has, and of those that only some have. */
  split(readings: readonly Reading[]): readonly [certain: readonly Reading[], conditional: readonly Reading[]] {
    if (this.#conditions.size === 0) return [readings, []];
    const isConditional = ({ point }: Reading): boolean => this.#conditions.has(point);
    return [readings.filter((reading) => !isConditional(reading)), readings.filter(isConditional)];
  }

  /** Points that are not there, or not known to be. */
  get absent(): ReadonlySet<string> {
    return new Set([...this.#conditions.keys()].filter((name) => this.#verdicts.get(name) !== true));
  }

  /** Why a point is not there. */
  absence(name: string): Absence {
    const { text = "", names = [] } = this.#conditions.get(name) ?? {};
    if (!this.#verdicts.has(name)) {
      return { quality: "never-read", reason: `not known to be there until '${text}' is` };
    }
    const why = names.length === 0 ? "by the device's parameters" : `since '${text}' does not hold`;
    return { quality: "unsupported", reason: `not there, ${why}` };
  }

  /** Judges anew what depends on points that were read; gives those about which there is another verdict. */
  judge(changed: ReadonlySet<string>, known: ReadonlyMap<string, Reading>): readonly Reading[] {
    const isAffected = ([, { names }]: Condition): boolean => names.some((input) => changed.has(input));
    return this.#judgeAll([...this.#conditions].filter(isAffected), known);
  }

  #judgeAll(conditions: readonly Condition[], known: ReadonlyMap<string, Reading>): readonly Reading[] {
    const verdicts: Reading[] = [];
    for (const [name, condition] of conditions) {
      const verdict = reckon(name, condition, known);
      if ("reason" in verdict) continue;
      const holds = verdict.value === true || verdict.value === 1;
      if (this.#verdicts.get(name) === holds) continue;
      this.#verdicts.set(name, holds);
      verdicts.push(verdict);
    }
    return verdicts;
  }
}
