import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { Scope } from "../base/scope.js";
import type { OpenPeer, ServerAccount } from "./account.js";
import type { Entry } from "./codec/codec.js";
import type { ModelRegistry } from "./model.js";
import type { Lwm2mVersion } from "./models.js";
import type { Path } from "./path.js";
import type { ObjectTree } from "./tree.js";

export type { OpenPeer, SecurityMode, ServerAccount } from "./account.js";

export interface ClientOptions {
  /** Endpoint client name, a URN by preference (OMA LwM2M Core 1.2 §7.4). */
  readonly endpoint: string;
  /** The client adds objects 0 and 1 for its accounts; object 3 (`addDevice`) and all others are the caller's. */
  readonly tree: ObjectTree;
  readonly models: ModelRegistry;
  readonly servers: readonly ServerAccount[];
  readonly openPeer: OpenPeer;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1; spreads retries. */
  readonly random: () => number;
}

/** What is known of one server at this moment; times are wall clock milliseconds. */
export interface RegistrationStatus {
  readonly shortServerId: number;
  readonly uri: string;
  /**
   * `waiting` for the next attempt (`retryAtMs`), `disabled` by the server (until `retryAtMs`). An Update under way
   * still counts as registered.
   */
  readonly state: "idle" | "registering" | "registered" | "waiting" | "disabled" | "deregistering" | "closed";
  /** The version that the server accepted. */
  readonly version?: Lwm2mVersion;
  /** When the server accepted the present registration; absent while there is none. */
  readonly registeredAtMs?: number;
  /** When the newest message that the server has acknowledged was sent: it lived then. */
  readonly provenAtMs?: number;
  readonly retryAtMs?: number;
  /** Why the last attempt failed: an error code, or a response code such as "4.03". */
  readonly lastFailure?: string;
  readonly observations: number;
}

/** One endpoint name and its registrations with all of its servers (OMA LwM2M Core 1.2 §6.2). */
export class Lwm2mClient implements AsyncDisposable {
  /** Adds objects 0 and 1 to the tree; throws LWM2M_MODEL when their definitions are missing. */
  constructor(_options: ClientOptions) {
    throw new CausewayError("INTERNAL", "not built yet");
  }

  /** Begins to register and returns at once; closing the scope closes the client. */
  start(_scope: Scope): void {}

  /** One entry per server, in the order of the accounts. */
  get registrations(): readonly RegistrationStatus[] {
    return [];
  }

  /** Hears of every change of state, of each new proof that the server lives and of observations that begin or end. */
  onState(_listener: (status: RegistrationStatus) => void): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  /** Since when (wall clock ms) the server observes what is at `path` or above it; undefined when it does not. */
  observedSinceMs(_shortServerId: number, _path: Path): number | undefined {
    return undefined;
  }

  /**
   * Send (OMA LwM2M Core 1.2 §6.4.6) in SenML CBOR to one server, or to every registered server when none is named.
   * Resolves when acknowledged with 2.04. Rejects with LWM2M_NOT_REGISTERED (not registered, or the server does not
   * know an object yet), LWM2M_SEND_UNAVAILABLE (muted, or an LwM2M 1.0 registration), LWM2M_BAD_REQUEST (refused for
   * good), COAP_* or the signal's reason.
   */
  send(_entries: readonly Entry[], _signal: AbortSignal, _shortServerId?: number): Promise<void> {
    return Promise.reject(new CausewayError("LWM2M_NOT_REGISTERED", "not built yet"));
  }

  /** De-registers everywhere, within 5 s, and closes the peers; idempotent. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
