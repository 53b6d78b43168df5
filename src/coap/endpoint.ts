import type { Clock } from "../base/clock.js";
import { abortable } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { Confirmables, type Outcome } from "./confirmables.js";
import { Duplicates } from "./duplicates.js";
import { disposition } from "./exchange.js";
import { decodeMessage, encodeEmpty, encodeMessage, type Message } from "./message.js";
import { type CoapParameters, DEFAULT_PARAMETERS, exchangeLifetimeMs } from "./parameters.js";
import type { CoapPeer, CoapRequest, CoapResponse, DeliveryResult, Notification, RequestHandler } from "./request.js";
import { Requester, type RequesterContext } from "./requester.js";
import { Responder, type ResponderContext } from "./responder.js";
import { responseOptions } from "./response-codec.js";
import { Snapshots } from "./snapshot.js";
import { transfer } from "./transfer.js";
import type { DatagramTransport } from "./transport.js";

export interface CoapEndpointOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1; tokens, message ids and jitter are drawn from it. */
  readonly random: () => number;
  readonly parameters?: Partial<CoapParameters>;
}

/** Non-confirmable notifications remembered, so that a Reset to one finds its observation. */
const SENT_LIMIT = 256;

/** Both roles of RFC 7252 with one peer. Owns the transport. */
export class CoapEndpoint implements CoapPeer {
  /** Settles when the endpoint was disposed or its transport closed, with the reason; never rejects. */
  readonly closed: Promise<Error>;
  readonly #transport: DatagramTransport;
  readonly #clock: Clock;
  readonly #parameters: CoapParameters;
  #onObservationReset: (token: Uint8Array) => void = () => undefined;
  readonly #duplicates: Duplicates;
  readonly #snapshots: Snapshots;
  readonly #confirmables: Confirmables;
  readonly #requester: Requester;
  readonly #responder: Responder;
  /** From the first non-confirmable notification on. */
  #sentTokens: Map<number, Uint8Array> | undefined;
  #messageId: number;
  #uploads: Promise<unknown> = Promise.resolve();
  #closeReason: Error | undefined;
  #resolveClosed: (reason: Error) => void = () => undefined;

  constructor(transport: DatagramTransport, handler: RequestHandler, options: CoapEndpointOptions) {
    const { clock, log, random } = options;
    const parameters = { ...DEFAULT_PARAMETERS, ...options.parameters };
    const send = (datagram: Uint8Array): void => transport.send(datagram);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#transport = transport;
    this.#clock = clock;
    this.#parameters = parameters;
    this.#messageId = Math.floor(random() * 0x1_0000);
    this.#duplicates = new Duplicates(exchangeLifetimeMs(parameters), parameters.duplicateLimit);
    this.#snapshots = new Snapshots(clock, parameters);
    const confirmables = new Confirmables({ send, clock, random, parameters });
    const context: ResponderContext & RequesterContext = {
      handler,
      send,
      nextMessageId: () => this.#nextMessageId(),
      confirmables,
      duplicates: this.#duplicates,
      snapshots: this.#snapshots,
      clock,
      log,
      random,
      parameters,
    };
    this.#confirmables = confirmables;
    this.#requester = new Requester(context);
    this.#responder = new Responder(context);
    transport.listen({
      onDatagram: (datagram) => this.#onDatagram(datagram),
      onUnreachable: () => this.#confirmables.failAll("unreachable"),
      onClosed: (reason) => this.#close(reason),
    });
  }

  get localAddress(): string | undefined {
    return this.#transport.localAddress;
  }

  request(request: CoapRequest, signal: AbortSignal): Promise<CoapResponse> {
    if (this.#closeReason !== undefined) return Promise.reject(new CausewayError("COAP_CLOSED", "endpoint is closed"));
    const run = (): Promise<CoapResponse> =>
      transfer(
        request,
        (part, control) => {
          if (this.#closeReason === undefined) return this.#requester.exchange(part, control, signal);
          return Promise.reject(new CausewayError("COAP_CLOSED", "endpoint is closed"));
        },
        this.#parameters,
      );
    return request.payload.length > this.#parameters.blockSize ? this.#afterUploads(run, signal) : run();
  }

  notify({ token, request, response, delivery }: Notification): Promise<DeliveryResult> {
    if (this.#closeReason !== undefined) return Promise.resolve("timeout");
    const part = this.#snapshots.begin(request, token, response, undefined);
    const messageId = this.#nextMessageId();
    const datagram = encodeMessage({
      type: delivery,
      code: response.code,
      messageId,
      token,
      options: responseOptions(part.response, part.control),
      payload: part.response.payload,
    });
    if (delivery === "NON") {
      this.#rememberSent(messageId, token);
      this.#transport.send(datagram);
      return Promise.resolve("sent");
    }
    return new Promise((resolve) => {
      this.#confirmables.enqueue(messageId, datagram, (outcome) => resolve(deliveryResult(outcome)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new CausewayError("COAP_CLOSED", "endpoint is closed"));
    await this.#transport[Symbol.asyncDispose]();
  }

  #close(reason: Error): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    this.#responder[Symbol.dispose]();
    this.#snapshots[Symbol.dispose]();
    this.#confirmables.failAll("closed");
    this.#requester.failAll("COAP_CLOSED", "endpoint is closed");
    this.#resolveClosed(reason);
  }

  /** One upload at a time: RFC 7959 lets a server tell two to one resource apart only by a Request-Tag it may not know. */
  #afterUploads(run: () => Promise<CoapResponse>, signal: AbortSignal): Promise<CoapResponse> {
    const turn = abortable(this.#uploads, signal);
    const upload = turn.then(run);
    this.#uploads = Promise.allSettled([this.#uploads, upload]);
    return upload;
  }

  #onDatagram(datagram: Uint8Array): void {
    if (this.#closeReason !== undefined) return;
    const message = decodeMessage(datagram);
    if (message.type === "malformed") {
      if (message.reset !== undefined) this.#transport.send(encodeEmpty("RST", message.reset));
      return;
    }
    switch (disposition(message.type, message.code)) {
      case "request":
        this.#onRequest(message, datagram);
        break;
      case "response":
        this.#onResponse(message, datagram);
        break;
      case "piggybacked-response":
        this.#requester.onResponse(message);
        break;
      case "acknowledgement":
        this.#confirmables.settle(message.messageId, "acknowledged");
        break;
      case "reset":
        this.#onReset(message.messageId);
        break;
      case "ping":
        this.#transport.send(encodeEmpty("RST", message.messageId));
        break;
      case "ignore":
        break;
    }
  }

  #onRequest(message: Message, datagram: Uint8Array): void {
    const { messageId } = message;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#duplicates.find(messageId, datagram, nowMs);
    if (known === undefined) this.#responder.onRequest(message, this.#duplicates.remember(messageId, datagram, nowMs));
    else if (known !== "unanswered") this.#transport.send(known);
  }

  #onResponse(message: Message, datagram: Uint8Array): void {
    if (message.type === "NON") {
      this.#requester.onResponse(message);
      return;
    }
    const { messageId } = message;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#duplicates.find(messageId, datagram, nowMs);
    if (known !== undefined && known !== "unanswered") {
      this.#transport.send(known);
      return;
    }
    const reply = encodeEmpty(this.#requester.onResponse(message) ? "ACK" : "RST", messageId);
    this.#duplicates.setReply(messageId, this.#duplicates.remember(messageId, datagram, nowMs), reply);
    this.#transport.send(reply);
  }

  onObservationReset(listener: (token: Uint8Array) => void): void {
    this.#onObservationReset = listener;
  }

  #onReset(messageId: number): void {
    if (this.#confirmables.settle(messageId, "reset")) return;
    const token = this.#sentTokens?.get(messageId);
    if (token === undefined) return;
    this.#sentTokens?.delete(messageId);
    this.#onObservationReset(token);
  }

  #rememberSent(messageId: number, token: Uint8Array): void {
    this.#sentTokens ??= new Map();
    const sent = this.#sentTokens;
    sent.delete(messageId);
    sent.set(messageId, token);
    for (const oldest of sent.keys()) {
      if (sent.size <= SENT_LIMIT) break;
      sent.delete(oldest);
    }
  }

  #nextMessageId(): number {
    do this.#messageId = (this.#messageId + 1) & 0xffff;
    while (this.#confirmables.has(this.#messageId));
    return this.#messageId;
  }
}

function deliveryResult(outcome: Outcome): DeliveryResult {
  return outcome === "acknowledged" || outcome === "reset" ? outcome : "timeout";
}
