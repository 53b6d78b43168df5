import { CausewayError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { CoapResponse, DeliveryResult, IncomingRequest, Notification } from "../coap/request.js";
import type { PlacedServerAccount } from "./account/accounts.js";
import { checkUpdateArguments, transportOf } from "./account/binding.js";
import {
  type AlternatePath,
  formatAlternatePath,
  NO_ALTERNATE_PATH,
  withAlternatePath,
  withoutAlternatePath,
} from "./alternate-path.js";
import type { ClientOptions, RegistrationStatus } from "./client-options.js";
import type { Entry, NamedPath } from "./codec/codec.js";
import {
  OBSERVATION_PARAMETERS,
  REGISTRATION_PARAMETERS,
  ServerId,
  type ServerSettings,
  serverSettings,
} from "./objects/server.js";
import type { EvaluationDemand } from "./observation/evaluation-demand.js";
import { AttributeShelves } from "./observation/kept-attributes.js";
import { ObservationShelf } from "./observation/kept-observations.js";
import { ObserveSequence } from "./observation/observe-sequence.js";
import type { Telling } from "./observation/observed.js";
import { Observer } from "./observation/observer.js";
import type { StoredEntry, Storing } from "./observation/stored-notifications.js";
import type { TimedEntry } from "./observation/stored-replay.js";
import { compositePaths, readComposite } from "./operation/composite.js";
import { Dispatcher } from "./operation/dispatch.js";
import { isHidden } from "./operation/operations.js";
import { AwakeWindow } from "./registration/awake-window.js";
import { Introduction } from "./registration/introduction.js";
import { RegistrationShelf } from "./registration/kept-registration.js";
import { Registrar } from "./registration/registrar.js";
import { isLive, type Registration, type RegistrationEvent } from "./registration/registration.js";
import { RegistrationRecord } from "./registration/registration-record.js";
import { rootOf } from "./registration/registration-request.js";
import { ServerLink } from "./registration/server-link.js";
import { type SendContext, send } from "./session-send.js";
import type { ClientState } from "./state/client-state.js";
import type { TreeChange } from "./tree.js";
import { type TreeView, Views } from "./views.js";
import type { Explainer } from "./why.js";

const UNKNOWN = { kind: "estranged", because: "a Send was answered with 4.04" } as const;

export interface SessionListener {
  onStatus(status: RegistrationStatus): void;
  /** Registering has failed as often as the server's settings allow, or was refused; it is tried on. */
  onExhausted(): void;
  /** What `demandOf` says may be another now. */
  onDemand(): void;
}

/** One server: keeps the registration up, answers the server while there is one, and tells it what it observes. */
export class ServerSession {
  readonly account: PlacedServerAccount;
  readonly #client: ClientOptions;
  readonly #alternatePath: AlternatePath;
  readonly #shelf: RegistrationShelf;
  readonly #listener: SessionListener;
  readonly #log: Log;
  readonly #record: RegistrationRecord;
  readonly #introduction: Introduction;
  readonly #views: Views;
  readonly #observer: Observer;
  readonly #dispatcher: Dispatcher;
  readonly #link: ServerLink;
  readonly #registrar: Registrar;
  readonly #listening: Disposable;
  /** In queue mode. */
  readonly #awake: AwakeWindow | undefined;
  /** Ends what servers' requests have set going. */
  readonly #life = new AbortController();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;

  /** The account's instances are in the tree already. */
  constructor(client: ClientOptions, state: ClientState, account: PlacedServerAccount, listener: SessionListener) {
    const { tree, clock } = client;
    const { shortServerId } = account;
    this.account = account;
    this.#client = client;
    this.#alternatePath = client.alternatePath ?? NO_ALTERNATE_PATH;
    this.#shelf = new RegistrationShelf(state, account, this.#alternatePath);
    this.#listener = listener;
    this.#log = client.log.child({ endpoint: client.endpoint, server: shortServerId });
    this.#record = new RegistrationRecord(account, clock, this.#log);
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#introduction = new Introduction(clock);
    this.#views = this.#openViews(state);
    const explainer = client.why?.of({ endpoint: client.endpoint, server: shortServerId });
    this.#observer = this.#openObserver(state, explainer);
    this.#dispatcher = new Dispatcher({
      explainer,
      views: this.#views,
      observer: this.#observer,
      clock,
      log: this.#log,
      alternatePath: this.#alternatePath,
      requester: () => ({ by: `server ${shortServerId}`, signal: this.#life.signal }),
      version: () => this.#registrar.version ?? "1.2",
    });
    this.#link = new ServerLink({
      account,
      openPeer: client.openPeer,
      log: this.#log,
      handler: (incoming) => this.#handle(incoming),
      onReset: (token) => this.#observer.reject(token),
    });
    this.#registrar = this.#openRegistrar(explainer);
    this.#listening = tree.listen((change) => this.#onTreeChange(change));
    const { awakeMs } = account;
    this.#awake = awakeMs === undefined ? undefined : new AwakeWindow(clock, awakeMs, () => this.#report());
  }

  #openViews(state: ClientState): Views {
    const { tree, gateway, access } = this.#client;
    const { shortServerId } = this.account;
    const listener = {
      onMade: (view: TreeView) => this.#observer.watch(view),
      onRemoved: (view: TreeView) => this.#observer.unwatch(view),
    };
    const shelves = new AttributeShelves(state, shortServerId, this.#log);
    return new Views(tree, gateway, listener, access?.of(shortServerId), shelves);
  }

  #openObserver(state: ClientState, explainer: Explainer | undefined): Observer {
    const { clock, confirmEveryMs } = this.#client;
    const { shortServerId } = this.account;
    return new Observer({
      own: this.#views.own,
      clock,
      explainer,
      shelf: new ObservationShelf(state, shortServerId, clock, this.#log),
      sequence: new ObserveSequence(state, shortServerId),
      isStoring: () => this.#settings.storing,
      defaults: () => this.#settings.observation,
      notify: (notification) => this.#notify(notification),
      onAcknowledged: (sentAtMs) => this.#prove(sentAtMs),
      isProofDue: () => this.#record.isProofDue(confirmEveryMs),
      onLost: () => this.#step(this.#record.afterLoss()),
      onRejected: (sinceMs) => this.#step(this.#record.afterRejection(sinceMs)),
      onChange: () => this.#report(),
      onDemand: () => this.#listener.onDemand(),
    });
  }

  #openRegistrar(explainer: Explainer | undefined): Registrar {
    return new Registrar({
      client: this.#client,
      account: this.account,
      record: this.#record,
      shelf: this.#shelf,
      link: this.#link,
      explainer,
      listener: {
        onLeave: (before, after) => this.#onLeave(before, after),
        onReach: (before, after) => this.#onReach(before, after),
        onVoid: () => this.#observer.clear(),
        onMessage: () => this.#awake?.touch(),
        onRestored: () => this.#restore(),
        onExhausted: () => this.#listener.onExhausted(),
      },
    });
  }

  get status(): RegistrationStatus {
    return this.#record.status(this.#registrar.state, this.#observer.size, this.#awake?.state ?? "awake");
  }

  start(): void {
    this.#notePreferredTransport();
    this.#registrar.start();
  }

  /** The server executed Disable /1/x/4. */
  disable(): void {
    this.#step({ kind: "disable" });
  }

  /** The server executed the Registration Update Trigger /1/x/8; throws LWM2M_BAD_REQUEST. */
  update(args: string): void {
    checkUpdateArguments(args, { binding: this.#settings.binding, uri: this.account.uri });
    this.#step({ kind: "changed" });
  }

  /** Says nothing and answers nothing until it is released. */
  hold(): void {
    this.#step({ kind: "hold" });
  }

  release(): void {
    this.#step({ kind: "release" });
  }

  /** Resolves when the server has been told, or not within the time that `next` gives it, and the peer is closed. */
  close(): Promise<void> {
    this.#step({ kind: "close" });
    return this.#closed;
  }

  /** Ends without a word to the server: the next process goes on with the registration. */
  suspend(): Promise<void> {
    this.#registrar.keep();
    this.#step({ kind: "suspend" });
    return this.#closed;
  }

  /** Ends without a word to the server, and forgets the registration: the account is another now. */
  abandon(): Promise<void> {
    this.#observer.clear();
    this.#step({ kind: "suspend" });
    this.#shelf.clear();
    return this.#closed;
  }

  beginTimes(nowMs: number): void {
    this.#record.beginTimes(nowMs);
    this.#observer.beginTimes(nowMs);
  }

  telling({ path, prefix }: NamedPath, atMs: number): Telling {
    const view = this.#views.known(prefix);
    return view === undefined ? "unobserved" : this.#observer.telling(view, path, atMs);
  }

  storing({ path, prefix }: NamedPath): Storing | undefined {
    const view = this.#views.known(prefix);
    return view === undefined ? undefined : this.#observer.stored.of(view, path);
  }

  demandOf({ path, prefix }: NamedPath): EvaluationDemand | undefined {
    const view = this.#views.known(prefix);
    return view === undefined ? undefined : this.#observer.demandOf(view, path);
  }

  /** See `Lwm2mClient.tellStored`. */
  async tellStored(entries: readonly TimedEntry[]): Promise<void> {
    const stored: StoredEntry[] = [];
    for (const entry of entries) {
      const view = this.#views.known(entry.prefix);
      if (view !== undefined) stored.push({ view, entry });
    }
    if ((await this.#observer.stored.tell(stored)) === "acknowledged") return;
    throw new CausewayError("COAP_TIMEOUT", "a stored notification was not acknowledged");
  }

  /** See `Lwm2mClient.send`. */
  send(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    return send(this.#contextOfSend(), entries, signal);
  }

  /** What the server may read at the paths, as it would in a Read-Composite. */
  read(named: readonly NamedPath[]): readonly Entry[] {
    const nowMs = this.#client.clock.nowMs();
    return readComposite(compositePaths(named, this.#views), nowMs).entries;
  }

  #contextOfSend(): SendContext {
    return {
      shortServerId: this.account.shortServerId,
      root: rootOf(this.account.uri),
      alternatePath: this.#alternatePath,
      clock: this.#client.clock,
      ready: (entries, signal) => this.#ready(entries, signal),
      isOpen: () => this.#registrar.version !== "1.0" && this.#settings.send === "open",
      peer: () => (this.#registrar.version === undefined ? undefined : this.#link.peer),
      refresh: () => this.#registrar.refresh(),
      onTaken: (sentAtMs) => this.#prove(sentAtMs),
      onLost: () => this.#step({ kind: "lost" }),
      onForgotten: () => this.#step({ kind: "changed" }),
      onUnknown: () => this.#step(this.#registrar.isTold() ? UNKNOWN : { kind: "changed" }),
    };
  }

  #ready(entries: readonly Entry[], signal: AbortSignal): Promise<void> | undefined {
    if (this.#awake?.state === "asleep") return this.#wake();
    this.#awake?.touch();
    return entries.some(({ prefix }) => prefix !== undefined) ? this.#introduction.wait(signal) : undefined;
  }

  get #settings(): ServerSettings {
    return serverSettings(this.#client.tree, this.account.serverInstanceId);
  }

  /** OMA LwM2M Core 1.2 §6.3: until a registration is complete, nothing is answered; nor while the client sleeps. */
  #handle(incoming: IncomingRequest): CoapResponse | undefined | Promise<CoapResponse> {
    if (this.#registrar.version === undefined || this.#awake?.state === "asleep") return undefined;
    this.#awake?.touch();
    // Who asks, lives.
    if (this.#record.proveNow()) this.#report();
    const request = withoutAlternatePath(incoming, this.#alternatePath);
    if (request === undefined) {
      const where = formatAlternatePath(this.#alternatePath);
      return this.#dispatcher.refuse(incoming, new CausewayError("LWM2M_NOT_FOUND", `the objects are below ${where}`));
    }
    this.#introduction.note(request);
    return this.#dispatcher.handle(request);
  }

  async #notify(notification: Notification): Promise<DeliveryResult> {
    if (this.#awake?.state === "asleep") await this.#wake();
    this.#awake?.touch();
    const request = withAlternatePath(notification.request, this.#alternatePath);
    return this.#link.peer?.notify({ ...notification, request }) ?? "timeout";
  }

  /** Servers take a client for awake after an Update (OMA LwM2M Core 1.2 §6.6), so that comes first. */
  async #wake(): Promise<void> {
    if (!isLive(this.#registrar.state)) return;
    const settled = this.#awake?.settled();
    this.#step({ kind: "changed" });
    await settled;
  }

  #onTreeChange(change: TreeChange): void {
    const [objectId = -1, instanceId, resourceId = -1] = change.path;
    if (objectId === 1 && instanceId === this.account.serverInstanceId) {
      if (OBSERVATION_PARAMETERS.has(resourceId)) this.#observer.attributesChanged(this.#views.own, []);
      if (REGISTRATION_PARAMETERS.has(resourceId)) this.#step({ kind: "changed" });
      if (resourceId === ServerId.preferredTransport) this.#notePreferredTransport();
    }
    if (change.kind !== "value" && change.path.length === 2 && !isHidden(objectId)) this.#step({ kind: "changed" });
  }

  /** It is to be used unless the client is unable to (OMA LwM2M Core 1.2 §6.2.1.2). */
  #notePreferredTransport(): void {
    const { preferredTransport } = this.#settings;
    const { uri } = this.account;
    if (preferredTransport === undefined || preferredTransport === transportOf(uri)) return;
    this.#log.info("the server prefers a transport that the client does not have", { preferredTransport, uri });
  }

  #step(event: RegistrationEvent): void {
    this.#registrar.step(event);
  }

  #onLeave(before: Registration, after: Registration): void {
    if (!isLive(before) || isLive(after)) return;
    this.#observer.pause(after.state === "held" ? undefined : (this.#record.provenAtMs ?? 0));
  }

  /** Observations of the process before go on, too; they are quiet until the server has answered. */
  #restore(): void {
    this.#observer.restore((request) => this.#dispatcher.restorable(request));
  }

  #onReach(before: Registration, after: Registration): void {
    if (after.state === "closed") this.#end();
    const isNew = before.state === "registering" && after.state === "registered";
    if (isNew && this.#client.gateway !== undefined) this.#introduction.begin();
    if (!isLive(before) && isLive(after)) this.#observer.resume();
    const isTold = after.state === "registered" ? !after.duties.changed : after.state !== "updating";
    if (isTold) this.#awake?.settle();
    this.#report();
  }

  #prove(sentAtMs: number): void {
    if (this.#record.prove(sentAtMs)) this.#report();
  }

  #report(): void {
    this.#listener.onStatus(this.status);
  }

  #end(): void {
    this.#listening[Symbol.dispose]();
    this.#views[Symbol.dispose]();
    this.#introduction[Symbol.dispose]();
    this.#observer[Symbol.dispose]();
    this.#awake?.[Symbol.dispose]();
    this.#life.abort(new CausewayError("COAP_CLOSED", "the client is closed"));
    void this.#link.ended().then(this.#resolveClosed);
  }
}
