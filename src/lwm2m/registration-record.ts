import type { Clock } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { ServerAccount } from "./account.js";
import type { RegistrationStatus } from "./client-options.js";
import type { Registration, RegistrationEvent } from "./registration.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The story of one registration, as the status shows it and the log tells it; times are wall clock milliseconds. */
export class RegistrationRecord {
  readonly #account: ServerAccount;
  readonly #clock: Clock;
  readonly #log: Log;
  #registeredAtMs: number | undefined;
  #provenAtMs: number | undefined;
  #proofAskedAtMs = 0;
  #retryAtMs: number | undefined;
  #lastFailure: string | undefined;
  #loggedFailure: string | undefined;

  constructor(account: ServerAccount, clock: Clock, log: Log) {
    this.#account = account;
    this.#clock = clock;
    this.#log = log;
  }

  status(now: Registration, observations: number): RegistrationStatus {
    const { uri, shortServerId } = this.#account;
    const state = now.state === "updating" ? "registered" : now.state;
    // Field by field, since each proof that the server lives makes one.
    const status: Mutable<RegistrationStatus> = { shortServerId, uri, state, observations };
    if ("accepted" in now && now.state !== "deregistering") status.version = now.accepted.version;
    if (this.#registeredAtMs !== undefined) status.registeredAtMs = this.#registeredAtMs;
    if (this.#provenAtMs !== undefined) status.provenAtMs = this.#provenAtMs;
    if (this.#retryAtMs !== undefined) status.retryAtMs = this.#retryAtMs;
    if (this.#lastFailure !== undefined) status.lastFailure = this.#lastFailure;
    return status;
  }

  /** Keeps what the change of state means, and logs it when it is news. */
  note(before: Registration, after: Registration, event: RegistrationEvent): void {
    if (event.kind === "rejected") this.#lastFailure = event.code;
    if (event.kind === "lost") this.#lastFailure = "COAP_TIMEOUT";
    if (after.state === before.state) return;
    this.#retryAtMs = undefined;
    const { uri } = this.#account;
    switch (after.state) {
      case "registered":
        if (before.state === "updating") break;
        this.#registeredAtMs = this.#clock.nowMs();
        this.#lastFailure = undefined;
        this.#loggedFailure = undefined;
        this.#log.info("registered", { uri, version: after.accepted.version, location: after.accepted.location });
        break;
      case "registering":
        if (before.state !== "registered" && before.state !== "updating") break;
        this.#log.warn("registration lost, registering anew", { uri, failure: this.#lastFailure });
        break;
      case "waiting":
        // The same failure over and over is no news.
        if (before.state !== "registering" || this.#loggedFailure === this.#lastFailure) break;
        this.#loggedFailure = this.#lastFailure;
        this.#log.warn("registration failed, it is tried again", { uri, failure: this.#lastFailure });
        break;
      case "disabled":
        this.#log.info("disabled by the server", { uri });
        break;
      case "closed":
        if (before.state === "deregistering") this.#log.info("de-registered", { uri });
        break;
      default:
        break;
    }
    if (after.state !== "registered" && after.state !== "updating") this.#registeredAtMs = undefined;
  }

  /** Before the event that it leads to. */
  noteFailure(error: unknown): void {
    this.#lastFailure = error instanceof CausewayError ? error.code : toError(error).message;
  }

  noteWait(now: Registration, delayMs: number): void {
    if (now.state !== "waiting" && now.state !== "disabled") return;
    this.#retryAtMs = this.#clock.nowMs() + Math.round(delayMs);
  }

  /** The server acknowledged what was sent then; false when that is no news. */
  prove(sentAtMs: number): boolean {
    if (sentAtMs <= (this.#provenAtMs ?? 0)) return false;
    this.#provenAtMs = sentAtMs;
    return true;
  }

  /** What was measured since then may not have been taken, whatever has been proven so far. */
  doubt(sinceMs: number): void {
    if (this.#provenAtMs !== undefined) this.#provenAtMs = Math.min(this.#provenAtMs, sinceMs - 1);
  }

  /** The server has asked something just now; false when it did so a moment ago, too. */
  proveNow(): boolean {
    const nowMs = this.#clock.nowMs();
    return nowMs - (this.#provenAtMs ?? 0) > PROOF_GRAIN_MS && this.prove(nowMs);
  }

  /** Whether nothing has proven for so long that the server lives; true once per period, since to ask once is enough. */
  isProofDue(confirmEveryMs: number | undefined): boolean {
    if (confirmEveryMs === undefined) return false;
    const nowMs = this.#clock.nowMs();
    if (nowMs - Math.max(this.#provenAtMs ?? 0, this.#proofAskedAtMs) < confirmEveryMs) return false;
    this.#proofAskedAtMs = nowMs;
    return true;
  }
}

/** A server that asks much proves itself no more often than this. */
const PROOF_GRAIN_MS = 1000;
