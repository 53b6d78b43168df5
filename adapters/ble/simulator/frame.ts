import { CausewayError, type Scalar } from "causeway/adapter";
import type { Spoken } from "./peripheral.js";

/**
 * One kind of packet that a device sends again and again. What was sent has a number where its kind has any, so the
 * same word is told from a new one: `renew` makes the next packet a new word.
 */
export interface Frame {
  has(point: string): boolean;
  /** What puts the value into the packet. Throws VALUE_INVALID when it cannot carry that. */
  prepare(point: string, value: Scalar): () => void;
  /** As the packet carries it; undefined while it has no value. */
  get(point: string): Scalar | undefined;
  renew(): void;
  /** Undefined while there is nothing to tell. */
  send(): Spoken | undefined;
}

/** Sets a point in all packets that carry it, or throws VALUE_INVALID and leaves them as they were. */
export function setIn(frames: readonly Frame[], point: string, value: Scalar): void {
  const prepared = frames.map((frame) => frame.prepare(point, value));
  for (const set of prepared) set();
}

/** What is in the way of a point's value. */
export function misfit(point: string, why: string): CausewayError {
  return new CausewayError("VALUE_INVALID", `${point}: ${why}`);
}

/** For values of which the wire has its own words. Throws VALUE_INVALID for what is no number. */
export function numberOf(point: string, value: Scalar): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw misfit(point, "takes a number");
}
