import { CausewayError } from "../base/errors.js";
import type { ScalarKind } from "../field/adapter.js";
import type { Scalar } from "../field/reading.js";
import { fitsType, type ObjectLink, type ResourceType, type Value } from "../lwm2m/value.js";

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
  /** Raw value, as text, to the word or number of the resource; used both ways. */
  readonly map?: ReadonlyMap<string, string | number | boolean>;
}

export const PLAIN: Transform = { scale: 1, offset: 0, invalid: [] };

export type Transformed =
  | { readonly quality: "good"; readonly value: Value }
  | { readonly quality: "invalid" | "out-of-range"; readonly reason: string };

/** Pure; nothing is invented: what does not fit the resource is invalid, with the reason. */
export function toValue(raw: Scalar, transform: Transform, type: ResourceType): Transformed {
  if (transform.map !== undefined) {
    const mapped = transform.map.get(String(raw));
    return mapped === undefined ? invalid(`${String(raw)} is not in the map`) : fromMapped(mapped, type);
  }
  if (typeof raw === "number" || typeof raw === "bigint") return fromNumber(raw, transform, type);
  if (typeof raw === "boolean") return fromBoolean(raw, type);
  if (typeof raw === "string") {
    return type === "string" || type === "corelnk" ? good(raw) : invalid(`text cannot be a ${type}`);
  }
  return type === "opaque" ? good(raw) : invalid(`bytes cannot be a ${type}`);
}

function good(value: Value): Transformed {
  return { quality: "good", value };
}

function invalid(reason: string): Transformed {
  return { quality: "invalid", reason };
}

function fromMapped(mapped: string | number | boolean, type: ResourceType): Transformed {
  if (typeof mapped === "boolean") return fromBoolean(mapped, type);
  if (typeof mapped === "number") return fromNumber(mapped, PLAIN, type);
  return type === "string" ? good(mapped) : invalid(`'${mapped}' cannot be a ${type}`);
}

function fromBoolean(raw: boolean, type: ResourceType): Transformed {
  if (type === "boolean") return good(raw);
  if (type === "integer" || type === "unsigned" || type === "float") return good(raw ? 1 : 0);
  return type === "string" ? good(String(raw)) : invalid(`a switch cannot be a ${type}`);
}

function fromNumber(raw: number | bigint, transform: Transform, type: ResourceType): Transformed {
  if (typeof raw === "number" && Number.isNaN(raw)) return invalid("not a number");
  if (transform.invalid.includes(Number(raw))) return invalid(`the device reports no value (${String(raw)})`);
  const exact = typeof raw === "bigint" && transform.scale === 1 && transform.offset === 0;
  const value = exact ? raw : scaled(Number(raw), transform);
  const { valid } = transform;
  if (valid !== undefined && (value < valid[0] || value > valid[1])) {
    return { quality: "out-of-range", reason: `${String(value)} is not within ${valid[0]} to ${valid[1]}` };
  }
  return fitNumber(value, type);
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

// Dividing by 10 gives 23.5 where multiplying by 0.1 gives 23.500000000000004.
function scaled(raw: number, { scale, offset, decimals }: Transform): number {
  const divisor = Math.round(1 / scale);
  const product = scale < 1 && Math.abs(1 / scale - divisor) < 1e-9 * divisor ? raw / divisor : raw * scale;
  const value = product + offset;
  if (decimals === undefined) return value;
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/**
 * What to write to the device so that it reads back as `value`. Throws VALUE_INVALID, which names the limits or the
 * words that are allowed.
 */
export function toScalar(value: Value, transform: Transform, kind: ScalarKind | undefined): Scalar {
  if (transform.map !== undefined) return fromWord(value, transform.map);
  if (typeof value === "number" || typeof value === "bigint") return unscaled(value, transform, kind);
  if (typeof value === "boolean") return kind === "number" ? Number(value) : value;
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  return linkText(value);
}

function fromWord(value: Value, map: ReadonlyMap<string, string | number | boolean>): Scalar {
  for (const [raw, mapped] of map) {
    if (mapped === value || (typeof value === "bigint" && BigInt(Number(mapped)) === value)) return parseRaw(raw);
  }
  const words = [...map.values()].join(" | ");
  throw new CausewayError("VALUE_INVALID", `${String(value)} is not one of ${words}`);
}

function parseRaw(raw: string): Scalar {
  if (raw === "true" || raw === "false") return raw === "true";
  return Number.isNaN(Number(raw)) ? raw : Number(raw);
}

function unscaled(value: number | bigint, transform: Transform, kind: ScalarKind | undefined): Scalar {
  const { valid, scale, offset } = transform;
  if (valid !== undefined && (value < valid[0] || value > valid[1])) {
    throw new CausewayError("VALUE_INVALID", `${String(value)} is not within ${valid[0]} to ${valid[1]}`);
  }
  if (kind === "boolean") return booleanOf(value);
  if (scale === 1 && offset === 0) return value;
  const divisor = Math.round(1 / scale);
  const shifted = Number(value) - offset;
  const raw = scale < 1 && Math.abs(1 / scale - divisor) < 1e-9 * divisor ? shifted * divisor : shifted / scale;
  // 23.4 · 10 is 233.99999999999997: noise of the arithmetic must not cost a count.
  return Math.abs(raw - Math.round(raw)) < 1e-6 ? Math.round(raw) : raw;
}

function booleanOf(value: number | bigint): boolean {
  if (Number(value) === 0 || Number(value) === 1) return Number(value) === 1;
  throw new CausewayError("VALUE_INVALID", `${String(value)} is neither 0 nor 1`);
}

function linkText(link: ObjectLink): string {
  return `${link.objectId}:${link.instanceId}`;
}
