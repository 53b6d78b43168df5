import type { Scalar } from "../field/reading.js";
import type { Expectation, ProfileCandidate } from "../field/tool.js";
import { inputsOf, type Profile, type ProfilePoint, type ProfileProbe } from "./profile.js";
import { toValue } from "./transform.js";

/** The profile as tools see it that look for devices of its type. */
export function profileCandidate(profile: Profile): ProfileCandidate<unknown> {
  const { name, title, traits, points, probe, verify } = profile;
  return {
    name,
    title,
    traits,
    // A device of the type need not have what depends on a condition.
    points: [...points.values()].filter(({ when }) => when === undefined).map(({ point }) => point),
    probe: probe.map(probeExpectation),
    plausible: [...verify].flatMap(([point, range]) => {
      const source = points.get(point);
      // What has a factor says nothing without it.
      if (source === undefined || inputsOf(source).length > 0 || source.when !== undefined) return [];
      return [plausibleExpectation(source, range)];
    }),
  };
}

function probeExpectation({ point, expected }: ProfileProbe): Expectation<unknown> {
  if ("equals" in expected) return { point, holds: (value) => sameDatum(value, expected.equals) };
  return { point, holds: (value) => isWithin(value, expected.within) };
}

/** What is expected holds for the value after scaling, the tool has the raw one. */
function plausibleExpectation(
  { point, transform }: ProfilePoint,
  range: readonly [number, number],
): Expectation<unknown> {
  const holds = (raw: Scalar): boolean => {
    const result = toValue(raw, transform, "float");
    return result.quality === "good" && typeof result.value === "number" && isWithin(result.value, range);
  };
  return { point, holds };
}

function sameDatum(value: Scalar, expected: string | number | boolean): boolean {
  return typeof value === "bigint" ? Number(value) === expected : value === expected;
}

function isWithin(value: Scalar, [min, max]: readonly [number, number]): boolean {
  return (typeof value === "number" || typeof value === "bigint") && value >= min && value <= max;
}
