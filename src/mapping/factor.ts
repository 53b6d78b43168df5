import type { Scalar } from "../field/reading.js";
import type { ProfilePoint, ScaleFrom, UnitFrom } from "./profile.js";
import type { Transform, ValueFault } from "./transform.js";
import { conversion } from "./unit.js";

/** 10^-20 to 10^20: what is beyond is no factor but a sentinel that the profile does not name. */
const MAX_EXPONENT = 20;

/** The transform of a point whose factor or unit the device tells, given these as they are after scaling. */
export function transformWith(
  { transform, scaleFrom, unitFrom, unit }: ProfilePoint,
  factorValue: (point: string) => Scalar,
): Transform | ValueFault {
  const factor = scaleFrom === undefined ? 1 : factorOf(scaleFrom, factorValue(scaleFrom.point));
  if (typeof factor !== "number") return factor;
  const own =
    unitFrom === undefined ? { scale: 1, offset: 0 } : unitOf(unitFrom, factorValue(unitFrom.point), unit ?? "");
  if ("quality" in own) return own;
  const { scale, offset } = transform;
  return { ...transform, scale: scale * factor * own.scale, offset: offset * own.scale + own.offset };
}

function factorOf({ point, map }: ScaleFrom, value: Scalar): number | ValueFault {
  if (map !== undefined) return map.get(String(value)) ?? unknown(point, value);
  const exponent = typeof value === "bigint" ? Number(value) : value;
  const isExponent = typeof exponent === "number" && Number.isInteger(exponent) && Math.abs(exponent) <= MAX_EXPONENT;
  return isExponent ? 10 ** exponent : unknown(point, value);
}

function unitOf({ point, map }: UnitFrom, value: Scalar, unit: string) {
  const word = map.get(String(value));
  return (word === undefined ? undefined : conversion(word, unit)) ?? unknown(point, value);
}

function unknown(point: string, value: Scalar): ValueFault {
  return { quality: "invalid", reason: `its factor '${point}' is ${String(value)}, of which nothing is known` };
}
