import { near, type Problems, type WithSource } from "../base/schema.js";
import type { Scalar } from "../field/reading.js";
import type { Profile } from "../mapping/profile.js";
import { isFault, toResource, withinBounds } from "../mapping/transform.js";
import type { DeviceSection } from "./gateway-schema.js";
import { placeOf } from "./place.js";

const NOTHING_MANUAL: ReadonlyMap<string, Scalar> = new Map();

/** The values that stand in the place of points; those that cannot be are reported. */
export function readManual(
  section: WithSource<DeviceSection>,
  path: string,
  profile: Profile,
  problems: Problems,
): ReadonlyMap<string, Scalar> {
  const { manual = NOTHING_MANUAL } = section.value;
  for (const [point, value] of manual) {
    const complain = (what: string, hint?: string): void =>
      problems.add(placeOf(section, "manual", point), `${path}.manual.${point}`, what, hint);
    const known = profile.points.get(point);
    if (known === undefined) {
      const names = [...profile.points.keys()];
      complain(`no point '${point}'`, near(point, names) ?? `points: ${names.join(", ")}`);
    } else if (known.point.access === "w") {
      complain("the point is never read, so nothing can stand in the place of its value");
    } else {
      const complaint = complaintOf(profile, point, value, known.transform.valid);
      if (complaint !== undefined) complain(complaint, "the value is in the unit of the profile, after scaling");
    }
  }
  return manual;
}

function complaintOf(
  { objects }: Profile,
  point: string,
  value: Scalar,
  valid: readonly [min: number, max: number] | undefined,
): string | undefined {
  const bounded = typeof value === "number" ? withinBounds(value, valid) : value;
  if (isFault(bounded)) return bounded.reason;
  for (const { model, resources } of objects) {
    for (const [resourceId, source] of resources) {
      const type = model.resources.get(resourceId)?.type;
      if (source.kind !== "point" || source.point !== point || type === undefined) continue;
      const result = toResource(value, type);
      if (result.quality !== "good") return `resource ${resourceId} of object ${model.id}: ${result.reason}`;
    }
  }
  return undefined;
}
