import { NO_BYTES } from "../../base/bytes.js";
import type { Timer } from "../../base/clock.js";
import type { CoapRequest, IncomingRequest } from "../../coap/request.js";
import type { Codec } from "../codec/codec.js";
import { formatPath, isWithin, type Path } from "../path.js";
import type { Sample, Value } from "../value.js";
import type { TreeView, ViewedPath } from "../views.js";
import type { Attributes } from "./attributes.js";
import type { ObservationScope, ObservationTerms } from "./observation-terms.js";

/** The last evaluation of one value, and what has come too soon after it. */
export interface Evaluation {
  /** Monotonic. */
  atMs: number;
  held: { readonly timer: Timer; sample: Sample } | undefined;
}

/** A value that the server is to be told of. */
export interface Change extends Sample {
  readonly path: Path;
  readonly prefix: string | undefined;
}

/** What is observed, in which format, and by which attributes. */
export interface Observable extends ObservationScope {
  /** Of the target; the paths of an Observe-Composite may be of any. */
  readonly view: TreeView;
  readonly paths: readonly ViewedPath[];
  readonly codec: Codec;
}

/** One of the paths that an observation covers. */
export interface ObservedPath extends ViewedPath {
  readonly observation: Observation;
  attributes: Attributes;
}

/** One observation as it is carried on. */
export interface Observation extends Observable {
  /** Set once, when the observation is there for them to refer to. */
  paths: readonly ObservedPath[];
  /** The token as Latin-1 text, which takes a fraction of the memory of bytes; `tokenOf` gives them. */
  readonly tokenKey: string;
  /** Without its payload, since later blocks are asked for by path. */
  readonly request: CoapRequest;
  readonly payload: Uint8Array;
  /** Wall clock. */
  sinceMs: number;
  /** Of the one path; of several, the periods that hold for all. */
  attributes: Attributes;
  delivery: "CON" | "NON";
  /** What the next value is compared with, by `keyOf`: what the server was last told, or the other side of an edge. */
  readonly sent: Map<number | string, Value>;
  /** Monotonic. */
  sentMs: number;
  lastConMs: number;
  /** Wall clock; when the newest value that the server was told was measured. */
  toldMs: number;
  /**
   * The newest change that the server does not know; `everything` is one of what there is, or says that the server may
   * have missed what it was told.
   */
  pending: Change | "everything" | undefined;
  isInFlight: boolean;
  /** Wall clock of the oldest measurement that is due to be told but not acknowledged. */
  underwaySinceMs: number | undefined;
  /** Measurements, by wall clock, that newer ones overtook because the network is slower than the field. */
  overtaken: { readonly fromMs: number; readonly toMs: number } | undefined;
  /** By `keyOf`, the wall clock of the newest measurement that a stored notification told. */
  storedMs: Map<number | string, number> | undefined;
  /** By `keyOf`, of what has an epmin. */
  evaluations: Map<number | string, Evaluation> | undefined;
  /** Monotonic; when something is to be done, and when the timer fires to look whether it is. */
  dueMs: number | undefined;
  timer: { readonly atMs: number; readonly timer: Timer } | undefined;
}

/** A new one, of which the server knows what `request` is answered with. `nowMs` is monotonic, `sinceMs` wall clock. */
export function beginObservation(
  observable: Observable,
  request: IncomingRequest,
  { whole, each, delivery }: ObservationTerms,
  nowMs: number,
  sinceMs: number,
): Observation {
  const { view, target, codec, own } = observable;
  const observation: Observation = {
    view,
    target,
    paths: [],
    codec,
    own,
    tokenKey: keyOfToken(request.token),
    request: requestToKeep(request),
    payload: request.payload,
    sinceMs,
    attributes: whole,
    delivery,
    sent: new Map(),
    sentMs: nowMs,
    toldMs: Number.NEGATIVE_INFINITY,
    lastConMs: nowMs,
    pending: undefined,
    isInFlight: false,
    underwaySinceMs: undefined,
    overtaken: undefined,
    storedMs: undefined,
    evaluations: undefined,
    dueMs: undefined,
    timer: undefined,
  };
  observation.paths = observable.paths.map(({ view, path }, index) => {
    return { view, path, observation, attributes: each[index] ?? whole };
  });
  return observation;
}

/** Field by field and with lists of their length: a spread would give each of thousands a hidden class of its own. */
function requestToKeep({ method, path, query, contentFormat, accept, observe }: IncomingRequest): CoapRequest {
  return {
    method,
    path: path.slice(),
    query: query.slice(),
    ...(contentFormat === undefined ? {} : { contentFormat }),
    ...(accept === undefined ? {} : { accept }),
    ...(observe === undefined ? {} : { observe }),
    payload: NO_BYTES,
  };
}

export function keyOfToken(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString("latin1");
}

export function tokenOf({ tokenKey }: Observation): Uint8Array {
  return Buffer.from(tokenKey, "latin1");
}

/**
 * What notifications did about a measurement: nothing (`unobserved`), nothing because it is older than the observation
 * (`earlier`), it is on its way (`underway`), a newer one took its place (`overtaken`), or the server was told of it or
 * had attributes by which it need not be (`told`).
 */
export type Telling = "unobserved" | "earlier" | "underway" | "overtaken" | "told";

/** From the least that can be said to the most. */
export const TELLINGS: readonly Telling[] = ["unobserved", "earlier", "overtaken", "underway", "told"];

/** `atMs` is the wall clock of the measurement at the path with the key. */
export function tellingOf(observation: Observation, key: number | string, atMs: number): Telling {
  const { sinceMs, underwaySinceMs, overtaken, storedMs } = observation;
  if (atMs <= (storedMs?.get(key) ?? Number.NEGATIVE_INFINITY)) return "told";
  if (atMs < sinceMs) return "earlier";
  if (overtaken !== undefined && atMs >= overtaken.fromMs && atMs <= overtaken.toMs) return "overtaken";
  return underwaySinceMs !== undefined && atMs >= underwaySinceMs ? "underway" : "told";
}

/** Overtaken measurements further apart than this are two stretches, of which the later one counts. */
const STRETCH_GAP_MS = 60_000;

/** The change that waits is replaced by a newer one. While nothing can be sent, all of it is one stretch. */
export function overtake(observation: Observation, change: Change, state: "running" | "paused"): void {
  const { pending, overtaken } = observation;
  observation.pending = change;
  // Values of one poll have one time and are told together.
  if (pending === undefined || pending === "everything" || pending.atMs === change.atMs) return;
  const continues = overtaken !== undefined && (state === "paused" || pending.atMs - overtaken.toMs < STRETCH_GAP_MS);
  observation.overtaken = { fromMs: continues ? overtaken.fromMs : pending.atMs, toMs: pending.atMs };
}

/** What the server was told of measurements since then (wall clock) may not have arrived. */
export function doubt(observation: Observation, fromMs: number): void {
  const { toldMs, sinceMs, overtaken } = observation;
  if (toldMs < fromMs) return;
  observation.overtaken = {
    fromMs: Math.max(sinceMs, Math.min(fromMs, overtaken?.fromMs ?? fromMs)),
    toMs: Math.max(toldMs, overtaken?.toMs ?? toldMs),
  };
  observation.pending ??= "everything";
}

/** The wall clock was set back: what was measured before is none of the observation's, what comes is from now on. */
export function beginTimes(observation: Observation, nowMs: number): void {
  const { pending, underwaySinceMs } = observation;
  observation.sinceMs = nowMs;
  observation.toldMs = Number.NEGATIVE_INFINITY;
  observation.overtaken = undefined;
  observation.storedMs = undefined;
  if (underwaySinceMs !== undefined) observation.underwaySinceMs = nowMs;
  if (pending !== undefined && pending !== "everything") observation.pending = { ...pending, atMs: nowMs };
}

/** The server has acknowledged what was measured then. */
export function acknowledge(observation: Observation, toldMs: number): void {
  const { overtaken } = observation;
  observation.underwaySinceMs = undefined;
  if (overtaken?.toMs !== toldMs) return;
  observation.overtaken = overtaken.fromMs < toldMs ? { fromMs: overtaken.fromMs, toMs: toldMs - 1 } : undefined;
}

/**
 * Instance, resource and resource instance in one number of 48 bits, as the object of an Observe is the same for all; of
 * an Observe-Composite the path as text, with the prefix of the device.
 */
export function keyOf({ target }: Observation, path: Path, prefix: string | undefined): number | string {
  if (target.length === 0) return prefix === undefined ? formatPath(path) : `/${prefix}${formatPath(path)}`;
  const [, instanceId = 0, resourceId = 0, resourceInstanceId = 0] = path;
  return (instanceId * 0x1_0000 + resourceId) * 0x1_0000 + resourceInstanceId;
}

/** Those of the part that covers the path. */
export function attributesAt(
  { target, paths, attributes }: Observation,
  path: Path,
  prefix: string | undefined,
): Attributes {
  if (target.length > 0) return attributes;
  return paths.find((one) => one.view.prefix === prefix && isWithin(path, one.path))?.attributes ?? attributes;
}

/** `nowMs` is monotonic. */
export function isWithinPmin({ sentMs, attributes }: Observation, nowMs: number): boolean {
  return nowMs < sentMs + (attributes.pmin ?? 0) * 1000;
}
