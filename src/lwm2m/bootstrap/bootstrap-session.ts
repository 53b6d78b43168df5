import type { Clock, Timer } from "../../base/clock.js";
import { CausewayError, toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import { Code, formatCode } from "../../coap/code.js";
import type { CoapResponse, IncomingRequest } from "../../coap/request.js";
import type { OpenPeer } from "../account/account.js";
import { accountProblems } from "../account/account-problems.js";
import { accountsOf, type PlacedBootstrapAccount } from "../account/accounts.js";
import { ServerId } from "../objects/server.js";
import { emptyResponse, errorResponse } from "../operation/content.js";
import { rootOf } from "../registration/registration-request.js";
import { ServerLink } from "../registration/server-link.js";
import type { ObjectTree } from "../tree.js";
import {
  type Bootstrap,
  type BootstrapAction,
  type BootstrapCause,
  type BootstrapEvent,
  type BootstrapOperation,
  nextBootstrap,
} from "./bootstrap.js";
import { BootstrapDraft } from "./bootstrap-draft.js";
import { BootstrapExpiry } from "./bootstrap-expiry.js";
import { bootstrapAnswer, isFinish, unpack } from "./bootstrap-operations.js";
import { bootstrapRequest } from "./bootstrap-request.js";

export interface BootstrapOptions {
  readonly endpoint: string;
  /** The account is in it, as an instance of object 0 that names a bootstrap server. */
  readonly tree: ObjectTree;
  readonly openPeer: OpenPeer;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1; spreads retries. */
  readonly random: () => number;
  /** Whether a bootstrap begins with a Bootstrap-Pack-Request. */
  readonly pack: "try" | "never";
  /** Schemes of URIs that `openPeer` takes; every one of LwM2M when absent. */
  readonly schemes?: ReadonlySet<string>;
  /** Servers' requests are to be ignored, and nothing is to be sent to them, until `onRolledBack` or `onFinished`. */
  onBegin(): void;
  /** The tree is as it was at `onBegin`. */
  onRolledBack(): void;
  /** The accounts of the tree are others now; the bootstrap server has its answer. */
  onFinished(): void;
  /** Something of `status` is another. */
  onStatus?(): void;
}

export interface BootstrapStatus {
  readonly uri: string;
  /** `serving` the bootstrap server's requests; `waiting` for the next attempt (`retryAtMs`). */
  readonly state: "idle" | "waiting" | "requesting" | "serving" | "finishing" | "closed";
  readonly retryAtMs?: number;
  /** When the last bootstrap was finished, as of this process. */
  readonly finishedAtMs?: number;
  /** Why the last attempt failed: an error code, or a response code such as "4.00". */
  readonly lastFailure?: string;
}

const RETRY_SPREAD = 0.5;

/** The client's side of the bootstrap interface: carries out what `nextBootstrap` decides. */
export class BootstrapSession {
  readonly #options: BootstrapOptions;
  readonly #log: Log;
  readonly #life = new AbortController();
  readonly #expiry: BootstrapExpiry;
  #state: Bootstrap = { state: "idle" };
  #draft: BootstrapDraft | undefined;
  #link: { readonly to: ServerLink; readonly uri: string } | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #exchange: AbortController | undefined;
  #timer: Timer | undefined;
  #retryAtMs: number | undefined;
  #finishedAtMs: number | undefined;
  #lastFailure: string | undefined;
  #loggedFailure: string | undefined;

  constructor(options: BootstrapOptions) {
    this.#options = options;
    this.#log = options.log.child({ endpoint: options.endpoint, server: "bootstrap" });
    this.#expiry = new BootstrapExpiry(options.tree, options.clock, this.#log, () => this.#closePeer());
  }

  /** Undefined while the tree has no bootstrap server's account: nothing of this can happen then. */
  get status(): BootstrapStatus | undefined {
    const uri = this.#account?.uri;
    if (uri === undefined) return undefined;
    return {
      uri,
      state: this.#state.state,
      ...(this.#retryAtMs === undefined ? {} : { retryAtMs: this.#retryAtMs }),
      ...(this.#finishedAtMs === undefined ? {} : { finishedAtMs: this.#finishedAtMs }),
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  /** Begins after the hold-off time, unless one is under way; without an account nothing happens. */
  start(cause: BootstrapCause): void {
    if (this.#account !== undefined) this.#step({ kind: "start", cause });
  }

  /** A server has accepted a registration: the search for one ends, but not a bootstrap that is being served. */
  stop(): void {
    this.#step({ kind: "stop" });
  }

  /** Forgets what is under way and resolves when the connection is closed; idempotent. */
  async close(): Promise<void> {
    this.#step({ kind: "close" });
    this.#expiry[Symbol.dispose]();
    this.#life.abort(new CausewayError("COAP_CLOSED", "the client is closed"));
    await this.#ended;
  }

  get #account(): PlacedBootstrapAccount | undefined {
    return accountsOf(this.#options.tree).bootstrap;
  }

  async #handle(request: IncomingRequest): Promise<CoapResponse | undefined> {
    const { state } = this.#state;
    if (state === "closed") return undefined;
    // A Finish that comes again has been answered before (OMA LwM2M Core 1.2 §6.1.7.2).
    if (isFinish(request) && (state === "idle" || state === "finishing")) return emptyResponse(Code.Changed);
    // What was asked before the Finish is over with it.
    if (state === "finishing") return undefined;
    this.#step({ kind: "asked" });
    const draft = this.#draft;
    if (draft === undefined) return undefined;
    try {
      if (isFinish(request)) return await this.#finish(draft);
      return bootstrapAnswer(draft.tree, request, this.#options.clock.nowMs());
    } catch (error) {
      if (error instanceof CausewayError) return errorResponse(error);
      this.#log.error("a request ended in a defect", { error: toError(error) });
      return emptyResponse(Code.InternalServerError);
    }
  }

  /** Bootstrap-Finish: what is inconsistent the server may mend, and finish again. */
  async #finish(draft: BootstrapDraft): Promise<CoapResponse> {
    const problems = accountProblems(draft.tree, this.#options.schemes);
    if (problems.length > 0) {
      this.#log.warn("the bootstrap server's configuration is inconsistent", { problems });
      this.#lastFailure = "4.06";
      throw new CausewayError("LWM2M_NOT_ACCEPTABLE", problems.join("; "));
    }
    await this.#accept(draft);
    return emptyResponse(Code.Changed);
  }

  async #accept(draft: BootstrapDraft): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    for (const [instanceId, { model }] of draft.tree.objects.get(1)?.instances ?? []) {
      const { lastBootstrapped } = ServerId;
      if (!model.resources.has(lastBootstrapped)) continue;
      draft.tree.set([1, instanceId, lastBootstrapped], { value: Math.floor(nowMs / 1000), atMs: nowMs });
    }
    await draft.commit(this.#life.signal);
    this.#finishedAtMs = nowMs;
    this.#step({ kind: "finished" });
  }

  #step(event: BootstrapEvent): void {
    const before = this.#state;
    const timing = { holdOffS: this.#account?.holdOffS ?? 0, pack: this.#options.pack };
    const [after, ...actions] = nextBootstrap(before, event, timing);
    if (after === before && actions.length === 0) return;
    this.#state = after;
    if (after !== before) {
      this.#retryAtMs = undefined;
      this.#timer?.cancel();
      // A server that asks before its answer arrives is still to be heard out.
      if (after.state !== "serving") this.#giveUpExchange();
      if (event.kind === "rejected") this.#lastFailure = event.code;
      if (event.kind === "due" && before.state === "serving") this.#lastFailure = "COAP_TIMEOUT";
      this.#tell(before, after);
    }
    for (const action of actions) this.#carryOut(action);
    if (after !== before) this.#options.onStatus?.();
  }

  #giveUpExchange(): void {
    this.#exchange?.abort(new CausewayError("COAP_CLOSED", "the bootstrap has gone on"));
    this.#exchange = undefined;
  }

  #carryOut(action: BootstrapAction): void {
    switch (action.kind) {
      case "request":
        this.#request(action.operation);
        break;
      case "wait":
        this.#wait(action.for === "retry" ? action.ms * (1 + RETRY_SPREAD * this.#options.random()) : action.ms);
        break;
      case "begin":
        this.#draft = new BootstrapDraft(this.#options.tree);
        this.#options.onBegin();
        break;
      case "roll-back":
        this.#draft = undefined;
        this.#options.onRolledBack();
        break;
      case "finish":
        this.#draft = undefined;
        this.#lastFailure = undefined;
        this.#loggedFailure = undefined;
        if (this.#link?.uri !== this.#account?.uri) this.#closePeer();
        this.#expiry.arm();
        this.#options.onFinished();
        break;
      case "close-peer":
        this.#closePeer();
        break;
    }
  }

  #wait(delayMs: number): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.schedule(delayMs, () => this.#step({ kind: "due" }));
    if (this.#state.state === "waiting") this.#retryAtMs = clock.nowMs() + Math.round(delayMs);
  }

  #request(operation: BootstrapOperation): void {
    const exchange = new AbortController();
    this.#exchange = exchange;
    this.#exchangeWithServer(operation, exchange.signal).then(
      async (response) => {
        if (this.#exchange !== exchange) return;
        if (operation === "pack" && response.code === Code.Content) await this.#onPack(response);
        else if (operation !== "pack" && response.code === Code.Changed) this.#step({ kind: "accepted" });
        else this.#step(rejection(response));
      },
      (error: unknown) => {
        if (this.#exchange !== exchange || this.#state.state !== "requesting") return;
        this.#lastFailure = error instanceof CausewayError ? error.code : toError(error).message;
        this.#step({ kind: "failed" });
      },
    );
  }

  async #exchangeWithServer(operation: BootstrapOperation, signal: AbortSignal): Promise<CoapResponse> {
    const { tree, endpoint, openPeer } = this.#options;
    const account = this.#account;
    if (account === undefined) throw new CausewayError("LWM2M_NOT_FOUND", "the bootstrap server's account is gone");
    this.#link ??= {
      uri: account.uri,
      to: new ServerLink({
        account,
        openPeer,
        log: this.#log,
        handler: (request) => this.#handle(request),
        onReset: () => undefined,
      }),
    };
    const request = bootstrapRequest(operation, rootOf(account.uri), endpoint, tree);
    return this.#link.to.request([request], "any", signal);
  }

  /** Bootstrap-Pack (OMA LwM2M Core 1.2 §6.1.7.7): whole and at once, or not at all. */
  async #onPack(response: CoapResponse): Promise<void> {
    const { tree, clock, schemes } = this.#options;
    try {
      const draft = new BootstrapDraft(tree);
      unpack(draft.tree, response, clock.nowMs());
      const problems = accountProblems(draft.tree, schemes);
      if (problems.length > 0) throw new CausewayError("LWM2M_NOT_ACCEPTABLE", problems.join("; "));
      this.#options.onBegin();
      await this.#accept(draft).catch((error: unknown) => {
        this.#options.onRolledBack();
        throw error;
      });
    } catch (error) {
      this.#log.warn("the Bootstrap-Pack cannot be used", { error: toError(error) });
      this.#step({ kind: "spoilt" });
    }
  }

  #closePeer(): void {
    const link = this.#link?.to;
    this.#link = undefined;
    if (link === undefined) return;
    link.close();
    this.#ended = Promise.all([this.#ended, link.ended()]);
  }

  #tell(before: Bootstrap, after: Bootstrap): void {
    const uri = this.#account?.uri;
    if (after.state === "serving") this.#log.info("the bootstrap server has begun", { uri });
    if (after.state === "finishing") this.#log.info("bootstrapped", { uri });
    const hasFailed = before.state === "requesting" || before.state === "serving";
    const isOver = after.state === "idle" || after.state === "waiting";
    // The same failure over and over is no news.
    if (!hasFailed || !isOver || this.#loggedFailure === this.#lastFailure) return;
    this.#loggedFailure = this.#lastFailure;
    const what = after.state === "idle" ? "the bootstrap failed" : "the bootstrap failed, it is tried again";
    this.#log.warn(what, { uri, failure: this.#lastFailure });
  }
}

function rejection({ code, maxAgeS }: CoapResponse): BootstrapEvent {
  return { kind: "rejected", code: formatCode(code), ...(maxAgeS === undefined ? {} : { maxAgeS }) };
}
