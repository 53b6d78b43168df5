import { childPath, near, type Problems } from "../base/schema.js";
import type { Position } from "../base/source.js";
import type { AnyAdapter, PollClass } from "../field/adapter.js";
import { type DerivedPoint, inputsOf, type ProfilePoint } from "./profile.js";
import { conversion, KNOWN_UNITS } from "./unit.js";

interface Points {
  readonly points: ReadonlyMap<string, ProfilePoint>;
  readonly derived: ReadonlyMap<string, DerivedPoint>;
}

/** Where a point says what, for complaints. */
export interface SectionPlaces {
  /** Of the point, or of the formula of a derived one. */
  readonly at: Position;
  readonly when?: Position | undefined;
  readonly scaleFrom?: Position | undefined;
  readonly unitFrom?: Position | undefined;
  readonly pollClass?: "given" | "default";
}

interface Context {
  /** All points of the file, also those with mistakes, which were reported already. */
  readonly declared: ReadonlyMap<string, unknown>;
  readonly places: ReadonlyMap<string, SectionPlaces>;
  readonly adapter: AnyAdapter;
  readonly problems: Problems;
}

/** What points say of each other; gives them with derived ones in the order of need, and factors in a fitting class. */
export function checkReferences({ points, derived }: Points, context: Context): Points {
  const check = new ReferenceCheck({ points, derived }, context);
  for (const [name, point] of points) check.point(name, point);
  for (const [name, point] of derived) check.derived(name, point);
  return { points: withFactorClasses(points, context.places), derived: inOrder(derived, context) };
}

class ReferenceCheck {
  readonly #points: Points;
  readonly #context: Context;

  constructor(points: Points, context: Context) {
    this.#points = points;
    this.#context = context;
  }

  point(name: string, { scaleFrom, unitFrom, unit = "", when }: ProfilePoint): void {
    const place = this.#context.places.get(name);
    const path = childPath("points", name);
    if (scaleFrom !== undefined) this.#factor(scaleFrom.point, place?.scaleFrom, `${path}.scaleFrom`);
    if (unitFrom !== undefined) {
      this.#factor(unitFrom.point, place?.unitFrom, `${path}.unitFrom`);
      for (const [key, word] of unitFrom.map) this.#unit(word, unit, place?.unitFrom, `${path}.unitFrom.map.${key}`);
    }
    if (when !== undefined) this.#when(when.names, place?.when, `${path}.when`);
  }

  derived(name: string, { expression, when }: DerivedPoint): void {
    const place = this.#context.places.get(name);
    const path = childPath("points", name);
    for (const input of expression.names) {
      const access = this.#points.points.get(input)?.point.access;
      if (!this.#isKnown(input, place?.at, `${path}.expr`)) continue;
      if (access === "w") this.#complain(place?.at, `${path}.expr`, `point '${input}' is write only`, "access: rw");
    }
    if (when !== undefined) this.#when(when.names, place?.when, `${path}.when`);
  }

  #factor(name: string, at: Position | undefined, path: string): void {
    if (!this.#isKnown(name, at, path)) return;
    const factor = this.#points.points.get(name);
    if (this.#points.derived.has(name))
      this.#complain(at, path, `'${name}' is derived; a factor is a point of the device`);
    if (factor === undefined) return;
    if (factor.point.access === "w") this.#complain(at, path, `point '${name}' is write only`, "access: rw");
    if (inputsOf(factor).length > 0) this.#complain(at, path, `'${name}' has a factor itself`);
  }

  #unit(word: string, unit: string, at: Position | undefined, path: string): void {
    if (conversion(word, unit) !== undefined) return;
    const hint = KNOWN_UNITS.includes(word) ? `${unit} measures something else` : near(word, KNOWN_UNITS);
    this.#complain(at, path, `'${word}' cannot be converted to ${unit}`, hint);
  }

  #when(names: readonly string[], at: Position | undefined, path: string): void {
    for (const name of names) {
      if (!this.#isKnown(name, at, path)) continue;
      const source = this.#points.points.get(name);
      if (source === undefined) {
        if (this.#points.derived.has(name))
          this.#complain(at, path, `'${name}' is derived; conditions are on points of the device`);
        continue;
      }
      if (source.when !== undefined) this.#complain(at, path, `'${name}' has a condition itself`);
      if (source.point.pollClass !== "once" || source.point.access === "w") {
        this.#complain(at, path, `'${name}' is not read once after each connect`, `say every: once at '${name}'`);
      }
    }
  }

  #isKnown(name: string, at: Position | undefined, path: string): boolean {
    const { declared } = this.#context;
    if (declared.has(name)) return true;
    const names = [...declared.keys()];
    this.#complain(at, path, `no point '${name}'`, near(name, names) ?? `points: ${names.join(", ")}`);
    return false;
  }

  #complain(at: Position | undefined, path: string, what: string, hint?: string): void {
    if (at !== undefined) this.#context.problems.add(at, path, what, hint);
  }
}

const BY_URGENCY: readonly PollClass[] = ["fast", "normal", "slow", "once"];

/** A factor is read together with what it scales, in the most urgent class of these, unless the file says otherwise. */
function withFactorClasses(
  points: ReadonlyMap<string, ProfilePoint>,
  places: ReadonlyMap<string, SectionPlaces>,
): ReadonlyMap<string, ProfilePoint> {
  const classes = new Map<string, PollClass>();
  for (const user of points.values()) {
    for (const factor of inputsOf(user)) {
      const before = classes.get(factor) ?? "once";
      const own = user.point.pollClass;
      classes.set(factor, BY_URGENCY.indexOf(own) < BY_URGENCY.indexOf(before) ? own : before);
    }
  }
  return new Map(
    [...points].map(([name, source]) => {
      const pollClass = places.get(name)?.pollClass === "default" ? classes.get(name) : undefined;
      return [name, pollClass === undefined ? source : { ...source, point: { ...source.point, pollClass } }];
    }),
  );
}

/** Each after those that it needs; those of a circle are reported and left out. */
function inOrder(
  derived: ReadonlyMap<string, DerivedPoint>,
  { places, problems }: Context,
): ReadonlyMap<string, DerivedPoint> {
  const ordered = new Map<string, DerivedPoint>();
  const inCircles = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const point = derived.get(name);
    if (point === undefined || ordered.has(name) || inCircles.has(name)) return;
    const start = trail.indexOf(name);
    if (start >= 0) {
      const circle = trail.slice(start);
      for (const member of circle) inCircles.add(member);
      const at = places.get(name)?.at;
      const what = `needs itself: ${[...circle, name].join(" → ")}`;
      if (at !== undefined) problems.add(at, `${childPath("points", name)}.expr`, what);
      return;
    }
    for (const input of point.expression.names) visit(input, [...trail, name]);
    if (!inCircles.has(name)) ordered.set(name, point);
  };
  for (const name of derived.keys()) visit(name, []);
  return ordered;
}
