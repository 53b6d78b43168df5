import type { ResourceModel } from "../model/model.js";
import type { Path } from "../path.js";
import type { ResourceType, Value } from "../value.js";

/** One value to be sent: the path of a resource, or of a resource instance when the resource is multiple. */
export interface Entry {
  readonly path: Path;
  readonly type: ResourceType;
  readonly value: Value;
  /** Time of the measurement; formats that have no time leave it out. */
  readonly atMs?: number;
  /** Prefix of a device behind the gateway (OMA LwM2M Gateway 1.1.1), part of names where a format has names. */
  readonly prefix?: string;
}

/** One value that was received; `null` removes a resource instance (SenML-ETCH, LwM2M CBOR). */
export interface DecodedEntry {
  readonly path: Path;
  readonly value: Value | null;
  readonly atMs?: number;
  readonly prefix?: string;
}

/** Looks up what is at a path, and behind a prefix where the name has one; undefined for unknown resources, whose entries decoders drop. Its errors are passed on. */
export type ResourceLookup = (objectId: number, resourceId: number, prefix?: string) => ResourceModel | undefined;

export interface EncodeContext {
  /** The path that was asked for: TLV and single-value formats are relative to it. */
  readonly target: Path;
  readonly nowMs: number;
  /** Which times of measurement go along, in formats that have them; `historical` when nothing is said. */
  readonly times?: TimesPolicy;
}

/**
 * `none`: no times. `historical`: all of them when any value is older than a second, since a missing time means now.
 * `all`: every time, for samples that are sent on (OMA LwM2M Core 1.2 §7.4.5, RFC 8428 §4.5.3).
 */
export type TimesPolicy = "none" | "historical" | "all";

export interface DecodeContext {
  /** The request's path; a decoder accepts nothing outside of it. */
  readonly target: Path;
  /** The request's prefix (OMA LwM2M Gateway 1.1.1): names must have it. Without it any prefix is taken and returned. */
  readonly prefix?: string;
  readonly resource: ResourceLookup;
  readonly nowMs: number;
}

/** A path that a composite operation names; a prefix means a device behind the gateway. */
export interface NamedPath {
  readonly path: Path;
  readonly prefix?: string;
}

/**
 * Instance id that decoders give when a Create's payload names no instance: the client chooses the id
 * (OMA LwM2M Core 1.2 §6.3.7). It is reserved, so it never means an existing instance.
 */
export const CHOOSE_INSTANCE = 65535;

/** One content format. `decode` and `decodePaths` throw nothing but CausewayError LWM2M_DECODE. */
export interface Codec {
  readonly contentFormat: number;
  readonly name: string;
  /** Throws LWM2M_NOT_ACCEPTABLE when the format cannot express the entries (several of them, NaN in JSON). */
  encode(entries: readonly Entry[], context: EncodeContext): Uint8Array;
  decode(payload: Uint8Array, context: DecodeContext): DecodedEntry[];
  /** What a Read-Composite or Observe-Composite asks for; only in formats that can name paths without values. */
  decodePaths?(payload: Uint8Array): NamedPath[];
}
