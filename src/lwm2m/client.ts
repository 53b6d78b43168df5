import { CausewayError } from "../base/errors.js";
import type { Scope } from "../base/scope.js";
import type { ServerAccount } from "./account.js";
import { addAccountObjects, addServerAccount } from "./accounts.js";
import type { ClientOptions, RegistrationStatus } from "./client-options.js";
import type { Entry, NamedPath } from "./codec/codec.js";
import type { AccessControl } from "./objects/access-control.js";
import type { ServerEffects } from "./objects/server.js";
import type { Telling } from "./observed.js";
import { ServerSession } from "./session.js";

export type { OpenPeer, SecurityMode, ServerAccount } from "./account.js";
export type { ClientOptions, RegistrationStatus } from "./client-options.js";

/** One endpoint name and its registrations with all of its servers (OMA LwM2M Core 1.2 §6.2). */
export class Lwm2mClient implements AsyncDisposable {
  readonly #sessions: readonly ServerSession[];
  readonly #access: AccessControl | undefined;
  readonly #listeners = new Set<(status: RegistrationStatus) => void>();

  /** Adds objects 0 and 1 to the tree; throws LWM2M_MODEL when their definitions are missing. */
  constructor(options: ClientOptions) {
    this.#access = options.access;
    addAccountObjects(options.tree, options.models, (instanceId) => this.#effects(instanceId));
    this.#sessions = options.servers.map((account, instanceId) => this.#session(options, account, instanceId));
  }

  /** Begins to register and returns at once; closing the scope closes the client. */
  start(scope: Scope): void {
    scope.use(this);
    this.#access?.refresh();
    for (const session of this.#sessions) session.start();
  }

  /** One entry per server, in the order of the accounts. */
  get registrations(): readonly RegistrationStatus[] {
    return this.#sessions.map((session) => session.status);
  }

  /** Hears of every change of state, of each new proof that the server lives and of observations that begin or end. */
  onState(listener: (status: RegistrationStatus) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** What notifications to the server did about a measurement of the resource at `atMs` (wall clock). */
  telling(shortServerId: number, named: NamedPath, atMs: number): Telling {
    const session = this.#sessions.find(({ account }) => account.shortServerId === shortServerId);
    return session?.telling(named, atMs) ?? "unobserved";
  }

  /**
   * Send (OMA LwM2M Core 1.2 §6.4.6) in SenML CBOR to one server, or to every registered server when none is named.
   * What a server may not read is left out. Resolves when acknowledged with 2.04. Rejects with LWM2M_NOT_REGISTERED (no registration, or the server cannot take
   * it now; it may be repeated), LWM2M_SEND_UNAVAILABLE (muted, or an LwM2M 1.0 registration), LWM2M_BAD_REQUEST
   * (refused for good), COAP_* or the signal's reason.
   */
  async send(entries: readonly Entry[], signal: AbortSignal, shortServerId?: number): Promise<void> {
    const targets = this.#sessions.filter(({ account, status }) =>
      shortServerId === undefined ? status.state === "registered" : account.shortServerId === shortServerId,
    );
    if (targets.length === 0) throw new CausewayError("LWM2M_NOT_REGISTERED", "no server is registered");
    await Promise.all(
      targets.map(async (session) => {
        const readable = this.#readable(entries, session.account.shortServerId);
        if (readable.length > 0) await session.send(readable, signal);
      }),
    );
  }

  /** De-registers everywhere, within 5 s, and closes the peers; idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What the server has the right to; to what is behind a prefix there is no limit. */
  #readable(entries: readonly Entry[], shortServerId: number): readonly Entry[] {
    const access = this.#access?.of(shortServerId);
    if (access === undefined) return entries;
    return entries.filter(
      ({ path: [objectId = -1, instanceId = -1], prefix }) =>
        prefix !== undefined || access.may("read", objectId, instanceId),
    );
  }

  #session(options: ClientOptions, account: ServerAccount, instanceId: number): ServerSession {
    addServerAccount(options.tree, instanceId, account, options.clock.nowMs());
    return new ServerSession(options, account, instanceId, (status) => {
      for (const listener of this.#listeners) listener(status);
    });
  }

  /** What the server of this Server object instance sets off. */
  #effects(instanceId: number): ServerEffects {
    const session = this.#sessions[instanceId];
    return {
      disable: () => session?.disable(),
      update: () => session?.update(),
      bootstrap: () => {
        throw new CausewayError("LWM2M_NOT_ALLOWED", "no bootstrap server is known");
      },
    };
  }
}
