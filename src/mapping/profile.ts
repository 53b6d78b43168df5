import type { DeviceTraits, Point } from "../field/adapter.js";
import type { ObjectModel } from "../lwm2m/model/model.js";
import type { Value } from "../lwm2m/value.js";
import type { CounterRule } from "./counter.js";
import type { Expression } from "./expression/expression.js";
import type { Report } from "./report.js";
import type { Transform } from "./transform.js";

/** A type of device: its points and the resources they feed. */
export interface Profile {
  readonly name: string;
  readonly title: string;
  readonly adapter: string;
  readonly file: string;
  readonly traits: DeviceTraits;
  /** What identifies a device of this type; empty when the file names nothing. */
  readonly probe: readonly ProfileProbe[];
  /** What the device has. */
  readonly points: ReadonlyMap<string, ProfilePoint>;
  /** What is reckoned from points; each one comes after those that it needs. */
  readonly derived: ReadonlyMap<string, DerivedPoint>;
  readonly objects: readonly ProfileObject[];
  /** Plausible values of points, inclusive, for `causeway test`. */
  readonly verify: ReadonlyMap<string, readonly [min: number, max: number]>;
  readonly caveats: readonly string[];
  /** What to use in its place; absent unless it is out of use. */
  readonly deprecated?: string;
}

/** A place that only a device of the type answers in this way; values are raw. */
export interface ProfileProbe {
  readonly point: Point<unknown>;
  readonly expected:
    | { readonly equals: string | number | boolean }
    | { readonly within: readonly [min: number, max: number] };
}

/** What becomes of a value, wherever it is from. */
export interface Datum {
  readonly transform: Transform;
  readonly unit?: string;
  readonly kind: "gauge" | "counter";
  /** Of a counter that rolls over, or whose total goes on when the device begins anew. */
  readonly counter?: CounterRule;
  readonly report?: Report;
  /** The point exists only on devices for which this holds. */
  readonly when?: Expression;
}

export interface ProfilePoint extends Datum {
  readonly point: Point<unknown>;
  readonly scaleFrom?: ScaleFrom;
  readonly unitFrom?: UnitFrom;
}

/** A factor that the device itself tells: 10 to the power of the point's value, or what the map says. */
export interface ScaleFrom {
  readonly point: string;
  /** By the point's value as text. */
  readonly map?: ReadonlyMap<string, number>;
}

/** A unit that the device itself tells, by the point's value as text; all can be converted to the unit of the datum. */
export interface UnitFrom {
  readonly point: string;
  readonly map: ReadonlyMap<string, string>;
}

export interface DerivedPoint extends Datum {
  readonly name: string;
  readonly expression: Expression;
}

export interface ProfileObject {
  readonly model: ObjectModel;
  /** Counts the profile's objects of the same id, from 0. */
  readonly ordinal: number;
  readonly resources: ReadonlyMap<number, ResourceSource>;
}

export type ResourceSource =
  | { readonly kind: "point"; readonly point: string }
  | { readonly kind: "literal"; readonly value: Value };

/** A point of the device or a derived one. */
export function datumOf({ points, derived }: Profile, name: string): Datum | undefined {
  return points.get(name) ?? derived.get(name);
}

/** The points that a datum cannot do without. */
export function inputsOf(datum: ProfilePoint | DerivedPoint): readonly string[] {
  if ("expression" in datum) return datum.expression.names;
  return [datum.scaleFrom?.point, datum.unitFrom?.point].filter((name) => name !== undefined);
}
