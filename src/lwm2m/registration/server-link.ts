import { CausewayError, toError } from "../../base/errors.js";
import type { Log } from "../../base/log.js";
import { Code, formatCode } from "../../coap/code.js";
import type { CoapPeer, CoapRequest, CoapResponse, RequestHandler } from "../../coap/request.js";
import type { OpenPeer, PeerAccount } from "../account/account.js";
import type { RegistrationEvent } from "./registration.js";

interface ServerLinkOptions {
  readonly account: PeerAccount;
  readonly openPeer: OpenPeer;
  readonly log: Log;
  readonly handler: RequestHandler;
  readonly onReset: (token: Uint8Array) => void;
}

/** The client has another address now than the one by which the server knows it. */
class MovedError extends Error {}

/** What the registration makes of a request that was not answered. */
export function failureOf(error: unknown): RegistrationEvent {
  if (error instanceof MovedError) return { kind: "estranged", because: error.message };
  const isUnreachable = error instanceof CausewayError && error.code === "COAP_UNREACHABLE";
  return { kind: "failed", reason: isUnreachable ? "unreachable" : "other" };
}

/** What it makes of a response that is no success. */
export function rejectionOf({ code, maxAgeS }: CoapResponse): RegistrationEvent {
  // A success that lacks what belongs to it, or is none of the request's.
  const text = code >> 5 === 2 ? `unexpected ${formatCode(code)}` : formatCode(code);
  return { kind: "rejected", code: text, ...(maxAgeS === undefined ? {} : { maxAgeS }) };
}

/** The connection to one server: opened when it is needed, from the address by which the server knows the client. */
export class ServerLink {
  readonly #options: ServerLinkOptions;
  #peer: CoapPeer | undefined;
  #knownAddress: string | undefined;
  #disposals: Promise<unknown> = Promise.resolve();

  constructor(options: ServerLinkOptions) {
    this.#options = options;
  }

  /** The server knows the address of the process before. */
  restore(knownAddress: string | undefined): void {
    this.#knownAddress = knownAddress;
  }

  /** Undefined while there is no connection. */
  get peer(): CoapPeer | undefined {
    return this.#peer;
  }

  get knownAddress(): string | undefined {
    return this.#knownAddress;
  }

  /** The server has registered the client as it is reached now. */
  noteKnown(): void {
    this.#knownAddress = this.#peer?.localAddress;
  }

  /**
   * Each request is for a server that answers the one before with 4.09. With `from: "known"` it rejects with MovedError
   * when the address cannot be had again; otherwise as `CoapPeer.request`.
   */
  async request(
    requests: readonly [CoapRequest, ...CoapRequest[]],
    from: "known" | "any",
    signal: AbortSignal,
  ): Promise<CoapResponse> {
    const [request, ...others] = requests;
    const peer = this.#peer ?? (await this.#open(signal));
    const isMoved = this.#knownAddress !== undefined && peer.localAddress !== this.#knownAddress;
    if (from === "known" && isMoved) throw new MovedError("the gateway has another address now");
    const response = await peer.request(request, signal);
    const [second, ...rest] = others;
    if (response.code !== Code.Conflict || second === undefined) return response;
    return this.request([second, ...rest], from, signal);
  }

  close(): void {
    const peer = this.#peer;
    this.#peer = undefined;
    if (peer === undefined) return;
    const disposal = Promise.resolve(peer[Symbol.asyncDispose]()).catch((error: unknown) => {
      this.#options.log.warn("the connection did not close", { error: toError(error) });
    });
    this.#disposals = Promise.all([this.#disposals, disposal]);
  }

  /** Resolves when everything that was closed has ended. */
  async ended(): Promise<void> {
    await this.#disposals;
  }

  async #open(signal: AbortSignal): Promise<CoapPeer> {
    const { account, openPeer, handler, onReset } = this.#options;
    // The port is free only then.
    await this.#disposals;
    const peer = await openPeer(account, handler, signal, this.#knownAddress);
    if (signal.aborted) {
      await peer[Symbol.asyncDispose]();
      throw signal.reason;
    }
    peer.onObservationReset?.(onReset);
    this.#peer = peer;
    return peer;
  }
}
