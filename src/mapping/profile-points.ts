import { childPath, type Problems } from "../base/schema.js";
import type { Located, Position } from "../base/source.js";
import type { AnyAdapter, DeviceTraits } from "../field/adapter.js";
import { isReversible } from "./curve.js";
import { type CommonPoint, type DerivedSection, derivedPoint, pointSchemaOf } from "./point-schema.js";
import type { Datum, DerivedPoint, ProfilePoint } from "./profile.js";
import { addressOf } from "./profile-head.js";
import { checkReferences, type SectionPlaces } from "./profile-references.js";
import { rawComplaint, withHeldSentinels } from "./raw-values.js";

export interface ProfilePoints {
  readonly points: ReadonlyMap<string, ProfilePoint>;
  readonly derived: ReadonlyMap<string, DerivedPoint>;
}

/** The points of a file, and how they depend on each other. Those with mistakes are left out. */
export function readPoints(
  sources: ReadonlyMap<string, Located>,
  adapter: AnyAdapter,
  traits: DeviceTraits,
  problems: Problems,
): ProfilePoints {
  const schema = pointSchemaOf(adapter.point);
  const points = new Map<string, ProfilePoint>();
  const derived = new Map<string, DerivedPoint>();
  const places = new Map<string, SectionPlaces>();
  for (const [name, source] of sources) {
    const path = childPath("points", name);
    if (isDerived(source)) {
      const section = derivedPoint.read(source, path, problems);
      if (section === undefined) continue;
      const complaint = derivedComplaint(section);
      if (complaint !== undefined) problems.add(source.at, path, complaint);
      derived.set(name, { ...datumOf(section, source.at, path, problems), name, expression: section.expr.value });
      places.set(name, { at: section.expr.source.at, when: section.when?.source.at });
      continue;
    }
    const section = schema.read(source, path, problems);
    if (section === undefined) continue;
    const address = addressOf(section, adapter);
    const point = profilePoint(name, address, section, datumOf(section, source.at, path, problems));
    const complaint =
      adapter.pointProblem?.(address, traits, point.point.access) ??
      pointComplaint(section) ??
      rawComplaint(point, adapter);
    if (complaint !== undefined) problems.add(source.at, path, complaint);
    points.set(name, complaint === undefined ? withHeldSentinels(point, adapter) : point);
    places.set(name, placesOf(section, source.at));
  }
  return checkReferences({ points, derived }, { declared: sources, places, adapter, problems });
}

function isDerived(source: Located): boolean {
  return source.kind === "map" && source.entries.some(({ key }) => key === "expr");
}

function placesOf({ scaleFrom, unitFrom, when, every }: CommonPoint, at: Position): SectionPlaces {
  return {
    at,
    when: when?.source.at,
    scaleFrom: scaleFrom?.source.at,
    unitFrom: unitFrom?.source.at,
    pollClass: every === undefined ? "default" : "given",
  };
}

function profilePoint(name: string, address: unknown, section: CommonPoint, datum: Datum): ProfilePoint {
  const { access = "r", every = "normal", invalid = [], step, scaleFrom, unitFrom } = section;
  return {
    ...datum,
    transform: { ...datum.transform, invalid, ...(step === undefined ? {} : { step }) },
    point: { name, access, pollClass: every, address },
    ...(scaleFrom === undefined ? {} : { scaleFrom: scaleFrom.value }),
    ...(unitFrom === undefined ? {} : { unitFrom: unitFrom.value }),
  };
}

type DatumSection = Omit<DerivedSection, "expr">;

function datumOf(section: DatumSection, at: Position, path: string, problems: Problems): Datum {
  const { scale = 1, offset = 0, decimals, valid, map, curve, unit, kind = "gauge", report, when } = section;
  const complaint = datumComplaint(section);
  if (complaint !== undefined) problems.add(at, path, complaint);
  return {
    transform: {
      scale,
      offset,
      invalid: [],
      ...(decimals === undefined ? {} : { decimals }),
      ...(valid === undefined ? {} : { valid }),
      ...(map === undefined ? {} : { map }),
      ...(curve === undefined ? {} : { curve: curve.value }),
    },
    ...(unit === undefined ? {} : { unit }),
    kind,
    ...counterOf(section),
    ...(report === undefined ? {} : { report }),
    ...(when === undefined ? {} : { when: when.value }),
  };
}

function counterOf({ rollover, onReset }: DatumSection): Pick<Datum, "counter"> {
  if (rollover === undefined && onReset === undefined) return {};
  const limit = rollover === undefined ? {} : { rollover: rollover.value };
  return { counter: { ...limit, onReset: onReset?.value ?? "follow" } };
}

function datumComplaint({ curve, map, scale, offset, rollover, onReset, kind }: DatumSection): string | undefined {
  if (curve !== undefined && (scale !== undefined || offset !== undefined)) {
    return "'curve' stands in the place of 'scale' and 'offset'";
  }
  if (map !== undefined && curve !== undefined) return "'map' and 'curve' exclude each other";
  if (map !== undefined && (scale !== undefined || offset !== undefined)) {
    return "'map' stands in the place of 'scale' and 'offset'";
  }
  const isCounter = kind === "counter";
  const key = rollover !== undefined ? "rollover" : onReset !== undefined ? "onReset" : undefined;
  return key !== undefined && !isCounter ? `'${key}' is for counters: say kind: counter` : undefined;
}

/** A total is kept of what a device counts, before it is scaled; and nothing would ever bring what needs no point. */
function derivedComplaint({ expr, rollover, onReset }: DerivedSection): string | undefined {
  if (expr.value.names.length === 0)
    return "a formula without a point: what never changes is { value: … } at the resource";
  const key = rollover !== undefined ? "rollover" : onReset !== undefined ? "onReset" : undefined;
  return key === undefined ? undefined : `'${key}' is for points of the device: say it at those of the formula`;
}

/** What does not go together in a point of the device. */
function pointComplaint(section: CommonPoint): string | undefined {
  const { access, curve, map, scaleFrom, unitFrom, unit, rollover, onReset } = section;
  if (scaleFrom !== undefined || unitFrom !== undefined) {
    if (map !== undefined) return "'map' and a factor of the device exclude each other";
    if (curve !== undefined) return "'curve' and a factor of the device exclude each other";
  }
  if (unitFrom !== undefined && unit === undefined) return "'unitFrom' needs 'unit', into which it converts";
  if (access === undefined || access === "r") return undefined;
  if (curve !== undefined && !isReversible(curve.value)) {
    return "a curve that rises and falls, or is level, cannot be written: say access: r";
  }
  const isTotal = rollover !== undefined || onReset !== undefined;
  return isTotal ? "a total that the gateway keeps cannot be written: say access: r" : undefined;
}
