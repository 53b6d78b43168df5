import type { DeviceTraits, Point } from "../field/adapter.js";
import type { ObjectModel } from "../lwm2m/model/model.js";
import type { Value } from "../lwm2m/value.js";
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
  readonly points: ReadonlyMap<string, ProfilePoint>;
  readonly objects: readonly ProfileObject[];
  /** Plausible values of points, inclusive, for `causeway test`. */
  readonly verify: ReadonlyMap<string, readonly [min: number, max: number]>;
  readonly caveats: readonly string[];
}

/** A place that only a device of the type answers in this way; values are raw. */
export interface ProfileProbe {
  readonly point: Point<unknown>;
  readonly expected:
    | { readonly equals: string | number | boolean }
    | { readonly within: readonly [min: number, max: number] };
}

export interface ProfilePoint {
  readonly point: Point<unknown>;
  readonly transform: Transform;
  readonly unit?: string;
  readonly kind: "gauge" | "counter";
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
