import { fromHex, toHex } from "../../base/bytes.js";
import type { Clock, Timer } from "../../base/clock.js";
import { CausewayError, toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import type { CoapRequest } from "../../coap/request.js";
import type { ClientState, Json } from "../state/client-state.js";
import { jsonOfValue } from "../state/value-json.js";
import { keyOfToken, type Observation, tokenOf } from "./observed.js";

/** An observation as it outlives the process; times are wall clock milliseconds. */
export interface KeptObservation {
  readonly token: Uint8Array;
  readonly request: CoapRequest;
  readonly sinceMs: number;
  /** When the server was told last, and when the last time by a confirmable notification. */
  readonly sentAtMs: number;
  readonly conAtMs: number;
  /** What it was told, by `keyOf` as text. */
  readonly values: ReadonlyMap<string, Json>;
}

/** What was told last is written no more often than this: fast values would wear the disk for little. */
const SAVE_EVERY_MS = 10_000;
/** So many are written at a time, that thousands of them do not hold up everything else. */
const SLICE = 250;
const SLICE_PAUSE_MS = 50;

/**
 * Where the observations of one server outlive the process: section `observations`, key `ID/TOKEN`. That there is one
 * is written at once, what the server was told some ten seconds later or at `close`. What cannot be understood is left out,
 * with a line in the log.
 */
export class ObservationShelf {
  readonly #state: ClientState;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** By token; from the first one on. */
  #changed: Map<string, Observation> | undefined;
  #timer: Timer | undefined;

  constructor(state: ClientState, shortServerId: number, clock: Clock, log: Log) {
    this.#state = state;
    this.#root = `${shortServerId}/`;
    this.#clock = clock;
    this.#log = log;
  }

  get kept(): readonly KeptObservation[] {
    const kept: KeptObservation[] = [];
    for (const [key, document] of this.#state.load("observations")) {
      if (!key.startsWith(this.#root)) continue;
      try {
        kept.push(observationOfJson(fromHex(key.slice(this.#root.length)), document));
      } catch (error) {
        this.#log.warn("a kept observation was left out", { token: key, error: toError(error) });
        this.#state.remove("observations", key);
      }
    }
    return kept;
  }

  keep(observation: Observation): void {
    this.#changed?.delete(observation.tokenKey);
    this.#state.put("observations", this.#keyOf(tokenOf(observation)), this.#jsonOf(observation));
  }

  /** The server was told something. */
  note(observation: Observation): void {
    this.#changed ??= new Map();
    this.#changed.set(observation.tokenKey, observation);
    this.#timer ??= this.#clock.schedule(SAVE_EVERY_MS, () => this.#saveSlice(this.#changed?.size ?? 0));
  }

  forget(token: Uint8Array): void {
    this.#changed?.delete(keyOfToken(token));
    this.#state.remove("observations", this.#keyOf(token));
  }

  /** All of them, also those that were not restored. */
  clear(): void {
    this.#changed?.clear();
    for (const key of this.#state.load("observations").keys()) {
      if (key.startsWith(this.#root)) this.#state.remove("observations", key);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const observation of this.#changed?.values() ?? []) this.keep(observation);
  }

  /** Those that changed first, of so many that are due. */
  #saveSlice(due: number): void {
    this.#timer = undefined;
    let left = due;
    for (const observation of this.#changed?.values() ?? []) {
      if (left === 0 || due - left === SLICE) break;
      left--;
      this.keep(observation);
    }
    const waiting = this.#changed?.size ?? 0;
    if (waiting === 0) return;
    const [pauseMs, next] = left > 0 ? [SLICE_PAUSE_MS, left] : [SAVE_EVERY_MS, undefined];
    this.#timer = this.#clock.schedule(pauseMs, () => this.#saveSlice(next ?? this.#changed?.size ?? 0));
  }

  #keyOf(token: Uint8Array): string {
    return this.#root + toHex(token);
  }

  #jsonOf(observation: Observation): Json {
    const { sinceMs, sentMs, lastConMs, sent, payload } = observation;
    const { method, path, query, contentFormat, accept } = observation.request;
    // Monotonic time ends with the process.
    const wallMs = (monotonicMs: number): number =>
      Math.round(this.#clock.nowMs() - (this.#clock.monotonicMs() - monotonicMs));
    return {
      method,
      path,
      query,
      ...(contentFormat === undefined ? {} : { contentFormat }),
      ...(accept === undefined ? {} : { accept }),
      payload: toHex(payload),
      sinceMs,
      sentAtMs: wallMs(sentMs),
      conAtMs: wallMs(lastConMs),
      values: Object.fromEntries([...sent].map(([key, value]) => [key, jsonOfValue(value)])),
    };
  }
}

/** Nothing is left of servers whose accounts are gone: registrations, observations, attributes. */
export function keepServers(state: ClientState, shortServerIds: ReadonlySet<number>): void {
  for (const section of ["registrations", "attributes", "observations"] as const) {
    for (const key of state.load(section).keys()) {
      if (!shortServerIds.has(Number.parseInt(key, 10))) state.remove(section, key);
    }
  }
}

function observationOfJson(token: Uint8Array | undefined, json: Json): KeptObservation {
  if (!isObject(json) || token === undefined) throw invalid("no observation");
  const method = json["method"];
  const values = json["values"] ?? null;
  if (method !== "GET" && method !== "FETCH") throw invalid("no method");
  if (!isObject(values)) throw invalid("no values");
  const { contentFormat, accept } = { contentFormat: json["contentFormat"], accept: json["accept"] };
  const payload = typeof json["payload"] === "string" ? fromHex(json["payload"]) : undefined;
  if (payload === undefined) throw invalid("no payload");
  return {
    token,
    request: {
      method,
      path: textsOf(json["path"]),
      query: textsOf(json["query"]),
      ...(contentFormat === undefined ? {} : { contentFormat: numberOf(contentFormat) }),
      ...(accept === undefined ? {} : { accept: numberOf(accept) }),
      observe: 0,
      payload,
    },
    sinceMs: numberOf(json["sinceMs"]),
    sentAtMs: numberOf(json["sentAtMs"]),
    conAtMs: numberOf(json["conAtMs"]),
    values: new Map(Object.entries(values)),
  };
}

function isObject(json: Json): json is { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function textsOf(json: Json | undefined): readonly string[] {
  if (!Array.isArray(json)) throw invalid("no list of texts");
  return json.map((text: Json) => {
    if (typeof text !== "string") throw invalid("no list of texts");
    return text;
  });
}

function numberOf(json: Json | undefined): number {
  if (typeof json !== "number" || !Number.isFinite(json)) throw invalid("no number");
  return json;
}

function invalid(what: string): CausewayError {
  return new CausewayError("STATE_INVALID", `what was kept of an observation has ${what}`);
}
