import type { Scalar } from "./reading.js";

/** How often a point is read; the periods are set per device. `once` is read after each connect. */
export type PollClass = "fast" | "normal" | "slow" | "once";

/** One datum of a type of device. `P` is what the adapter needs to find and decode it. */
export interface Point<P> {
  readonly name: string;
  readonly access: "r" | "w" | "rw";
  readonly pollClass: PollClass;
  readonly address: P;
}

/** What a profile says of the type of device as a whole; each adapter takes what it understands. */
export interface DeviceTraits {
  readonly maxRegisters?: number;
  /** Coils or discrete inputs in one request. */
  readonly maxBits?: number;
  readonly maxGap?: number;
  /** First and last register, as on the wire, of ranges that no read may touch for the sake of its neighbours. */
  readonly never?: readonly (readonly [number, number])[];
  /** First and last register, as on the wire, of ranges whose registers have four bytes each; all others have two. */
  readonly fourBytes?: readonly (readonly [number, number])[];
  /** What the profile counts its register addresses from; 0 (as on the wire) unless given. */
  readonly addressBase?: 0 | 1;
  readonly responseTimeoutMs?: number;
  /** Pause before each request to the device. */
  readonly requestGapMs?: number;
  /** Pause after each connect before the device is asked anything. */
  readonly afterConnectMs?: number;
  /** Written in this order after each connect, and when the device comes back, before it is polled. */
  readonly setup?: readonly SetupWrite[];
  /** A device that only speaks on its own counts as gone after so long without a word. */
  readonly silenceMs?: number;
  /** What the profile says under `protocol`, as the adapter's schema read it. */
  readonly protocol?: unknown;
}

/** What a device must be told before its values can be trusted, e.g. a mode or a unit of measurement. */
export interface SetupWrite {
  readonly point: Point<unknown>;
  readonly value: Scalar;
}

/** One station as an adapter sees it. */
export interface Station<D> {
  readonly name: string;
  readonly address: D;
  readonly traits: DeviceTraits;
}
