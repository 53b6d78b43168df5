import { bytesEqual } from "../base/bytes.js";

/** What a field device speaks: numbers, 64-bit integers, switches, text, raw bytes. */
export type Scalar = number | bigint | boolean | string | Uint8Array;

/** Why a value can or cannot be trusted; a fault never becomes a zero. */
export type Quality =
  | "good"
  | "stale"
  | "timeout"
  | "crc"
  | "exception"
  | "invalid"
  | "out-of-range"
  | "unsupported"
  | "never-read"
  | "manual";

export type FaultQuality = Exclude<Quality, "good" | "manual">;

/** What one poll learned of one point; what was set by hand, `manual`, is scaled already. */
export type Reading =
  | { readonly point: string; readonly atMs: number; readonly quality: "good" | "manual"; readonly value: Scalar }
  | {
      readonly point: string;
      readonly atMs: number;
      readonly quality: FaultQuality;
      /** For people, e.g. "exception 2, illegal data address". */
      readonly reason: string;
      /** What was read, where something was (invalid, out-of-range). */
      readonly value?: Scalar;
    };

/** Whether two values are the same datum; 5 and 5n are, 1 and true are not. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && bytesEqual(a, b);
  }
  if (typeof a === "bigint" && typeof b === "number") return Number.isInteger(b) && a === BigInt(b);
  if (typeof a === "number" && typeof b === "bigint") return Number.isInteger(a) && BigInt(a) === b;
  return a === b;
}

/** As JSON can hold it: 64-bit integers beyond its numbers, infinities and NaN as text, bytes as hexadecimal text. */
export function jsonScalar(value: Scalar): number | string | boolean {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
