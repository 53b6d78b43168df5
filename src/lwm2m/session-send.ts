import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import { Code, formatCode } from "../coap/code.js";
import type { CoapPeer, CoapRequest, CoapResponse } from "../coap/request.js";
import type { AlternatePath } from "./alternate-path.js";
import { withAlternateNames } from "./codec/alternate-names.js";
import type { Entry } from "./codec/codec.js";
import { senmlCborCodec } from "./codec/senml-cbor.js";
import { sendRequest } from "./registration/registration-request.js";

/** What a Send needs of the session that it goes through. */
export interface SendContext {
  readonly shortServerId: number;
  /** The path of the server's URI. */
  readonly root: readonly string[];
  readonly alternatePath: AlternatePath;
  readonly clock: Clock;
  /** Resolves when the server can take values; rejects with the signal's reason. */
  ready(entries: readonly Entry[], signal: AbortSignal): Promise<void> | undefined;
  /** Whether the server takes any: not with LwM2M 1.0, nor when it has muted them (/1/x/23). */
  isOpen(): boolean;
  /** The connection of now; undefined while there is no registration. */
  peer(): CoapPeer | undefined;
  /** The registration as it is, refreshed without a change; undefined while there is none. */
  refresh(): CoapRequest | undefined;
  /** The server has taken what was sent at this wall clock time. */
  onTaken(sentAtMs: number): void;
  /** The server is out of touch. */
  onLost(): void;
  /** The server has forgotten the client: an Update finds it out. */
  onForgotten(): void;
  /** The server does not know an object, or the client as it is reached now. */
  onUnknown(): void;
}

/** Sends, and finds out what a refusal means. See `Lwm2mClient.send`. */
export async function send(context: SendContext, entries: readonly Entry[], signal: AbortSignal): Promise<void> {
  const ready = context.ready(entries, signal);
  // Whoever sends counts on what the connection is now.
  if (ready !== undefined) await ready;
  const { shortServerId, root, alternatePath } = context;
  const peer = context.peer();
  if (peer === undefined) {
    throw new CausewayError("LWM2M_NOT_REGISTERED", `server ${shortServerId} has no registration`);
  }
  if (!context.isOpen()) {
    throw new CausewayError("LWM2M_SEND_UNAVAILABLE", `server ${shortServerId} takes no Send`);
  }
  const sentAtMs = context.clock.nowMs();
  const payload = sendPayload(entries, sentAtMs, alternatePath);
  const response = await requestOrLose(context, peer, sendRequest(root, payload), signal);
  if (response.code !== Code.Changed) throw await refusal(context, response, peer, signal);
  context.onTaken(sentAtMs);
}

/** With the times of all values. */
export function sendPayload(entries: readonly Entry[], nowMs: number, alternatePath: AlternatePath): Uint8Array {
  return withAlternateNames(senmlCborCodec, alternatePath).encode(entries, { target: [], nowMs, times: "all" });
}

async function requestOrLose(
  context: SendContext,
  peer: CoapPeer,
  request: CoapRequest,
  signal: AbortSignal,
): Promise<CoapResponse> {
  try {
    return await peer.request(request, signal);
  } catch (error) {
    const isLost = error instanceof CausewayError && LOSSES.has(error.code);
    if (isLost && peer === context.peer() && !signal.aborted) context.onLost();
    throw error;
  }
}

async function refusal(
  context: SendContext,
  { code }: CoapResponse,
  peer: CoapPeer,
  signal: AbortSignal,
): Promise<CausewayError> {
  const isRefusal = code >> 5 === 4 && !PASSING.has(code);
  const isFinal = isRefusal && (await isKnown(context, peer, signal));
  // Either way the server is told anew, and the Send may be repeated.
  if (code === Code.NotFound) context.onUnknown();
  else if (isRefusal && !isFinal) context.onForgotten();
  const facts = { code: formatCode(code) };
  const what = `server ${context.shortServerId} answered Send with ${facts.code}`;
  return new CausewayError(isFinal ? "LWM2M_BAD_REQUEST" : "LWM2M_NOT_REGISTERED", what, { facts });
}

/**
 * Whether the server still has the registration; an Update tells. Servers refuse any Send of a client that they have
 * forgotten, and not only with 4.04 (Leshan 2.0.0-M18: 4.00).
 */
async function isKnown(context: SendContext, peer: CoapPeer, signal: AbortSignal): Promise<boolean> {
  const refresh = context.refresh();
  if (refresh === undefined) return false;
  return (await requestOrLose(context, peer, refresh, signal)).code === Code.Changed;
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
