import type { Quality, Reading, Scalar } from "../field/reading.js";
import type { Absence } from "./presence.js";
import { datumOf, type Profile } from "./profile.js";
import { isFault, toScaled } from "./transform.js";

/** What is known of a point: its value in its unit, or why there is none. */
export interface PointStatus {
  readonly name: string;
  readonly quality: Quality;
  /** Wall clock, milliseconds since 1970; absent before anything was read. */
  readonly atMs?: number;
  /** After scaling; absent after a fault. */
  readonly value?: Scalar;
  readonly unit?: string;
  readonly reason?: string;
}

interface Known {
  /** The last ones. */
  readonly readings: ReadonlyMap<string, Reading>;
  /** Whether the readings of a point have its final value, not the raw one. */
  isFinal(point: string): boolean;
  /** Why a point is not there; undefined for one that is. */
  absence(point: string): Absence | undefined;
}

const NOTHING_YET: Absence = { quality: "never-read", reason: "nothing has come yet" };

/** Of each point that can be read, in the order of the profile. */
export function pointStatuses(profile: Profile, { readings, isFinal, absence }: Known): readonly PointStatus[] {
  const readable = [...profile.points.values()]
    .filter(({ point }) => point.access !== "w")
    .map(({ point }) => point.name);
  return [...readable, ...profile.derived.keys()].map((name): PointStatus => {
    const unit = datumOf(profile, name)?.unit;
    const reading = readings.get(name);
    const status =
      reading === undefined ? unread(name, absence(name)) : statusOf(profile, name, reading, isFinal(name));
    return unit === undefined ? status : { ...status, unit };
  });
}

function unread(name: string, absence: Absence = NOTHING_YET): PointStatus {
  return { name, ...absence };
}

function statusOf(profile: Profile, name: string, reading: Reading, isFinal: boolean): PointStatus {
  const { quality, atMs } = reading;
  if ("reason" in reading) return { name, quality, atMs, reason: reading.reason };
  const transform = datumOf(profile, name)?.transform;
  const value = isFinal || transform === undefined ? reading.value : toScaled(reading.value, transform);
  return isFault(value) ? { name, ...value, atMs } : { name, quality, atMs, value };
}
