import { CausewayError, type Scalar } from "causeway/adapter";
import type { PacketContext } from "../packet.js";

/** A datum that a packet is to carry, as a point names it. */
export interface Wanted {
  readonly point: string;
  /** Name or number of the format's object. */
  readonly object: number | string;
  /** Which of several of that name. */
  readonly index: number;
  readonly value: Scalar;
}

/** What tells a packet from those before. */
export interface PacketNumbers {
  /** Goes round in a byte. */
  readonly packet: number;
  /** Of encryption: only grows. */
  readonly counter: number;
}

/** The bytes that the format's decoder reads these values from. Throws VALUE_INVALID. */
export type PacketWriter = (values: readonly Wanted[], numbers: PacketNumbers, context: PacketContext) => Uint8Array;

/** What the first candidate gives that can hold the value; rethrows the last one's VALUE_INVALID when none can. */
export function firstThatFits<C, R>(
  candidates: readonly C[],
  { point, object }: Wanted,
  encode: (candidate: C) => R,
): R {
  let problem: unknown = new CausewayError("VALUE_INVALID", `${point}: the packet has no place for '${object}'`);
  for (const candidate of candidates) {
    try {
      return encode(candidate);
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code !== "VALUE_INVALID") throw error;
      problem = error;
    }
  }
  throw problem;
}
