import type { Expectation, Point, ProfileCandidate, Reading } from "causeway/adapter";
import type { ModbusLink } from "./link.js";
import type { ModbusPoint } from "./options.js";

/** A profile that may be the one of a station, with how sure that is. */
export interface Fit {
  readonly profile: string;
  /** 0 to 1. */
  readonly score: number;
  readonly why: string;
}

/** What a profile says of one station. */
interface Evidence {
  readonly holds: number;
  readonly asked: number;
  /** Values that were not zero: zeros are plausible everywhere. */
  readonly telling: number;
}

/** So many values are read to compare; more would tell little more. */
const MAX_VALUES = 8;
const MIN_TELLING = 3;
const PLAUSIBLE_SHARE = 0.75;
const MAX_FITS = 3;

/** The profiles that fit a station, best first. Rejects with LINK_* or the signal. */
export async function fittingProfiles(
  link: ModbusLink,
  unit: number,
  profiles: readonly ProfileCandidate<ModbusPoint>[],
  signal: AbortSignal,
): Promise<readonly Fit[]> {
  const fits: Fit[] = [];
  for (const profile of profiles) {
    const read = async (point: Point<ModbusPoint>): Promise<Reading | undefined> => {
      const [reading] = await link.read(
        { name: profile.name, address: { unit }, traits: profile.traits },
        [point],
        signal,
      );
      return reading;
    };
    const fit = await fitOf(profile, read);
    if (fit !== undefined) fits.push(fit);
  }
  return fits.sort((a, b) => b.score - a.score).slice(0, MAX_FITS);
}

async function fitOf(
  { name, probe, plausible }: ProfileCandidate<ModbusPoint>,
  read: (point: Point<ModbusPoint>) => Promise<Reading | undefined>,
): Promise<Fit | undefined> {
  if (probe.length > 0) {
    const evidence = await weigh(probe, read, 0);
    if (evidence.holds < probe.length) return undefined;
    return { profile: name, score: 1, why: "identified" };
  }
  const some = plausible.slice(0, MAX_VALUES);
  const evidence = await weigh(some, read, Math.floor(some.length * (1 - PLAUSIBLE_SHARE)));
  const share = evidence.holds / Math.max(some.length, 1);
  if (evidence.telling < MIN_TELLING || share < PLAUSIBLE_SHARE) return undefined;
  // Being plausible never weighs as much as having been identified, and many values weigh more than few.
  const score = share * (0.5 + (0.4 * evidence.telling) / MAX_VALUES);
  return { profile: name, score, why: `${evidence.holds} of ${some.length} values plausible` };
}

/** Gives up when more than so many do not hold. */
async function weigh(
  expectations: readonly Expectation<ModbusPoint>[],
  read: (point: Point<ModbusPoint>) => Promise<Reading | undefined>,
  mayFail: number,
): Promise<Evidence> {
  let [holds, asked, telling] = [0, 0, 0];
  for (const { point, holds: isExpected } of expectations) {
    const reading = await read(point);
    asked++;
    const value = reading !== undefined && !("reason" in reading) ? reading.value : undefined;
    if (value !== undefined && isExpected(value)) {
      holds++;
      if (Number(value) !== 0) telling++;
    }
    if (asked - holds > mayFail) break;
  }
  return { holds, asked, telling };
}
