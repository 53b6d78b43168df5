import type { ServerAccount } from "../account/account.js";
import { type AlternatePath, formatAlternatePath } from "../alternate-path.js";
import type { Lwm2mVersion } from "../model/models.js";
import type { ClientState, Json } from "../state/client-state.js";
import { type Accepted, acceptedOf, type Registration, VERSIONS } from "./registration.js";
import type { RegistrationParameters } from "./registration-request.js";

/** A registration as it outlives the process; times are wall clock milliseconds. */
export interface KeptRegistration {
  readonly uri: string;
  readonly accepted: Accepted;
  readonly registeredAtMs: number;
  /** What was measured later may not have been taken. */
  readonly provenAtMs: number;
  /** What the server knows of the client. */
  readonly known: RegistrationParameters;
  /** The end of the connection that the server knows; absent where it does not matter. */
  readonly localAddress?: string;
}

interface RegistrationTimes {
  readonly registeredAtMs: number | undefined;
  readonly provenAtMs: number | undefined;
}

/** Where the registration with one server outlives the process. */
export class RegistrationShelf {
  readonly #state: ClientState;
  readonly #account: ServerAccount;
  /** What the object list begins with. */
  readonly #rootLink: string;

  constructor(state: ClientState, account: ServerAccount, alternatePath: AlternatePath) {
    this.#state = state;
    this.#account = account;
    this.#rootLink = `<${formatAlternatePath(alternatePath) || "/"}>`;
  }

  /** Undefined when the server has forgotten it by now, or when the server or the place of the objects is another. */
  take(nowMs: number): KeptRegistration | undefined {
    const kept = registrationOfJson(this.#state.load("registrations").get(this.#key));
    if (kept === undefined || kept.uri !== this.#account.uri) return undefined;
    const untilMs = kept.accepted.untilMs ?? Number.POSITIVE_INFINITY;
    return kept.known.links.startsWith(this.#rootLink) && nowMs < untilMs ? kept : undefined;
  }

  /** Keeps what the server may still have of the client; forgets it when that is nothing. */
  keep(
    now: Registration,
    known: RegistrationParameters | undefined,
    { registeredAtMs, provenAtMs = registeredAtMs }: RegistrationTimes,
    localAddress: string | undefined,
  ): void {
    const accepted = acceptedOf(now);
    if (accepted === undefined || known === undefined || registeredAtMs === undefined || provenAtMs === undefined) {
      this.clear();
      return;
    }
    const { uri } = this.#account;
    const address = localAddress === undefined ? {} : { localAddress };
    const kept = { uri, accepted, registeredAtMs, provenAtMs, known, ...address };
    this.#state.put("registrations", this.#key, jsonOfRegistration(kept));
  }

  clear(): void {
    this.#state.remove("registrations", this.#key);
  }

  get #key(): string {
    return String(this.#account.shortServerId);
  }
}

export function jsonOfRegistration(kept: KeptRegistration): Json {
  const { uri, accepted, registeredAtMs, provenAtMs, known, localAddress } = kept;
  return {
    uri,
    version: accepted.version,
    location: accepted.location,
    ...(accepted.untilMs === undefined ? {} : { untilMs: accepted.untilMs }),
    registeredAtMs,
    provenAtMs,
    lifetimeS: known.lifetimeS,
    binding: known.binding,
    links: known.links,
    ...(localAddress === undefined ? {} : { localAddress }),
  };
}

/** Undefined for what is no registration. */
export function registrationOfJson(json: Json | undefined): KeptRegistration | undefined {
  if (json === undefined || json === null || typeof json !== "object" || Array.isArray(json)) return undefined;
  const fields = new Map<string, Json>(Object.entries(json));
  const uri = fields.get("uri");
  const version = VERSIONS.find((known): known is Lwm2mVersion => known === fields.get("version"));
  const location = segmentsOf(fields.get("location"));
  const untilMs = fields.get("untilMs");
  const registeredAtMs = fields.get("registeredAtMs");
  const provenAtMs = fields.get("provenAtMs");
  const known = parametersOf(fields);
  const localAddress = fields.get("localAddress");
  if (typeof uri !== "string" || version === undefined || location === undefined || known === undefined)
    return undefined;
  if (typeof registeredAtMs !== "number" || typeof provenAtMs !== "number") return undefined;
  return {
    uri,
    accepted: { version, location, ...(typeof untilMs === "number" ? { untilMs } : {}) },
    registeredAtMs,
    provenAtMs,
    known,
    ...(typeof localAddress === "string" ? { localAddress } : {}),
  };
}

function segmentsOf(json: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const segments = json.filter((segment): segment is string => typeof segment === "string");
  return segments.length === json.length ? segments : undefined;
}

function parametersOf(fields: ReadonlyMap<string, Json>): RegistrationParameters | undefined {
  const lifetimeS = fields.get("lifetimeS");
  const binding = fields.get("binding");
  const links = fields.get("links");
  if (typeof lifetimeS !== "number" || typeof binding !== "string" || typeof links !== "string") return undefined;
  return { lifetimeS, binding, links };
}
