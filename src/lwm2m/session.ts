import type { Timer } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { Code, formatCode } from "../coap/code.js";
import type { CoapPeer, CoapRequest, CoapResponse, IncomingRequest } from "../coap/request.js";
import type { ServerAccount } from "./account.js";
import type { ClientOptions, RegistrationStatus } from "./client-options.js";
import type { Entry, NamedPath } from "./codec/codec.js";
import { ADVERTISED_FORMATS } from "./codec/formats.js";
import { senmlCborCodec } from "./codec/senml-cbor.js";
import { registrationLinks } from "./discover.js";
import { Dispatcher } from "./dispatch.js";
import { Introduction } from "./introduction.js";
import type { Lwm2mVersion } from "./models.js";
import { OBSERVATION_PARAMETERS, REGISTRATION_PARAMETERS, serverSettings } from "./objects/server.js";
import type { Telling } from "./observed.js";
import { Observer } from "./observer.js";
import { isHidden } from "./operations.js";
import { next, type Registration, type RegistrationAction, type RegistrationEvent } from "./registration.js";
import { RegistrationRecord } from "./registration-record.js";
import {
  deregisterRequest,
  type RegistrationParameters,
  registerRequest,
  rootOf,
  sendRequest,
  updateRequest,
} from "./registration-request.js";
import type { TreeChange } from "./tree.js";
import { Views } from "./views.js";

/** Share by which a retry may come later, so that many gateways do not return in step. */
const RETRY_SPREAD = 0.1;

/** One server: carries out what `next` decides, and answers the server while it is registered. */
export class ServerSession {
  readonly account: ServerAccount;
  readonly #client: ClientOptions;
  readonly #instanceId: number;
  readonly #onStatus: (status: RegistrationStatus) => void;
  readonly #log: Log;
  readonly #record: RegistrationRecord;
  readonly #root: readonly string[];
  readonly #introduction: Introduction;
  readonly #views: Views;
  readonly #observer: Observer;
  readonly #dispatcher: Dispatcher;
  readonly #listening: Disposable;
  /** Ends what servers' requests have set going. */
  readonly #life = new AbortController();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;
  #state: Registration = { state: "idle" };
  #timer: Timer | undefined;
  #exchange: AbortController | undefined;
  #peer: CoapPeer | undefined;
  #disposals: Promise<unknown> = Promise.resolve();
  /** What the server knows, and what it will know when it has acknowledged the request under way. */
  #known: RegistrationParameters | undefined;
  #told: RegistrationParameters | undefined;

  /** `instanceId` is that of the account's Server object instance, which is in the tree already. */
  constructor(
    client: ClientOptions,
    account: ServerAccount,
    instanceId: number,
    onStatus: (status: RegistrationStatus) => void,
  ) {
    const { tree, clock } = client;
    this.account = account;
    this.#client = client;
    this.#instanceId = instanceId;
    this.#onStatus = onStatus;
    this.#log = client.log.child({ endpoint: client.endpoint, server: account.shortServerId });
    this.#record = new RegistrationRecord(account, clock, this.#log);
    this.#root = rootOf(account.uri);
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#introduction = new Introduction(clock);
    this.#views = new Views(
      tree,
      client.gateway,
      {
        onMade: (view) => this.#observer.watch(view),
        onRemoved: (view) => this.#observer.unwatch(view),
      },
      client.access?.of(account.shortServerId),
    );
    this.#observer = new Observer({
      own: this.#views.own,
      clock,
      defaults: () => serverSettings(tree, instanceId).observation,
      notify: (notification) => this.#peer?.notify(notification) ?? Promise.resolve("timeout"),
      onAcknowledged: (sentAtMs) => this.#prove(sentAtMs),
      isProofDue: () => this.#record.isProofDue(client.confirmEveryMs),
      onLost: () => this.#step({ kind: "lost" }),
      onRejected: (sinceMs) => this.#onRejected(sinceMs),
      onChange: () => this.#report(),
    });
    this.#dispatcher = new Dispatcher({
      views: this.#views,
      observer: this.#observer,
      clock,
      log: this.#log,
      signal: this.#life.signal,
      version: () => this.#version() ?? "1.2",
    });
    this.#listening = tree.listen((change) => this.#onTreeChange(change));
  }

  get status(): RegistrationStatus {
    return this.#record.status(this.#state, this.#observer.size);
  }

  start(): void {
    this.#step({ kind: "start" });
  }

  /** The server executed Disable /1/x/4. */
  disable(): void {
    this.#step({ kind: "disable" });
  }

  /** The server executed the Registration Update Trigger /1/x/8. */
  update(): void {
    this.#step({ kind: "changed" });
  }

  /** Resolves when the server has been told, or not within the time that `next` gives it, and the peer is closed. */
  close(): Promise<void> {
    this.#step({ kind: "close" });
    return this.#closed;
  }

  telling({ path, prefix }: NamedPath, atMs: number): Telling {
    const view = this.#views.known(prefix);
    return view === undefined ? "unobserved" : this.#observer.telling(view, path, atMs);
  }

  /** See `Lwm2mClient.send`. */
  async send(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    if (entries.some(({ prefix }) => prefix !== undefined)) await this.#introduction.wait(signal);
    const version = this.#version();
    const peer = this.#peer;
    if (version === undefined || peer === undefined) {
      throw new CausewayError("LWM2M_NOT_REGISTERED", `server ${this.account.shortServerId} has no registration`);
    }
    if (version === "1.0" || serverSettings(this.#client.tree, this.#instanceId).send === "muted") {
      throw new CausewayError("LWM2M_SEND_UNAVAILABLE", `server ${this.account.shortServerId} takes no Send`);
    }
    const sentAtMs = this.#client.clock.nowMs();
    const payload = senmlCborCodec.encode(entries, { target: [], nowMs: sentAtMs, times: "all" });
    const response = await this.#sendOrLose(peer, sendRequest(this.#root, payload), signal);
    if (response.code !== Code.Changed) throw await this.#sendRefusal(response, peer, signal);
    this.#prove(sentAtMs);
  }

  async #sendOrLose(peer: CoapPeer, request: CoapRequest, signal: AbortSignal): Promise<CoapResponse> {
    try {
      return await peer.request(request, signal);
    } catch (error) {
      const isLost = error instanceof CausewayError && LOSSES.has(error.code);
      if (isLost && peer === this.#peer && !signal.aborted) this.#step({ kind: "lost" });
      throw error;
    }
  }

  async #sendRefusal({ code }: CoapResponse, peer: CoapPeer, signal: AbortSignal): Promise<CausewayError> {
    const isRefusal = code >> 5 === 4 && !PASSING.has(code);
    const isFinal = isRefusal && (await this.#isKnown(peer, signal));
    // The server has forgotten the client, or has not heard of an object: both are told anew, and the Send may be repeated.
    if ((isRefusal && !isFinal) || code === Code.NotFound) this.#step({ kind: "changed" });
    const facts = { code: formatCode(code) };
    const what = `server ${this.account.shortServerId} answered Send with ${facts.code}`;
    return new CausewayError(isFinal ? "LWM2M_BAD_REQUEST" : "LWM2M_NOT_REGISTERED", what, { facts });
  }

  /**
   * Whether the server still has the registration; an Update tells. Servers refuse any Send of a client that they have
   * forgotten, and not only with 4.04 (Leshan 2.0.0-M18: 4.00).
   */
  async #isKnown(peer: CoapPeer, signal: AbortSignal): Promise<boolean> {
    const known = this.#known;
    if (known === undefined || (this.#state.state !== "registered" && this.#state.state !== "updating")) return false;
    const request = updateRequest(this.#state.accepted.location, known, known);
    return (await this.#sendOrLose(peer, request, signal)).code === Code.Changed;
  }

  /** OMA LwM2M Core 1.2 §6.3: until a registration is complete, nothing is answered. */
  #handle(request: IncomingRequest): CoapResponse | undefined | Promise<CoapResponse> {
    const { state } = this.#state;
    if (state !== "registered" && state !== "updating") return undefined;
    // Who asks, lives.
    if (this.#record.proveNow()) this.#report();
    this.#introduction.note(request);
    return this.#dispatcher.handle(request);
  }

  #onTreeChange(change: TreeChange): void {
    const [objectId = -1, instanceId, resourceId = -1] = change.path;
    if (objectId === 1 && instanceId === this.#instanceId) {
      if (OBSERVATION_PARAMETERS.has(resourceId)) this.#observer.attributesChanged(this.#views.own, []);
      if (REGISTRATION_PARAMETERS.has(resourceId)) this.#step({ kind: "changed" });
    }
    if (change.kind !== "value" && change.path.length === 2 && !isHidden(objectId)) this.#step({ kind: "changed" });
  }

  #step(event: RegistrationEvent): void {
    const before = this.#state;
    const [after, ...actions] = next(before, event, serverSettings(this.#client.tree, this.#instanceId).timing);
    if (after === before) return;
    this.#state = after;
    if (after.state !== before.state) {
      this.#timer?.cancel();
      this.#exchange?.abort(new CausewayError("COAP_CLOSED", "another request has taken its place"));
      this.#exchange = undefined;
    }
    this.#record.note(before, after, event);
    for (const action of actions) this.#carryOut(action);
    if (after.state === "closed") this.#end();
    this.#report();
  }

  #carryOut(action: RegistrationAction): void {
    switch (action.kind) {
      case "register":
        this.#observer.clear();
        this.#told = this.#parameters(action.version);
        this.#request(
          registerRequest(this.#root, this.#client.endpoint, action.version, this.#told),
          ({ code, locationPath }) =>
            code === Code.Created && locationPath !== undefined
              ? { kind: "registered", location: locationPath }
              : undefined,
        );
        break;
      case "update": {
        const { version, location } = action.accepted;
        this.#told = this.#parameters(version);
        this.#request(updateRequest(location, this.#known ?? this.#told, this.#told), ({ code }) =>
          code === Code.Changed ? { kind: "updated" } : undefined,
        );
        break;
      }
      case "deregister":
        this.#observer.clear();
        this.#request(deregisterRequest(action.accepted.location), () => ({ kind: "deregistered" }));
        break;
      case "wait":
        this.#wait(action.ms * (action.for === "retry" ? 1 + RETRY_SPREAD * this.#client.random() : 1));
        break;
      case "close-peer":
        this.#closePeer();
        break;
    }
  }

  #wait(delayMs: number): void {
    const { clock } = this.#client;
    this.#timer?.cancel();
    this.#timer = clock.schedule(delayMs, () => this.#step({ kind: "due" }));
    this.#record.noteWait(this.#state, delayMs);
  }

  /** Undefined from `success` means that the response is none. */
  #request(request: CoapRequest, success: (response: CoapResponse) => RegistrationEvent | undefined): void {
    const exchange = new AbortController();
    this.#exchange = exchange;
    const sentAtMs = this.#client.clock.nowMs();
    const finish = (event: RegistrationEvent): void => {
      if (this.#exchange !== exchange) return;
      this.#exchange = undefined;
      if (event.kind === "registered" || event.kind === "updated") {
        this.#known = this.#told;
        if (event.kind === "registered" && this.#client.gateway !== undefined) this.#introduction.begin();
        this.#record.prove(sentAtMs);
      }
      this.#step(event);
    };
    this.#exchangeWithServer(request, exchange.signal).then(
      (response) => finish(success(response) ?? rejection(response)),
      (error: unknown) => {
        if (this.#exchange === exchange) this.#record.noteFailure(error);
        finish({ kind: "failed", reason: isUnreachable(error) ? "unreachable" : "other" });
      },
    );
  }

  async #exchangeWithServer(request: CoapRequest, signal: AbortSignal): Promise<CoapResponse> {
    let peer = this.#peer;
    if (peer === undefined) {
      peer = await this.#client.openPeer(this.account, (incoming) => this.#handle(incoming), signal);
      if (signal.aborted) {
        await peer[Symbol.asyncDispose]();
        throw signal.reason;
      }
      peer.onObservationReset?.((token) => this.#observer.reject(token));
      this.#peer = peer;
    }
    return peer.request(request, signal);
  }

  #closePeer(): void {
    const peer = this.#peer;
    this.#peer = undefined;
    this.#observer.clear();
    if (peer === undefined) return;
    const disposal = Promise.resolve(peer[Symbol.asyncDispose]()).catch((error: unknown) => {
      this.#log.warn("the connection did not close", { error: toError(error) });
    });
    this.#disposals = Promise.all([this.#disposals, disposal]);
  }

  #parameters(version: Lwm2mVersion): RegistrationParameters {
    const { tree } = this.#client;
    const { timing, binding } = serverSettings(tree, this.#instanceId);
    return { lifetimeS: timing.lifetimeS, binding, links: registrationLinks(tree, version, ADVERTISED_FORMATS) };
  }

  /** A server that was started anew rejects what it no longer knows; an Update finds out whether that is everything. */
  #onRejected(sinceMs: number): void {
    this.#record.doubt(sinceMs);
    this.#step({ kind: "changed" });
  }

  #prove(sentAtMs: number): void {
    if (this.#record.prove(sentAtMs)) this.#report();
  }

  #report(): void {
    this.#onStatus(this.status);
  }

  #end(): void {
    this.#listening[Symbol.dispose]();
    this.#views[Symbol.dispose]();
    this.#introduction[Symbol.dispose]();
    this.#observer[Symbol.dispose]();
    this.#life.abort(new CausewayError("COAP_CLOSED", "the client is closed"));
    void this.#disposals.then(this.#resolveClosed);
  }

  #version(): Lwm2mVersion | undefined {
    const { state } = this.#state;
    return state === "registered" || state === "updating" ? this.#state.accepted.version : undefined;
  }
}

/** Errors that say the server is not there any more, or no longer in touch. */
const LOSSES: ReadonlySet<string> = new Set(["COAP_TIMEOUT", "COAP_UNREACHABLE", "COAP_CLOSED"]);
/** Refusals of a Send that another time may be none. */
const PASSING: ReadonlySet<number> = new Set([
  Code.Unauthorized,
  Code.Forbidden,
  Code.NotFound,
  Code.RequestEntityIncomplete,
  Code.TooManyRequests,
]);

function rejection({ code, maxAgeS }: CoapResponse): RegistrationEvent {
  return { kind: "rejected", code: formatCode(code), ...(maxAgeS === undefined ? {} : { maxAgeS }) };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof CausewayError && error.code === "COAP_UNREACHABLE";
}
