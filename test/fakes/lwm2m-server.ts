import { NO_BYTES, toHex, utf8Decode, utf8Encode } from "../../src/base/bytes.js";
import { CausewayError, type ErrorCode, isErrorCode } from "../../src/base/errors.js";
import { Code, formatCode, parseCode } from "../../src/coap/code.js";
import type {
  CoapPeer,
  CoapRequest,
  CoapResponse,
  DeliveryResult,
  IncomingRequest,
  Notification,
  RequestHandler,
} from "../../src/coap/request.js";
import type { OpenPeer } from "../../src/lwm2m/account/account.js";
import { ContentFormat } from "../../src/lwm2m/codec/formats.js";

/** How a request of the client ends: with a response code, a response, an error of the transport, or never. */
export type Answer = string | CoapResponse | Promise<CoapResponse> | ErrorCode | "never";

/** What may be said of a request to the client; the path and the query are text: `/3/0?pmin=1`. */
export interface Ask {
  readonly accept?: number;
  readonly contentFormat?: number;
  readonly observe?: number;
  readonly token?: string;
  readonly payload?: string | Uint8Array;
}

/**
 * An LwM2M server on the face of `CoapPeer`: it answers the registration interface, keeps what it was told, and asks
 * what the test wants. `answers` are used up in order before it behaves by itself.
 */
export class FakeLwm2mServer {
  /** What the client requested, in order. */
  readonly requests: CoapRequest[] = [];
  readonly notifications: Notification[] = [];
  readonly answers: Answer[] = [];
  /** How notifications end; CON by default acknowledged, NON sent. */
  delivery: DeliveryResult | undefined;
  /** How the next notifications end, before `delivery` counts. */
  readonly deliveries: DeliveryResult[] = [];
  /** Until it resolves no notification ends. */
  acknowledging: Promise<void> | undefined;
  inFlight = 0;
  /** Connections that the client has opened, and those it has not closed again. */
  opened = 0;
  readonly open = new Set<CoapPeer>();
  versions: readonly string[] = ["1.0", "1.1", "1.2"];
  #handler: RequestHandler | undefined;
  #onReset: ((token: Uint8Array) => void) | undefined;
  #registrations = 0;
  #tokens = 0;

  readonly openPeer: OpenPeer = async (_account, handler, signal) => {
    signal.throwIfAborted();
    const peer: CoapPeer = {
      request: (request, requestSignal) => this.#onRequest(request, requestSignal),
      onObservationReset: (listener) => {
        this.#onReset = listener;
      },
      notify: async (notification) => {
        this.notifications.push(notification);
        this.inFlight++;
        await this.acknowledging;
        this.inFlight--;
        return this.deliveries.shift() ?? this.delivery ?? (notification.delivery === "CON" ? "acknowledged" : "sent");
      },
      [Symbol.asyncDispose]: async () => {
        this.open.delete(peer);
      },
    };
    this.opened++;
    this.open.add(peer);
    this.#handler = handler;
    return peer;
  };

  /** The requests as text: `POST /rd?ep=a&lt=60`. */
  get log(): readonly string[] {
    return this.requests.map(formatRequest);
  }

  /** The newest request of the client. */
  get last(): CoapRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error("the client has requested nothing");
    return request;
  }

  /** Asks the client; undefined when it does not answer. */
  async ask(method: CoapRequest["method"], target: string, ask: Ask = {}): Promise<CoapResponse | undefined> {
    return await this.askNow(method, target, ask);
  }

  /** What the client's handler gives back, perhaps a promise. */
  askNow(method: CoapRequest["method"], target: string, ask: Ask = {}): ReturnType<RequestHandler> {
    if (this.#handler === undefined) throw new Error("the client has opened no connection");
    return this.#handler(incoming(method, target, ask, `#${++this.#tokens}`));
  }

  /** The answer as text: `2.05 21.5`, `4.04`. */
  async text(method: CoapRequest["method"], target: string, ask: Ask = {}): Promise<string> {
    const response = await this.ask(method, target, ask);
    return response === undefined ? "no answer" : formatResponse(response);
  }

  /** Rejects a non-confirmable notification after the event. */
  resetObservation(token: string): void {
    this.#onReset?.(utf8Encode(token));
  }

  #onRequest(request: CoapRequest, signal: AbortSignal): Promise<CoapResponse> {
    this.requests.push(request);
    const answer = this.answers.shift() ?? this.#respond(request);
    if (answer === "never") {
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    }
    if (typeof answer !== "string") return Promise.resolve(answer);
    if (isErrorCode(answer)) return Promise.reject(new CausewayError(answer, "the test wants it so"));
    return Promise.resolve({ code: parseCode(answer), payload: NO_BYTES });
  }

  #respond({ method, path, query }: CoapRequest): CoapResponse {
    const [first] = path;
    if (method === "DELETE") return { code: Code.Deleted, payload: NO_BYTES };
    if (first !== "rd" || path.length > 1) return { code: Code.Changed, payload: NO_BYTES };
    const version = query.find((option) => option.startsWith("lwm2m="))?.slice(6) ?? "";
    if (!this.versions.includes(version)) return { code: Code.PreconditionFailed, payload: NO_BYTES };
    return { code: Code.Created, locationPath: ["rd", String(++this.#registrations)], payload: NO_BYTES };
  }
}

export function incoming(method: CoapRequest["method"], target: string, ask: Ask, token: string): IncomingRequest {
  const [path = "", query] = target.split("?");
  const { payload = NO_BYTES, token: own, ...options } = ask;
  return {
    method,
    path: path.split("/").filter((segment) => segment !== ""),
    query: query === undefined ? [] : query.split("&"),
    token: utf8Encode(own ?? token),
    confirmable: true,
    payload: typeof payload === "string" ? utf8Encode(payload) : payload,
    ...options,
  };
}

export function formatRequest({ method, path, query }: CoapRequest): string {
  return `${method} /${path.join("/")}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

/** Class and detail, with the place of what was created or with the content: text as it is, anything else as hex. */
export function formatResponse({ code, contentFormat, payload, locationPath }: CoapResponse): string {
  if (locationPath !== undefined) return `${formatCode(code)} /${locationPath.join("/")}`;
  if (code !== Code.Content) return formatCode(code);
  return `${formatCode(code)} ${TEXT.has(contentFormat) ? utf8Decode(payload) : toHex(payload)}`;
}

const TEXT: ReadonlySet<number | undefined> = new Set([
  ContentFormat.text,
  ContentFormat.linkFormat,
  ContentFormat.senmlJson,
]);
