import type { Clock } from "../base/clock.js";
import type { Log } from "../base/log.js";
import type { ObjectSchema } from "../base/object-schema.js";
import type { Schema } from "../base/schema.js";
import type { DeviceTraits, Point, Station } from "./point.js";
import type { Reading, Scalar } from "./reading.js";
import type { SerialLineOptions } from "./serial-line.js";
import type { FieldTool } from "./tool.js";

export type { DeviceTraits, Point, PollClass, SetupWrite, Station } from "./point.js";

/** Points that are read together in one exchange on the wire, with what it costs. */
export interface Exchange<P> {
  readonly points: readonly Point<P>[];
  /** For people: "FC4 unit 7, 30 registers from 0". */
  readonly summary: string;
  /** Time on the medium, milliseconds; 0 where it does not matter. */
  readonly wireMs: number;
}

/** Where a watched station's words go. */
export interface WatchSink {
  /** What the station said; one call per message. */
  readings(readings: readonly Reading[]): void;
  /**
   * The station, or who speaks for it (a last will, an availability topic, a lost connection), says that it is gone.
   * Its next good reading brings it back.
   */
  gone(reason: string): void;
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
   * quality; only a broken link rejects (LINK_*), or the signal. When the station refuses an address, all readings are
   * `unsupported`: the device then tries the points of the exchange apart.
   */
  read(station: Station<D>, points: readonly Point<P>[], signal: AbortSignal): Promise<readonly Reading[]>;
  /** Returns when the station has acknowledged. Rejects with FIELD_* or LINK_*. */
  write(station: Station<D>, point: Point<P>, value: Scalar, signal: AbortSignal): Promise<void>;
  /**
   * For stations that speak on their own; returns when the watch is set up, and the signal ends it. Called after each
   * connect with all readable points; the points that `plan` puts into no exchange are learned only this way. Rejects
   * when the station cannot be watched yet, and is then called again some seconds later.
   */
  watch?(station: Station<D>, points: readonly Point<P>[], sink: WatchSink, signal: AbortSignal): Promise<void>;
  /** What an answer usually takes besides the time of its characters; undefined while that is unknown. */
  latencyMs?(): number | undefined;
  /** The last frames, oldest first, for `causeway status` and support. */
  trace?(): readonly TracedFrame[];
}

/** One frame as it stood on the wire. */
export interface TracedFrame {
  /** Counts the frames of a link from 1: who has seen one knows what is new. */
  readonly number: number;
  readonly atMs: number;
  readonly direction: "out" | "in";
  readonly hex: string;
  /** For people, where bytes say less, e.g. topic and payload. */
  readonly text?: string;
}

export interface LinkContext {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * What `${credential:NAME}`, `${env:NAME}` or `${file:PATH}` in the options of a link or a station refers to; other
   * text as it is. Rejects with CONFIG_SECRET_MISSING, which does not name the value.
   */
  secret(text: string): Promise<string>;
}

/** What was learned of a medium while it was used. */
export interface LineKnowledge {
  /** What an answer usually takes besides the time of its characters. */
  readonly latencyMs?: number;
}

/** How a write of a point is confirmed, and how often it may be. */
export interface WriteTerms {
  /** `none`: the device's acknowledgement is all there is. */
  readonly readBack: "none" | { readonly delayMs: number };
  readonly minIntervalMs: number;
}

/** The JavaScript side of a point's type; 64-bit integers count as numbers. */
export type ScalarKind = "number" | "boolean" | "string" | "bytes";

export interface LineFacts {
  /** `host:port`, or the path of the serial port. */
  readonly address: string;
  /** Of a serial line. */
  readonly serial?: Omit<SerialLineOptions, "path">;
  /** Of a session with a message broker. */
  readonly broker?: BrokerFacts;
}

export interface BrokerFacts {
  readonly uri: string;
  readonly clientId: string;
  /** What the broker does with the session when the connection ends. */
  readonly session: "forgotten" | "kept";
  readonly keepAliveS: number;
  readonly security: "none" | "certificate";
}

/** A protocol. `L` are the options of a link, `D` the address of a station on it, `P` the address of a point. */
export interface Adapter<L, D, P> {
  readonly name: string;
  readonly link: ObjectSchema<L>;
  readonly station: Schema<D>;
  /** Joined with the mapping's own keys of a point (unit, scale, every …); must not use those names. */
  readonly point: ObjectSchema<P>;
  /** What a profile says under `protocol` of the device as a whole; a profile has no such key where this is absent. */
  readonly protocol?: Schema<unknown>;
  /** Links with the same key share one medium and so one bus, e.g. the path of the serial port. */
  medium(options: L): string;
  /** Splits points into exchanges; pure, so `causeway plan` can show it. */
  plan(options: L, station: Station<D>, points: readonly Point<P>[], line?: LineKnowledge): readonly Exchange<P>[];
  /** Rejects with LINK_*. */
  open(options: L, context: LinkContext, signal: AbortSignal): Promise<Link<D, P>>;
  /** What a read of the point gives, where that is fixed: lets a mapping be checked before anything opens. Pure. */
  kind?(address: P): ScalarKind | undefined;
  /** What a link's options say of its line, for the objects that show it to servers. Pure. */
  line?(options: L, link: string): LineFacts;
  /** What is wrong between the fields of a link's options, where the schema alone cannot tell. Pure. */
  linkProblem?(options: L): string | undefined;
  /** What a profile must say, or must not, of its type of device. Pure. */
  traitsProblem?(traits: DeviceTraits): string | undefined;
  /** What is wrong between the fields of a point, where the schema alone cannot tell. Pure. */
  pointProblem?(address: P, traits: DeviceTraits, access: Point<P>["access"]): string | undefined;
  /** What the address of a station lacks for the points of its profile. Pure. */
  stationProblem?(address: D, points: readonly Point<P>[], traits: DeviceTraits): string | undefined;
  /**
   * The value that the wire will carry, e.g. rounded to a whole number or to float32: what a read-back must equal.
   * Throws VALUE_INVALID when the point's type cannot hold it. Pure.
   */
  fit?(point: Point<P>, value: Scalar): Scalar;
  /** Read back at once and as often as one likes, when absent. Pure. */
  writeTerms?(options: L, station: Station<D>, point: Point<P>): WriteTerms;
  /**
   * How often a read that got no answer, or a damaged one, is repeated before it counts; 0 when absent. A write never is:
   * the station may have carried it out. Pure.
   */
  retries?(options: L): number;
  /**
   * How long a station that only speaks on its own may be silent, if its profile does not say; for ever when absent. It
   * may always be silent for five times its usual interval.
   */
  readonly silenceMs?: number;
  /** `causeway scan NAME`: finds stations, and the profiles that fit them. Its code is loaded when somebody asks. */
  scan?(): Promise<FieldTool<P>>;
  /** `causeway read NAME`: reads from a station that no profile knows, and shows what the bytes could mean. */
  read?(): Promise<FieldTool<P>>;
  /** Stations made of their points, which speak the real protocol: for the demo and for tests. */
  simulate?(options: L, stations: readonly SimulatedStation<D, P>[], context: LinkContext): Promise<SimulatedField<L>>;
}

export interface SimulatedStation<D, P> {
  readonly station: Station<D>;
  readonly points: readonly Point<P>[];
}

export interface SimulatedField<L> extends AsyncDisposable {
  /** The options with which a link reaches the simulated stations. */
  readonly link: L;
  /** Names that are not there throw INTERNAL, values that do not fit VALUE_INVALID. */
  set(station: string, point: string, value: Scalar): void;
  get(station: string, point: string): Scalar;
}

/** An adapter whose types are its own business; how the core holds adapters it loaded by name. */
export type AnyAdapter = Adapter<unknown, unknown, unknown>;

/** Forgets the types of an adapter at the one place where it leaves its package. */
export function defineAdapter<L, D, P>(adapter: Adapter<L, D, P>): AnyAdapter {
  return adapter as Adapter<never, never, never> as AnyAdapter;
}
