import { CausewayError } from "../base/errors.js";
import type { ScalarKind } from "../field/adapter.js";
import type { Scalar } from "../field/reading.js";
import { fitsType, type ObjectLink, type ResourceType, type Value } from "../lwm2m/value.js";
import { type Curve, rawOnCurve, valueOnCurve } from "./curve.js";
import { rawOf, type ValueMap, wordOf } from "./value-map.js";

/** From what the device says to what the resource holds: `value = raw · scale + offset`, then rounded, then checked. */
export interface Transform {
  readonly scale: number;
  readonly offset: number;
  /** Digits after the point; unrounded when absent. */
  readonly decimals?: number;
  /** Inclusive bounds after scaling; beyond them the value is out of range, never clamped. */
  readonly valid?: readonly [min: number, max: number];
  /** Raw values by which the device says that it has none. */
  readonly invalid: readonly number[];
  /** In the place of everything else, both ways. */
  readonly map?: ValueMap;
  /** In the place of scale and offset, both ways. */
  readonly curve?: Curve;
  /** What is written is rounded to a multiple of this. */
  readonly step?: number;
}

export const PLAIN: Transform = { scale: 1, offset: 0, invalid: [] };

export interface ValueFault {
  readonly quality: "invalid" | "out-of-range";
  readonly reason: string;
}

export type Transformed = { readonly quality: "good"; readonly value: Value } | ValueFault;

export function toValue(raw: Scalar, transform: Transform, type: ResourceType): Transformed {
  const scaled = toScaled(raw, transform);
  return isFault(scaled) ? scaled : toResource(scaled, type);
}

/** The value in the unit of the point, before it is known which resource it goes to. */
export function toScaled(raw: Scalar, transform: Transform): Scalar | ValueFault {
  const isNumber = typeof raw === "number" || typeof raw === "bigint";
  const fault = isNumber ? absence(raw, transform) : undefined;
  if (fault !== undefined) return fault;
  if (transform.map !== undefined) return mapped(raw, transform.map, transform);
  return isNumber ? scaledNumber(raw, transform) : raw;
}

/** Why a number of the device is none; undefined when it is one. */
function absence(raw: number | bigint, transform: Transform): ValueFault | undefined {
  const number = Number(raw);
  if (Number.isNaN(number)) return invalid("not a number");
  if (!Number.isFinite(number)) return invalid("not a finite number");
  return transform.invalid.includes(number) ? invalid(`the device reports no value (${String(raw)})`) : undefined;
}

function mapped(raw: Scalar, map: ValueMap, { valid }: Transform): Scalar | ValueFault {
  const word = wordOf(raw, map);
  if (word === undefined) return invalid(`${String(raw)} is not in the map`);
  return typeof word === "number" ? withinBounds(word, valid) : word;
}

/** The value, or that it is beyond the bounds, both of which belong to the range. */
export function withinBounds<N extends number | bigint>(value: N, valid: Transform["valid"]): N | ValueFault {
  return valid !== undefined && (value < valid[0] || value > valid[1]) ? outOfRange(value, valid) : value;
}

export function isFault(result: Scalar | ValueFault): result is ValueFault {
  return typeof result === "object" && !(result instanceof Uint8Array);
}

function good(value: Value): Transformed {
  return { quality: "good", value };
}

function invalid(reason: string): ValueFault {
  return { quality: "invalid", reason };
}

function outOfRange(value: number | bigint, [min, max]: readonly [number, number]): ValueFault {
  return { quality: "out-of-range", reason: `${String(value)} is not within ${min} to ${max}` };
}

/** The value as the type of a resource has it. */
export function toResource(value: Scalar, type: ResourceType): Transformed {
  if (typeof value === "number" || typeof value === "bigint") return fitNumber(value, type);
  if (typeof value === "boolean") return fitBoolean(value, type);
  if (typeof value === "string") {
    return type === "string" || type === "corelnk" ? good(value) : invalid(`text cannot be a ${type}`);
  }
  return type === "opaque" ? good(value) : invalid(`bytes cannot be a ${type}`);
}

function fitBoolean(value: boolean, type: ResourceType): Transformed {
  if (type === "boolean") return good(value);
  if (type === "integer" || type === "unsigned" || type === "float") return good(value ? 1 : 0);
  return type === "string" ? good(String(value)) : invalid(`a switch cannot be a ${type}`);
}

function fitNumber(value: number | bigint, type: ResourceType): Transformed {
  switch (type) {
    case "float":
      return Number.isFinite(Number(value)) ? good(Number(value)) : invalid("not a finite number");
    case "integer":
    case "time":
    case "unsigned": {
      const whole = typeof value === "bigint" ? value : Math.round(value);
      if (type === "unsigned" && whole < 0) return invalid(`${String(value)} is negative`);
      return fitsType(type, whole) ? good(whole) : invalid(`${String(value)} does not fit into 64 bits`);
    }
    case "boolean":
      return Number(value) === 0 || Number(value) === 1
        ? good(Number(value) === 1)
        : invalid(`${String(value)} is neither 0 nor 1`);
    case "string":
      return good(String(value));
    default:
      return invalid(`a number cannot be a ${type}`);
  }
}

function scaledNumber(raw: number | bigint, transform: Transform): number | bigint | ValueFault {
  const { scale, offset, curve, valid, decimals } = transform;
  const number = Number(raw);
  if (curve !== undefined) return onCurve(number, curve, transform);
  const exact = scale === 1 && offset === 0 && (decimals === undefined || typeof raw === "bigint");
  if (exact) return withinBounds(raw, valid);
  return withinBounds(rounded(sum(product(number, scale), offset), decimals), valid);
}

function onCurve(raw: number, curve: Curve, { decimals, valid }: Transform): number | ValueFault {
  const exact = valueOnCurve(curve, raw);
  if (exact === undefined) return outOfRange(raw, [curve[0]?.[0] ?? 0, curve.at(-1)?.[0] ?? 0]);
  return withinBounds(rounded(exact, decimals), valid);
}

// Dividing by 10 gives 23.5 where multiplying by 0.1 gives 23.500000000000004.
function product(raw: number, scale: number): number {
  const divisor = Math.round(1 / scale);
  if (scale < 1 && Math.abs(1 / scale - divisor) < 1e-9 * divisor) return raw / divisor;
  return Number.isInteger(scale) ? raw * scale : withoutNoise(raw * scale);
}

function quotient(value: number, scale: number): number {
  const divisor = Math.round(1 / scale);
  return scale < 1 && Math.abs(1 / scale - divisor) < 1e-9 * divisor ? value * divisor : value / scale;
}

function rounded(value: number, decimals: number | undefined): number {
  if (decimals === undefined) return value;
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/**
 * What to write to the device so that it reads back as `value`. Throws VALUE_INVALID, which names the limits or the
 * words that are allowed.
 */
export function toScalar(value: Value, transform: Transform, kind: ScalarKind | undefined): Scalar {
  if (transform.map !== undefined) return rawOf(value, transform.map);
  if (typeof value === "number" || typeof value === "bigint") return unscaled(value, transform, kind);
  if (typeof value === "boolean") return kind === "number" ? Number(value) : value;
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  return linkText(value);
}

function unscaled(given: number | bigint, transform: Transform, kind: ScalarKind | undefined): Scalar {
  const { valid, scale, offset, curve, step } = transform;
  const value = step === undefined ? given : multipleOf(step, Number(given));
  if (valid !== undefined && (value < valid[0] || value > valid[1])) {
    throw new CausewayError("VALUE_INVALID", `${String(given)} is not within ${valid[0]} to ${valid[1]}`);
  }
  if (kind === "boolean") return booleanOf(value);
  if (curve !== undefined) return rawAt(curve, Number(value));
  if (scale === 1 && offset === 0) return value;
  return withoutNoise(quotient(sum(Number(value), -offset), scale));
}

function rawAt(curve: Curve, value: number): number {
  const raw = rawOnCurve(curve, value);
  if (raw === undefined) throw new CausewayError("VALUE_INVALID", `${value} does not lie on the curve`);
  return withoutNoise(raw);
}

/** Of a decimal number a float64 holds 15 digits; what comes behind is that of the arithmetic. */
const NOISELESS_DIGITS = 15;

// 273.2 − 273.15 is 0.05000000000001137: the noise is that of the larger number, however small the result is.
function sum(a: number, b: number): number {
  const total = a + b;
  const decimals = NOISELESS_DIGITS - Math.ceil(Math.log10(Math.max(Math.abs(a), Math.abs(b))));
  return a === 0 || b === 0 || decimals < 0 || decimals > 100 ? total : Number(total.toFixed(decimals));
}

// 23.4 · 10 is 233.99999999999997: noise of the arithmetic must not cost a count.
function withoutNoise(value: number): number {
  return Number(value.toPrecision(NOISELESS_DIGITS));
}

// 3 · 0.1 is 0.30000000000000004, which nobody would have written.
function multipleOf(step: number, value: number): number {
  return withoutNoise(Math.round(value / step) * step);
}

function booleanOf(value: number | bigint): boolean {
  if (Number(value) === 0 || Number(value) === 1) return Number(value) === 1;
  throw new CausewayError("VALUE_INVALID", `${String(value)} is neither 0 nor 1`);
}

function linkText(link: ObjectLink): string {
  return `${link.objectId}:${link.instanceId}`;
}
