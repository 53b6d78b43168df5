import type { ResourceModel } from "../model.js";
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

/** Looks up what is at a path; undefined for unknown resources, whose entries decoders drop. */
export type ResourceLookup = (objectId: number, resourceId: number) => ResourceModel | undefined;

export interface EncodeContext {
  /** The path that was asked for: TLV and single-value formats are relative to it. */
  readonly target: Path;
  readonly nowMs: number;
}

export interface DecodeContext {
  /** The request's path; a decoder accepts nothing outside of it. */
  readonly target: Path;
  readonly resource: ResourceLookup;
  readonly nowMs: number;
}

/** One content format. `decode` throws nothing but CausewayError LWM2M_DECODE. */
export interface Codec {
  readonly contentFormat: number;
  readonly name: string;
  encode(entries: readonly Entry[], context: EncodeContext): Uint8Array;
  decode(payload: Uint8Array, context: DecodeContext): DecodedEntry[];
}
