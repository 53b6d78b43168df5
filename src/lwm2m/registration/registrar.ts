import type { Timer } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import { Code } from "../../coap/code.js";
import type { CoapRequest, CoapResponse } from "../../coap/request.js";
import type { PlacedServerAccount } from "../account/accounts.js";
import type { ClientOptions } from "../client-options.js";
import { ADVERTISED_FORMATS } from "../codec/formats.js";
import type { Lwm2mVersion } from "../model/models.js";
import { serverSettings } from "../objects/server.js";
import { registrationLinks } from "../operation/discover.js";
import type { Explainer } from "../why.js";
import type { RegistrationShelf } from "./kept-registration.js";
import { isLive, next, type Registration, type RegistrationAction, type RegistrationEvent } from "./registration.js";
import type { RegistrationRecord } from "./registration-record.js";
import {
  deregisterRequest,
  type RegistrationParameters,
  registerRequests,
  rootOf,
  updateRequest,
} from "./registration-request.js";
import { registrationReason } from "./registration-why.js";
import { failureOf, rejectionOf, type ServerLink } from "./server-link.js";

/** Share by which a retry may come later, so that many gateways do not return in step. */
const RETRY_SPREAD = 0.1;

export interface RegistrarListener {
  /** The state is another, and what is to be done about it is not done yet. */
  onLeave(before: Registration, after: Registration): void;
  /** It is done. */
  onReach(before: Registration, after: Registration): void;
  /** A Register or De-register goes out: all observations are void (OMA LwM2M Core 1.2 §6.4.1). */
  onVoid(): void;
  /** The registration of the process before goes on. */
  onRestored(): void;
  /** A message goes out, or was answered. */
  onMessage(): void;
  /** Registering has failed as often as the server's settings allow, or was refused; it is tried on. */
  onExhausted(): void;
}

interface RegistrarOptions {
  readonly client: ClientOptions;
  readonly account: PlacedServerAccount;
  readonly record: RegistrationRecord;
  readonly shelf: RegistrationShelf;
  readonly link: ServerLink;
  /** Hears of each step, and why. */
  readonly explainer?: Explainer | undefined;
  readonly listener: RegistrarListener;
}

/** Carries out what `next` decides about the registration with one server, and keeps it over restarts. */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #root: readonly string[];
  #state: Registration = { state: "idle" };
  #timer: Timer | undefined;
  #exchange: AbortController | undefined;
  /** What the server knows, and what it will know when it has acknowledged the request under way. */
  #known: RegistrationParameters | undefined;
  #told: RegistrationParameters | undefined;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#root = rootOf(options.account.uri);
  }

  get state(): Registration {
    return this.#state;
  }

  /** Of the registration; undefined while the server is not to be answered. */
  get version(): Lwm2mVersion | undefined {
    const now = this.#state;
    return isLive(now) || now.state === "reviving" ? now.accepted.version : undefined;
  }

  /** Goes on with the registration of the process before, or registers. */
  start(): void {
    const { client, shelf, link, record, listener } = this.#options;
    const kept = shelf.take(client.clock.nowMs());
    if (kept === undefined) {
      this.step({ kind: "start" });
      return;
    }
    this.#known = kept.known;
    link.restore(kept.localAddress);
    record.restore(kept);
    this.step({ kind: "restored", accepted: kept.accepted });
    listener.onRestored();
  }

  /** What the next process is to know. */
  keep(): void {
    if (this.#state.state === "closed") return;
    const { shelf, record, link } = this.#options;
    shelf.keep(this.#state, this.#known, record, link.knownAddress);
  }

  /** Whether the server has been told of all there is. */
  isTold(): boolean {
    return isLive(this.#state) && this.#known?.links === this.#parameters(this.#state.accepted.version).links;
  }

  /** An Update without a change; undefined while there is no registration. */
  refresh(): CoapRequest | undefined {
    if (this.#known === undefined || !isLive(this.#state)) return undefined;
    return updateRequest(this.#state.accepted.location, this.#known, this.#known);
  }

  step(event: RegistrationEvent): void {
    const { client, account, record, listener, explainer } = this.#options;
    const before = this.#state;
    const { timing } = serverSettings(client.tree, account.serverInstanceId);
    const [after, ...actions] = next(before, event, { ...timing, nowMs: client.clock.nowMs() });
    explainer?.note?.(registrationReason(event, before, after, actions));
    if (after === before) return;
    this.#state = after;
    if (after.state !== before.state) {
      this.#timer?.cancel();
      this.#exchange?.abort(new CausewayError("COAP_CLOSED", "another request has taken its place"));
      this.#exchange = undefined;
    }
    record.note(before, after, event);
    listener.onLeave(before, after);
    for (const action of actions) this.#carryOut(action);
    if (after.state !== "closed" && event.kind !== "restored") this.keep();
    listener.onReach(before, after);
  }

  #carryOut(action: RegistrationAction): void {
    const { client, account, link, listener } = this.#options;
    switch (action.kind) {
      case "register": {
        listener.onVoid();
        this.#told = this.#parameters(action.version);
        const requests = registerRequests(this.#root, client.endpoint, action.version, this.#told, account);
        this.#request(requests, ({ code, locationPath }) =>
          code === Code.Created && locationPath !== undefined
            ? { kind: "registered", location: locationPath }
            : undefined,
        );
        break;
      }
      case "update": {
        const { version, location } = action.accepted;
        this.#told = this.#parameters(version);
        this.#request([updateRequest(location, this.#known ?? this.#told, this.#told)], ({ code }) =>
          code === Code.Changed ? { kind: "updated" } : undefined,
        );
        break;
      }
      case "deregister":
        listener.onVoid();
        this.#request([deregisterRequest(action.accepted.location)], () => ({ kind: "deregistered" }));
        break;
      case "wait":
        this.#wait(action.ms * (action.for === "retry" ? 1 + RETRY_SPREAD * client.random() : 1));
        break;
      case "close-peer":
        link.close();
        break;
      case "exhausted":
        listener.onExhausted();
        break;
    }
  }

  #wait(delayMs: number): void {
    const { client, record } = this.#options;
    this.#timer?.cancel();
    this.#timer = client.clock.schedule(delayMs, () => this.step({ kind: "due" }));
    record.noteWait(this.#state, delayMs);
  }

  /** Undefined from `success` means that the response is none. */
  #request(
    requests: readonly [CoapRequest, ...CoapRequest[]],
    success: (response: CoapResponse) => RegistrationEvent | undefined,
  ): void {
    const { client, record, link, listener } = this.#options;
    const exchange = new AbortController();
    this.#exchange = exchange;
    const sentAtMs = client.clock.nowMs();
    const finish = (event: RegistrationEvent): void => {
      if (this.#exchange !== exchange) return;
      this.#exchange = undefined;
      listener.onMessage();
      if (event.kind === "registered" || event.kind === "updated") {
        this.#known = this.#told;
        link.noteKnown();
        record.prove(sentAtMs);
      }
      this.step(event);
    };
    listener.onMessage();
    const from = this.#state.state === "registering" ? "any" : "known";
    link.request(requests, from, exchange.signal).then(
      (response) => finish(success(response) ?? rejectionOf(response)),
      (error: unknown) => {
        if (this.#exchange === exchange) record.noteFailure(error);
        finish(failureOf(error));
      },
    );
  }

  #parameters(version: Lwm2mVersion): RegistrationParameters {
    const { tree, alternatePath } = this.#options.client;
    const { timing, binding } = serverSettings(tree, this.#options.account.serverInstanceId);
    const links = registrationLinks(tree, version, ADVERTISED_FORMATS, alternatePath);
    return { lifetimeS: timing.lifetimeS, binding, links };
  }
}
