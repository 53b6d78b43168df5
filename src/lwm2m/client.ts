import { SetBackDetector } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Scope } from "../base/scope.js";
import { subscribe } from "../base/subscribe.js";
import type { ServerAccount } from "./account/account.js";
import { accountsOf, addAccountObjects, type PlacedServerAccount } from "./account/accounts.js";
import { KeptAccounts } from "./account/kept-accounts.js";
import { NO_ALTERNATE_PATH } from "./alternate-path.js";
import { BootstrapSession, type BootstrapStatus } from "./bootstrap/bootstrap-session.js";
import type { ClientOptions, RegistrationStatus } from "./client-options.js";
import type { Entry, NamedPath } from "./codec/codec.js";
import type { ServerEffects } from "./objects/server.js";
import { serverSettings } from "./objects/server.js";
import { type EvaluationDemand, jointDemand } from "./observation/evaluation-demand.js";
import { keepServers } from "./observation/kept-observations.js";
import type { Telling } from "./observation/observed.js";
import type { Storing } from "./observation/stored-notifications.js";
import type { TimedEntry } from "./observation/stored-replay.js";
import { mayBegin, type Turn } from "./registration/registration-order.js";
import { ServerSession } from "./session.js";
import { sendPayload } from "./session-send.js";
import { type ClientState, MemoryState } from "./state/client-state.js";

export type { BootstrapAccount, OpenPeer, SecurityMode, ServerAccount } from "./account/account.js";
export type { BootstrapStatus } from "./bootstrap/bootstrap-session.js";
export type { ClientOptions, RegistrationStatus } from "./client-options.js";

/** A session with what the order of registrations must know of it. */
interface Begun {
  readonly session: ServerSession;
  state: Turn["state"];
}

/** One endpoint name and its registrations with all of its servers (OMA LwM2M Core 1.2 §6.2). */
export class Lwm2mClient implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #state: ClientState;
  readonly #accounts: KeptAccounts;
  /** Absent without a bootstrap server's account: only such a server could add one. */
  readonly #bootstrap: BootstrapSession | undefined;
  readonly #listeners = new Set<(status: RegistrationStatus) => void>();
  readonly #accountListeners = new Set<() => void>();
  readonly #demandListeners = new Set<() => void>();
  readonly #setBack: SetBackDetector;
  #sessions: readonly Begun[] = [];
  #life: "idle" | "started" | "closed" = "idle";
  /** Of sessions that a bootstrap has replaced. */
  #abandoned: Promise<unknown> = Promise.resolve();

  /**
   * Adds objects 0 and 1 to the tree, and brings back what was kept of objects with a factory; throws LWM2M_MODEL when
   * definitions are missing.
   */
  constructor(options: ClientOptions) {
    const { tree, models, state = new MemoryState() } = options;
    this.#options = options;
    this.#state = state;
    this.#setBack = new SetBackDetector(options.clock);
    addAccountObjects(tree, models, (instanceId) => this.#effects(instanceId));
    this.#accounts = new KeptAccounts(options, state);
    this.#bootstrap = accountsOf(tree).bootstrap === undefined ? undefined : this.#bootstrapSession();
    this.#openSessions();
  }

  /** Begins to register and returns at once; closing the scope closes the client. */
  start(scope: Scope): void {
    scope.use(this);
    this.#life = "started";
    if (this.#sessions.length === 0) this.#bootstrap?.start("no-server");
    this.#proceed();
  }

  /** What is agreed with its servers now, in the order of their instances. */
  get accounts(): readonly ServerAccount[] {
    return this.#sessions.map(({ session }) => session.account);
  }

  /** One entry per server, in the order of the accounts. */
  get registrations(): readonly RegistrationStatus[] {
    return this.#sessions.map(({ session }) => session.status);
  }

  /** Undefined where no bootstrap server is known. */
  get bootstrap(): BootstrapStatus | undefined {
    return this.#bootstrap?.status;
  }

  /** Hears of every change of state, of each new proof that the server lives and of observations that begin or end. */
  onState(listener: (status: RegistrationStatus) => void): Disposable {
    return subscribe(this.#listeners, listener);
  }

  /** Hears when a bootstrap has given the client other accounts. */
  onAccounts(listener: () => void): Disposable {
    return subscribe(this.#accountListeners, listener);
  }

  /**
   * To be asked before `telling` and the times of `registrations` are compared with those of measurements: when the wall
   * clock was set back they begin anew, and what was measured before counts as not told.
   */
  checkClock(): void {
    const byMs = this.#setBack.take();
    if (byMs === undefined) return;
    const { clock, log, endpoint } = this.#options;
    log.info("the wall clock was set back", { endpoint, byMs });
    for (const { session } of this.#sessions) session.beginTimes(clock.nowMs());
  }

  /** What notifications to the server did about a measurement of the resource at `atMs` (wall clock). */
  telling(shortServerId: number, named: NamedPath, atMs: number): Telling {
    return this.#find(shortServerId)?.telling(named, atMs) ?? "unobserved";
  }

  /** What of the resource's measurements the server is to be told later; undefined where that is only the current value. */
  storing(shortServerId: number, named: NamedPath): Storing | undefined {
    return this.#find(shortServerId)?.storing(named);
  }

  /**
   * Stored notifications (OMA LwM2M Core 1.2 §6.4.2) of measurements that `telling` says no notification has told.
   * Resolves when they are acknowledged; what nobody observes is left out. Rejects with LWM2M_NOT_REGISTERED or
   * COAP_TIMEOUT, and may then be repeated.
   */
  async tellStored(entries: readonly TimedEntry[], shortServerId: number): Promise<void> {
    const [session] = this.#targets(shortServerId);
    await session?.tellStored(entries);
  }

  /** How often servers want the resource to be measured; undefined when none observes it. */
  demandOf(named: NamedPath): EvaluationDemand | undefined {
    return jointDemand(this.#sessions.map(({ session }) => session.demandOf(named)));
  }

  /** Hears when `demandOf` may say something else. */
  onDemand(listener: () => void): Disposable {
    return subscribe(this.#demandListeners, listener);
  }

  /**
   * Send (OMA LwM2M Core 1.2 §6.4.6) in SenML CBOR to one server, or to every registered server when none is named.
   * What a server may not read is left out. Resolves when acknowledged with 2.04. Rejects with LWM2M_NOT_REGISTERED (no registration, or the server cannot take
   * it now; it may be repeated), LWM2M_SEND_UNAVAILABLE (muted, or an LwM2M 1.0 registration), LWM2M_BAD_REQUEST
   * (refused for good), COAP_* or the signal's reason.
   */
  async send(entries: readonly Entry[], signal: AbortSignal, shortServerId?: number): Promise<void> {
    const sends = this.#targets(shortServerId).map(async (session) => {
      const readable = this.#readable(entries, session.account.shortServerId);
      if (readable.length > 0) await session.send(readable, signal);
    });
    await Promise.all(sends);
  }

  /** How long the payload of a Send of the entries is, at most. */
  sendBytes(entries: readonly Entry[]): number {
    const { clock, alternatePath = NO_ALTERNATE_PATH } = this.#options;
    return sendPayload(entries, clock.nowMs(), alternatePath).length;
  }

  /** As `send`, with what the paths hold now and the server may read; what is not there is left out. */
  async sendPaths(paths: readonly NamedPath[], signal: AbortSignal, shortServerId?: number): Promise<void> {
    const atMs = this.#options.clock.nowMs();
    const sends = this.#targets(shortServerId).map(async (session) => {
      const entries = session.read(paths).map((entry) => ({ ...entry, atMs }));
      if (entries.length > 0) await session.send(entries, signal);
    });
    await Promise.all(sends);
  }

  /**
   * Ends as `ending` of the options says: de-registers everywhere, within 5 s, or leaves the registrations to the next
   * process. Closes the peers; idempotent.
   */
  async close(): Promise<void> {
    this.#life = "closed";
    // First, for it lets go of the sessions that it holds.
    await this.#bootstrap?.close();
    const { ending = () => "deregister" } = this.#options;
    await Promise.all(
      this.#sessions.map(({ session }) =>
        ending(session.account) === "deregister" ? session.close() : session.suspend(),
      ),
    );
    await this.#abandoned;
    this.#accounts[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What the server has the right to; to what is behind a prefix there is no limit. */
  #readable(entries: readonly Entry[], shortServerId: number): readonly Entry[] {
    const access = this.#options.access?.of(shortServerId);
    if (access === undefined) return entries;
    return entries.filter(
      ({ path: [objectId = -1, instanceId = -1], prefix }) =>
        prefix !== undefined || access.may("read", objectId, instanceId),
    );
  }

  #openSessions(): void {
    this.#options.access?.refresh();
    const { servers } = this.#accounts;
    keepServers(this.#state, new Set(servers.map(({ shortServerId }) => shortServerId)));
    this.#sessions = servers.map((account) => ({ session: this.#open(account), state: "waiting" }));
  }

  #bootstrapSession(): BootstrapSession {
    const { bootstrap } = this.#options;
    return new BootstrapSession({
      ...this.#options,
      pack: bootstrap?.pack ?? "never",
      onBegin: () => {
        for (const { session } of this.#sessions) session.hold();
      },
      onRolledBack: () => {
        for (const { session } of this.#sessions) session.release();
      },
      onFinished: () => this.#replaceSessions(),
    });
  }

  /** The accounts are others now: whatever servers know of the client is void, and it registers with each anew. */
  #replaceSessions(): void {
    const before = this.#sessions.map(({ session }) => session);
    this.#abandoned = Promise.all([this.#abandoned, ...before.map((session) => session.abandon())]);
    this.#openSessions();
    for (const { account } of before) {
      if (this.#find(account.shortServerId) === undefined) {
        this.#options.access?.forgetServer(account.shortServerId);
      }
    }
    for (const listener of this.#accountListeners) listener();
    this.#proceed();
  }

  #open(account: PlacedServerAccount): ServerSession {
    const { shortServerId } = account;
    return new ServerSession(this.#options, this.#state, account, {
      onStatus: (status) => {
        this.#note(shortServerId, status.state);
        for (const listener of this.#listeners) listener(status);
      },
      onExhausted: () => this.#note(shortServerId, "failed"),
      onDemand: () => {
        for (const listener of this.#demandListeners) listener();
      },
    });
  }

  #note(shortServerId: number, state: RegistrationStatus["state"] | "failed"): void {
    const begun = this.#sessions.find(({ session }) => session.account.shortServerId === shortServerId);
    if (begun === undefined) return;
    const after = turnOf(begun.state, state);
    if (after === begun.state) return;
    begun.state = after;
    this.#proceed();
    if (after === "registered") this.#bootstrap?.stop();
    else if (this.#hasNoServer()) this.#bootstrap?.start("registration-failed");
  }

  /** No server has accepted a registration or is still tried for the first time, and a bootstrap may mend that. */
  #hasNoServer(): boolean {
    if (this.#life !== "started" || this.#sessions.some(({ state }) => PROMISING.has(state))) return false;
    return this.#sessions.some(
      ({ session, state }) =>
        state === "failed" && serverSettings(this.#options.tree, session.account.serverInstanceId).bootstrapOnFailure,
    );
  }

  /** Begins what may begin now. */
  #proceed(): void {
    if (this.#life !== "started") return;
    for (const shortServerId of mayBegin(this.#sessions.map((begun) => this.#turn(begun)))) {
      const begun = this.#sessions.find(({ session }) => session.account.shortServerId === shortServerId);
      if (begun === undefined) continue;
      begun.state = "trying";
      begun.session.start();
    }
  }

  #turn({ session, state }: Begun): Turn {
    const { shortServerId, serverInstanceId } = session.account;
    const { priority, failureBlock } = serverSettings(this.#options.tree, serverInstanceId);
    return { shortServerId, priority, onFailure: failureBlock ? "block" : "proceed", state };
  }

  #find(shortServerId: number): ServerSession | undefined {
    return this.#sessions.find(({ session }) => session.account.shortServerId === shortServerId)?.session;
  }

  #targets(shortServerId: number | undefined): readonly ServerSession[] {
    const targets = this.#sessions
      .map(({ session }) => session)
      .filter(({ account, status }) =>
        shortServerId === undefined ? IN_TOUCH.has(status.state) : account.shortServerId === shortServerId,
      );
    if (targets.length === 0) throw new CausewayError("LWM2M_NOT_REGISTERED", "no server is registered");
    return targets;
  }

  /** What the server of this Server object instance sets off. */
  #effects(instanceId: number): ServerEffects {
    const session = this.#sessions.find(({ session: { account } }) => account.serverInstanceId === instanceId)?.session;
    return {
      disable: () => session?.disable(),
      update: (args) => session?.update(args),
      bootstrap: () => {
        if (this.bootstrap === undefined) {
          throw new CausewayError("LWM2M_NOT_ALLOWED", "no bootstrap server is known");
        }
        this.#bootstrap?.start("trigger");
      },
    };
  }
}

const IN_TOUCH: ReadonlySet<RegistrationStatus["state"]> = new Set(["registered", "asleep"]);

const PROMISING: ReadonlySet<Turn["state"]> = new Set(["trying", "registered"]);

/** A server that has failed counts as failed until it registers, however often it is tried. */
function turnOf(before: Turn["state"], state: RegistrationStatus["state"] | "failed"): Turn["state"] {
  if (IN_TOUCH.has(state as RegistrationStatus["state"])) return "registered";
  if (state === "failed") return "failed";
  return before === "registered" ? "trying" : before;
}
