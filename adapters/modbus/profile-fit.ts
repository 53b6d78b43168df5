import type { Expectation, Point, ProfileCandidate, Reading, Scalar } from "causeway/adapter";
import { isPlausible } from "./interpretations.js";
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

/** `tells`: a value that is hardly there by chance. */
interface Clue extends Expectation<ModbusPoint> {
  tells(value: Scalar): boolean;
}

type ReadPoint = (point: Point<ModbusPoint>) => Promise<Reading | undefined>;

async function fitOf(candidate: ProfileCandidate<ModbusPoint>, read: ReadPoint): Promise<Fit | undefined> {
  const { name, probe } = candidate;
  if (probe.length > 0) {
    const evidence = await weigh(probe.map(asClue), read, 0);
    if (evidence.holds < probe.length) return undefined;
    return { profile: name, score: 1, why: "identified" };
  }
  const usual = candidate.plausible.slice(0, MAX_VALUES).map(asClue);
  const known = await weigh(usual, read, Math.floor(usual.length * (1 - PLAUSIBLE_SHARE)));
  if (known.holds < Math.max(1, PLAUSIBLE_SHARE * usual.length)) return undefined;
  const further = known.telling < MIN_TELLING ? furtherOf(candidate).slice(0, MAX_VALUES - usual.length) : [];
  const evidence = sum(known, await weigh(further, read, further.length));
  if (!isConvincing(evidence)) return undefined;
  const { holds, asked, telling } = evidence;
  // Being plausible never weighs as much as having been identified, and many values weigh more than few.
  const score = (holds / asked) * (0.5 + (0.4 * telling) / MAX_VALUES);
  return { profile: name, score, why: `${holds} of ${asked} values plausible` };
}

/** Of whole numbers few tell anything: then everything else that the profile has must be there. */
function isConvincing({ holds, asked, telling }: Evidence): boolean {
  if (telling >= MIN_TELLING) return holds >= PLAUSIBLE_SHARE * asked;
  return telling === MIN_TELLING - 1 && holds === asked;
}

/** Points of which the profile does not say what is usual, those first that mean something by themselves. */
function furtherOf({ points, plausible }: ProfileCandidate<ModbusPoint>): readonly Clue[] {
  const known = new Set(plausible.map(({ point }) => point.name));
  const others = points.filter(({ name, access }) => access !== "w" && !known.has(name));
  return [...others.filter(isFloat), ...others.filter((point) => !isFloat(point))].map((point) => ({
    point,
    holds: (value) => !isFloat(point) || Number(value) === 0 || isMeasured(value),
    tells: (value) => isFloat(point) && isMeasured(value),
  }));
}

/** Zeros are plausible everywhere. */
function asClue({ point, holds }: Expectation<ModbusPoint>): Clue {
  return { point, holds, tells: (value) => Number(value) !== 0 };
}

function isFloat({ address }: Point<ModbusPoint>): boolean {
  return address.type === "float32";
}

/** As float32, few registers mean anything by chance; NaN is what a channel gives that is not used. */
function isMeasured(value: Scalar): boolean {
  return Number.isNaN(value) || isPlausible(value, { type: "float32" });
}

function sum(a: Evidence, b: Evidence): Evidence {
  return { holds: a.holds + b.holds, asked: a.asked + b.asked, telling: a.telling + b.telling };
}

/** Gives up when more than so many do not hold. */
async function weigh(clues: readonly Clue[], read: ReadPoint, mayFail: number): Promise<Evidence> {
  let [holds, asked, telling] = [0, 0, 0];
  for (const { point, holds: isExpected, tells } of clues) {
    const reading = await read(point);
    asked++;
    const value = reading?.quality === "good" || reading?.quality === "invalid" ? reading.value : undefined;
    if (value !== undefined && isExpected(value)) {
      holds++;
      if (tells(value)) telling++;
    }
    if (asked - holds > mayFail) break;
  }
  return { holds, asked, telling };
}
