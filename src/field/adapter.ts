import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { ObjectSchema } from "../base/object-schema.js";
import type { Schema } from "../base/schema.js";
import type { Reading, Scalar } from "./reading.js";

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
  readonly maxGap?: number;
  readonly responseTimeoutMs?: number;
  /** Pause before each request to the device. */
  readonly requestGapMs?: number;
}

/** One station as an adapter sees it. */
export interface Station<D> {
  readonly name: string;
  readonly address: D;
  readonly traits: DeviceTraits;
}

/** Points that are read together in one exchange on the wire, with what it costs. */
export interface Exchange<P> {
  readonly points: readonly Point<P>[];
  /** For people: "FC4 unit 7, 30 registers from 0". */
  readonly summary: string;
  /** Time on the medium, milliseconds; 0 where it does not matter. */
  readonly wireMs: number;
}

/**
 * An open connection that serves many stations. The bus calls `read` and `write` one at a time, so a link needs no
 * queue. A link that breaks rejects what is in flight and then `closed`; the bus opens a new one.
 */
export interface Link<D, P> extends AsyncDisposable {
  /** Settles when the connection is gone, with the reason; never rejects. */
  readonly closed: Promise<Error>;
  /**
   * Reads the points of one exchange. A station's fault (timeout, exception, damaged answer) is a reading with that
   * quality; only a broken link rejects (LINK_*), or the signal.
   */
  read(station: Station<D>, points: readonly Point<P>[], signal: AbortSignal): Promise<readonly Reading[]>;
  /** Returns when the station has acknowledged. Rejects with FIELD_* or LINK_*. */
  write(station: Station<D>, point: Point<P>, value: Scalar, signal: AbortSignal): Promise<void>;
  /** For stations that speak on their own; returns when the watch is set up. */
  watch?(
    station: Station<D>,
    points: readonly Point<P>[],
    emit: (reading: Reading) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface LinkContext {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A protocol. `L` are the options of a link, `D` the address of a station on it, `P` the address of a point. */
export interface Adapter<L, D, P> {
  readonly name: string;
  readonly link: ObjectSchema<L>;
  readonly station: Schema<D>;
  /** Joined with the mapping's own keys of a point (unit, scale, every …); must not use those names. */
  readonly point: ObjectSchema<P>;
  /** Links with the same key share one medium and so one bus, e.g. the path of the serial port. */
  medium(options: L): string;
  /** Splits points into exchanges; pure, so `causeway plan` can show it. */
  plan(options: L, station: Station<D>, points: readonly Point<P>[]): readonly Exchange<P>[];
  /** Rejects with LINK_*. */
  open(options: L, context: LinkContext, signal: AbortSignal): Promise<Link<D, P>>;
}

/** An adapter whose types are its own business; how the core holds adapters it loaded by name. */
export type AnyAdapter = Adapter<unknown, unknown, unknown>;

/** Forgets the types of an adapter at the one place where it leaves its package. */
export function defineAdapter<L, D, P>(adapter: Adapter<L, D, P>): AnyAdapter {
  return adapter as Adapter<never, never, never> as AnyAdapter;
}
