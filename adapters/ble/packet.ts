import type { Scalar, ScalarKind } from "causeway/adapter";

/** One datum of a packet whose format names its data. */
export interface PacketValue {
  readonly id: number;
  readonly object: string;
  readonly value: Scalar;
}

/** A packet as its format has it. */
export type Packet =
  | {
      readonly state: "read";
      readonly values: readonly PacketValue[];
      /** Two packets with the same one are the same packet, sent again. */
      readonly sequence?: number;
      /** Of encrypted packets: it only grows, so an old one is a replay. */
      readonly counter?: number;
      /** Why not all of it could be read. */
      readonly remark?: string;
    }
  /** Of the format, but unreadable: no key, another key, damaged. */
  | { readonly state: "fault"; readonly reason: string; readonly authentication: "failed" | "missing" | "none" }
  /** Not of this format. */
  | { readonly state: "foreign" };

export const FOREIGN: Packet = { state: "foreign" };

export function faulty(reason: string): Packet {
  return { state: "fault", reason, authentication: "none" };
}

/** Everything a format may need besides the bytes. */
export interface PacketContext {
  /** Six bytes, most significant first, as the address is written. */
  readonly address: Uint8Array;
  /** 16 bytes. */
  readonly key?: Uint8Array;
}

/** What a format calls its data, and what they are. */
export interface PacketObject {
  readonly id: number;
  readonly object: string;
  readonly kind: ScalarKind;
}

/** Undone: the key is needed but not there. */
export const KEY_MISSING = {
  state: "fault",
  reason: "the packet is encrypted: give the device its 'key'",
  authentication: "missing",
} as const satisfies Packet;

export const KEY_WRONG: Packet = {
  state: "fault",
  reason: "the packet cannot be decrypted: 'key' is not this device's",
  authentication: "failed",
};

/** Somebody without the key may pretend to be the device. */
export const NOT_ENCRYPTED: Packet = {
  state: "fault",
  reason: "the packet is not encrypted although the device has a 'key'",
  authentication: "failed",
};
