import { systemClock } from "../../src/base/clock.js";
import { CausewayError } from "../../src/base/errors.js";
import type { AnyAdapter, Point, SimulatedField } from "../../src/field/adapter.js";
import { type Reading, type Scalar, sameScalar } from "../../src/field/reading.js";
import { formatPath } from "../../src/lwm2m/path.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import type { Value } from "../../src/lwm2m/value.js";
import { Bridge } from "../../src/mapping/bridge.js";
import { Derivation } from "../../src/mapping/derivation.js";
import type { Profile, ProfilePoint } from "../../src/mapping/profile.js";
import { toScalar } from "../../src/mapping/transform.js";

type Raw = ReadonlyMap<string, Scalar>;

/** Gives a device a raw value, and tells what it then holds. Throws VALUE_INVALID for what it cannot hold. */
export type Hold = (point: Point<unknown>, raw: Scalar) => Scalar;

/** How wide the values of one device are strewn, in raw counts, where its profile allows any. */
const SPREAD = 400;

/** Of a station that is simulated: what the wire makes of a value, which it rounds. */
export function holdOf(simulated: SimulatedField<unknown>, station: string): Hold {
  return ({ name, access }, raw) => {
    // Who is only written holds nothing before.
    if (access === "w") return raw;
    simulated.set(station, name, raw);
    const value = simulated.get(station, name);
    const isOther = typeof raw === "number" ? !(Math.abs(Number(value) - raw) <= 0.5) : !sameScalar(value, raw);
    if (isOther) throw new Error(`${name} holds ${String(value)}, not ${String(raw)}`);
    return value;
  };
}

/**
 * Gives each point a raw value with which a healthy device of the type passes `causeway test`, no two alike by chance;
 * where a profile allows what the wire cannot carry, a smaller one.
 */
export function plausibleRaw(profile: Profile, adapter: AnyAdapter, hold: Hold): Raw {
  const derivation = new Derivation({ profile, onAbsent: () => undefined, onCounter: () => undefined });
  const all = [...profile.points.values()];
  const factors = factorsOf(all);
  const raw = new Map<string, Scalar>();
  for (const [name, factor] of factors) {
    const source = profile.points.get(name);
    const value = source === undefined ? factor : hold(source.point, factor);
    raw.set(name, value);
    derivation.accept([reading(name, value)]);
  }
  for (const [index, source] of all.entries()) {
    const { name, address, access } = source.point;
    if (raw.has(name)) continue;
    const kind = adapter.kind?.(address);
    const { map, scale } = source.transform;
    if (map !== undefined) {
      const word = [...map.exact.keys()].at(-1) ?? "";
      raw.set(name, hold(source.point, kind === "number" ? Number(word) : word));
    } else if (kind === "boolean") {
      // What is only written may be an action, which is never undone.
      raw.set(name, hold(source.point, index % 2 === 0 || access === "w"));
    } else {
      const [low, high] = profile.verify.get(name) ?? source.transform.valid ?? [0, SPREAD * Math.abs(scale)];
      const span = Math.min(high - low, SPREAD * Math.abs(scale));
      const share = 0.3 + 0.05 * (index % 9);
      const transform = { ...derivation.transformOf(source), decimals: 9 };
      const values = [1, 4, 16, 64, 256].map((part) => toScalar(low + (span * share) / part, transform, kind));
      raw.set(name, firstHeld(source.point, values, hold));
    }
  }
  return raw;
}

function firstHeld(point: Point<unknown>, values: readonly Scalar[], hold: Hold): Scalar {
  let problem: unknown;
  for (const value of values) {
    try {
      return hold(point, value);
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code !== "VALUE_INVALID") throw error;
      problem = error;
    }
  }
  throw problem;
}

/** Points that are factors or units of others: tenths, and what the first entry of a map stands for. */
function factorsOf(points: readonly ProfilePoint[]): Raw {
  const factors = new Map<string, Scalar>();
  for (const { scaleFrom, unitFrom } of points) {
    const words = scaleFrom?.map?.keys().next().value;
    if (scaleFrom !== undefined) factors.set(scaleFrom.point, words === undefined ? -1 : Number(words));
    const unit = unitFrom?.map.keys().next().value;
    if (unitFrom !== undefined && unit !== undefined) factors.set(unitFrom.point, Number(unit));
  }
  return factors;
}

/** Another value that the point takes. */
export function otherValue(value: Value | undefined, { transform: { step = 1 } }: ProfilePoint): Value {
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") return Number((Math.round(value / step + 2) * step).toPrecision(12));
  throw new Error(`no other value than ${String(value)} is known`);
}

/** By path: what a tree of the device's own shows of these raw values, without times. */
export function shownValues(profile: Profile, adapter: AnyAdapter, raw: Raw): Readonly<Record<string, Value>> {
  const tree = new ObjectTree();
  using bridge = new Bridge({ clock: systemClock, onSample: () => undefined, writePoint: () => Promise.resolve() });
  bridge.addDevice({
    name: profile.name,
    profile,
    tree,
    report: new Map(),
    instanceId: (_, ordinal) => ordinal,
    kindOf: (point) => adapter.kind?.(profile.points.get(point)?.point.address),
  });
  bridge.accept(
    profile.name,
    [...raw].map(([point, value]) => reading(point, value)),
  );
  const shown: Record<string, Value> = {};
  for (const [objectId, { instances }] of tree.objects) {
    for (const [instanceId, { resources }] of instances) {
      for (const [id, resource] of resources) {
        const value = resource.handler.read === undefined ? resource.current(0)?.value : undefined;
        if (value !== undefined) shown[formatPath([objectId, instanceId, id])] = value;
      }
    }
  }
  return shown;
}

function reading(point: string, value: Scalar): Reading {
  return { point, atMs: 0, quality: "good", value };
}
