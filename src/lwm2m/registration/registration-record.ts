import type { Clock } from "../../base/clock.js";
import { CausewayError, toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import type { ServerAccount } from "../account/account.js";
import type { RegistrationStatus } from "../client-options.js";
import type { KeptRegistration } from "./kept-registration.js";
import { acceptedOf, isLive, type Registration, type RegistrationEvent } from "./registration.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The story of one registration, as the status shows it and the log tells it; times are wall clock milliseconds. */
export class RegistrationRecord {
  readonly #account: ServerAccount;
  readonly #clock: Clock;
  readonly #log: Log;
  #registeredAtMs: number | undefined;
  #provenAtMs: number | undefined;
  /** Monotonic; when the last proof came, or was asked for. */
  #proofDealtMs = Number.NEGATIVE_INFINITY;
  #retryAtMs: number | undefined;
  /** Monotonic. */
  #backMs = Number.NEGATIVE_INFINITY;
  #backAtMs: number | undefined;
  #lastFailure: string | undefined;
  #loggedFailure: string | undefined;

  constructor(account: ServerAccount, clock: Clock, log: Log) {
    this.#account = account;
    this.#clock = clock;
    this.#log = log;
  }

  get registeredAtMs(): number | undefined {
    return this.#registeredAtMs;
  }

  get provenAtMs(): number | undefined {
    return this.#provenAtMs;
  }

  /** Goes on with the story of the process before. */
  restore({ registeredAtMs, provenAtMs }: KeptRegistration): void {
    this.#registeredAtMs = registeredAtMs;
    this.#provenAtMs = provenAtMs;
  }

  status(now: Registration, observations: number, awake: "awake" | "asleep"): RegistrationStatus {
    const { uri, shortServerId } = this.#account;
    const state = stateOf(now, awake);
    // Field by field, since each proof that the server lives makes one.
    const status: Mutable<RegistrationStatus> = { shortServerId, uri, state, observations };
    const accepted = acceptedOf(now);
    if (accepted !== undefined) status.version = accepted.version;
    if (this.#registeredAtMs !== undefined) status.registeredAtMs = this.#registeredAtMs;
    if (this.#backAtMs !== undefined) status.backAtMs = this.#backAtMs;
    if (this.#provenAtMs !== undefined) status.provenAtMs = this.#provenAtMs;
    if (this.#retryAtMs !== undefined) status.retryAtMs = this.#retryAtMs;
    if (this.#lastFailure !== undefined) status.lastFailure = this.#lastFailure;
    return status;
  }

  /** Keeps what the change of state means, and logs it when it is news. */
  note(before: Registration, after: Registration, event: RegistrationEvent): void {
    if (event.kind === "rejected") this.#lastFailure = event.code;
    if (event.kind === "lost") this.#lastFailure = "COAP_TIMEOUT";
    if (event.kind === "estranged") this.#lastFailure = event.because;
    if (after.state === before.state) return;
    this.#retryAtMs = undefined;
    const { uri } = this.#account;
    switch (after.state) {
      case "registered":
        if (before.state === "updating") break;
        if (before.state === "reviving") {
          this.#backMs = this.#clock.monotonicMs();
          this.#backAtMs = this.#clock.nowMs();
          this.#lastFailure = undefined;
          this.#loggedFailure = undefined;
          this.#log.info("in touch again, the registration goes on", { uri, location: after.accepted.location });
          break;
        }
        this.#registeredAtMs = this.#clock.nowMs();
        this.#lastFailure = undefined;
        this.#loggedFailure = undefined;
        this.#log.info("registered", { uri, version: after.accepted.version, location: after.accepted.location });
        break;
      case "registering":
        if (acceptedOf(before) === undefined || before.state === "held") break;
        this.#log.warn("registration lost, registering anew", { uri, failure: this.#lastFailure });
        break;
      case "reviving":
        if (before.state !== "idle") break;
        this.#log.info("the registration of before is taken up again", { uri, location: after.accepted.location });
        break;
      case "lost":
      case "waiting":
        // The same failure over and over is no news.
        if (before.state === "idle" || this.#loggedFailure === this.#lastFailure) break;
        this.#loggedFailure = this.#lastFailure;
        this.#log.warn(NO_ANSWER[after.state], { uri, failure: this.#lastFailure });
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
    if (acceptedOf(after) === undefined) this.#registeredAtMs = undefined;
  }

  /** The wall clock was set back: its times begin anew. */
  beginTimes(nowMs: number): void {
    if (this.#registeredAtMs !== undefined) this.#registeredAtMs = nowMs;
    if (this.#backAtMs !== undefined) this.#backAtMs = nowMs;
    if (this.#provenAtMs !== undefined) this.#provenAtMs = nowMs;
  }

  /** Before the event that it leads to. */
  noteFailure(error: unknown): void {
    this.#lastFailure = error instanceof CausewayError ? error.code : toError(error).message;
  }

  noteWait(now: Registration, delayMs: number): void {
    if (now.state !== "waiting" && now.state !== "lost" && now.state !== "disabled") return;
    this.#retryAtMs = this.#clock.nowMs() + Math.round(delayMs);
  }

  /** The server acknowledged what was sent then; false when that is no news. */
  prove(sentAtMs: number): boolean {
    this.#proofDealtMs = this.#clock.monotonicMs();
    if (sentAtMs <= (this.#provenAtMs ?? 0)) return false;
    this.#provenAtMs = sentAtMs;
    return true;
  }

  /** A server that answers Updates but acknowledges no notification is to begin from the start. */
  afterLoss(): RegistrationEvent {
    return this.#isBackSince(LOST_AGAIN_MS) ? UNACKNOWLEDGED : { kind: "lost" };
  }

  /**
   * What was measured since `sinceMs` was not taken, whatever has been proven so far. A server that was started anew
   * rejects what it no longer knows; an Update finds out whether that is everything. One that rejects soon after it was
   * out of touch has the registration but not the observations: only a new registration makes it observe again.
   */
  afterRejection(sinceMs: number): RegistrationEvent {
    if (this.#provenAtMs !== undefined) this.#provenAtMs = Math.min(this.#provenAtMs, sinceMs - 1);
    return this.#isBackSince(SETTLING_MS) ? FORGOTTEN : { kind: "changed" };
  }

  /** The server has asked something just now; false when it did so a moment ago, too. */
  proveNow(): boolean {
    const nowMs = this.#clock.nowMs();
    return nowMs - (this.#provenAtMs ?? 0) > PROOF_GRAIN_MS && this.prove(nowMs);
  }

  /** Whether nothing has proven for so long that the server lives; true once per period, since to ask once is enough. */
  isProofDue(confirmEveryMs: number | undefined): boolean {
    if (confirmEveryMs === undefined) return false;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#proofDealtMs < confirmEveryMs) return false;
    this.#proofDealtMs = nowMs;
    return true;
  }

  /** Whether the server was out of touch until less than so long ago. */
  #isBackSince(ms: number): boolean {
    return this.#clock.monotonicMs() - this.#backMs < ms;
  }
}

const UNACKNOWLEDGED = { kind: "estranged", because: "notifications are not acknowledged" } as const;
const FORGOTTEN = { kind: "estranged", because: "the server has forgotten what it observed" } as const;

/** So long after it was out of touch a server that rejects a notification may have forgotten what it observed. */
const SETTLING_MS = 60_000;
/** Twice the time that a notification takes to be lost. */
const LOST_AGAIN_MS = 186_000;

const NO_ANSWER = {
  waiting: "registration failed, it is tried again",
  lost: "the server is out of touch; the registration is kept up as long as it lasts",
} as const;

function stateOf(now: Registration, awake: "awake" | "asleep"): RegistrationStatus["state"] {
  if (!isLive(now)) return now.state;
  return awake === "asleep" ? "asleep" : "registered";
}

/** A server that asks much proves itself no more often than this. */
const PROOF_GRAIN_MS = 1000;
