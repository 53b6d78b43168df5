import { CausewayError } from "../base/errors.js";
import type { AnyAdapter, Point } from "../field/adapter.js";
import type { ProfilePoint } from "./profile.js";
import { oddKey } from "./value-map.js";

/** A number of a file and that of a type with fewer digits are the same when they are this near to each other. */
const FLOAT32_NOISE = 1e-6;

/**
 * A raw number of a file as the type of the point holds it: 9999.9 is 9999.900390625 in a float32. Undefined when the
 * point never has it, as an int16 has no 65535.
 */
export function heldAs(value: number, point: Point<unknown>, adapter: AnyAdapter): number | undefined {
  const kind = adapter.kind?.(point.address);
  if (kind !== undefined && kind !== "number") return undefined;
  // What a file says of 64-bit numbers is as exact as a float64, and what is read is compared as one.
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value;
  try {
    const held = adapter.fit === undefined ? value : Number(adapter.fit(point, value));
    return Math.abs(held - value) <= FLOAT32_NOISE * Math.abs(value) ? held : undefined;
  } catch (error) {
    if (error instanceof CausewayError && error.code === "VALUE_INVALID") return undefined;
    throw error;
  }
}

/** What a point says of raw values that it never has: nobody would notice that nothing is ever equal to them. */
export function rawComplaint({ point, transform }: ProfilePoint, adapter: AnyAdapter): string | undefined {
  const isNever = (value: number): boolean => heldAs(value, point, adapter) === undefined;
  const sentinel = transform.invalid.find(isNever);
  if (sentinel !== undefined) return `'invalid' names ${sentinel}, which the type of the point never has`;
  const { map } = transform;
  const kind = adapter.kind?.(point.address);
  if (map === undefined || (kind !== "number" && kind !== "boolean")) return undefined;
  const keys = kind === "boolean" ? "true and false" : "numbers, ranges such as 10..19, and default";
  const odd = oddKey(map, kind);
  if (odd !== undefined) return `'${odd}' of the map is never met: the point is a ${kind}, its keys are ${keys}`;
  const never = kind === "number" ? [...map.exact.keys()].find((key) => isNever(Number(key))) : undefined;
  return never === undefined ? undefined : `'${never}' of the map is never met: the type of the point never has it`;
}

/** The point with its sentinels as its type holds them. */
export function withHeldSentinels(source: ProfilePoint, adapter: AnyAdapter): ProfilePoint {
  const { point, transform } = source;
  const invalid = transform.invalid.map((value) => heldAs(value, point, adapter) ?? value);
  return { ...source, transform: { ...transform, invalid } };
}
