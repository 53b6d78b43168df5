import { toHex } from "../src/base/bytes.js";
import { systemClock } from "../src/base/clock.js";
import { silentLog } from "../src/base/log.js";
import { codeClass, formatCode } from "../src/coap/code.js";
import { CoapEndpoint } from "../src/coap/endpoint.js";
import { decodeMessage, encodeEmpty, encodeMessage, type Message } from "../src/coap/message.js";
import { OptionNumber } from "../src/coap/options.js";
import type { CoapRequest, CoapResponse, RequestHandler } from "../src/coap/request.js";
import { requestCode, requestOptions } from "../src/coap/request-codec.js";
import { parseResponse } from "../src/coap/response-codec.js";
import type { DatagramTransport, TransportListener } from "../src/coap/transport.js";
import type { Answer } from "./answer.js";
import { Mailbox } from "./mailbox.js";
import { type Arrival, Observation } from "./observation.js";

interface Observed {
  readonly request: CoapRequest;
  readonly arrivals: Mailbox<Arrival>;
  observation?: Observation;
}

const ANSWER_MS = 10_000;

/** A server's side of one client address: a CoapEndpoint, before which notifications are taken out. */
export class Connection implements AsyncDisposable {
  readonly #transport: DatagramTransport;
  readonly #endpoint: CoapEndpoint;
  readonly #observed = new Map<string, Observed>();
  readonly #cancelled = new Map<string, (answer: Answer) => void>();
  #messageId = 0;

  constructor(transport: DatagramTransport, handler: RequestHandler) {
    this.#transport = transport;
    const tap: DatagramTransport = {
      listen: (listener) => this.#listen(listener),
      send: (datagram) => this.#send(datagram),
      [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
    };
    this.#endpoint = new CoapEndpoint(tap, handler, { clock: systemClock, random: Math.random, log: silentLog });
  }

  async ask(request: CoapRequest, withinMs = ANSWER_MS): Promise<Answer> {
    return answerOf(request, await this.#endpoint.request(request, AbortSignal.timeout(withinMs)));
  }

  async observe(request: CoapRequest): Promise<Observation> {
    const before = new Set(this.#observed.keys());
    const first = await this.ask({ ...request, observe: 0 });
    const [token, observed] = [...this.#observed].find(([key]) => !before.has(key)) ?? [];
    if (token === undefined || observed === undefined) throw new Error("the request has not left");
    const observation = new Observation(first, observed.arrivals, () => this.#cancel(token, request));
    observed.observation = observation;
    return observation;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#endpoint[Symbol.asyncDispose]();
  }

  /** The endpoint draws a new token for each request; a cancellation has that of the observation. */
  #cancel(token: string, request: CoapRequest): Promise<Answer> {
    const cancellation = { ...request, observe: 1 };
    this.#messageId++;
    this.#transport.send(
      encodeMessage({
        type: "CON",
        code: requestCode(cancellation),
        messageId: this.#messageId,
        token: Buffer.from(token, "hex"),
        options: requestOptions(cancellation, {}),
        payload: cancellation.payload,
      }),
    );
    return new Promise((resolve, reject) => {
      const timer = systemClock.schedule(ANSWER_MS, () => reject(new Error(`no answer to the cancellation`)));
      this.#cancelled.set(token, (answer) => {
        timer.cancel();
        resolve(answer);
      });
    });
  }

  #send(datagram: Uint8Array): void {
    const message = decodeMessage(datagram);
    if (message.type !== "malformed" && codeClass(message.code) === 0 && observeOf(message) === 0) {
      const token = toHex(message.token);
      if (!this.#observed.has(token)) {
        const path = message.options
          .filter(({ number }) => number === OptionNumber.UriPath)
          .map(({ text }) => text ?? "");
        const request: CoapRequest = { method: "GET", path, query: [], payload: message.payload };
        this.#observed.set(token, { request, arrivals: new Mailbox() });
      }
    }
    this.#transport.send(datagram);
  }

  #listen(listener: TransportListener): void {
    this.#transport.listen({
      ...listener,
      onDatagram: (datagram) => {
        const message = decodeMessage(datagram);
        if (message.type === "malformed" || !this.#take(message)) listener.onDatagram(datagram);
      },
    });
  }

  /** True for what is no answer to a request of the endpoint. */
  #take(message: Message): boolean {
    if (codeClass(message.code) < 2) return false;
    const token = toHex(message.token);
    const cancelled = message.type === "ACK" ? this.#cancelled.get(token) : undefined;
    const observed = this.#observed.get(token);
    if (observed === undefined || (message.type === "ACK" && cancelled === undefined)) return false;
    const response = parseResponse(message);
    if ("refused" in response) return false;
    const answer = answerOf(observed.request, response.response);
    if (cancelled !== undefined) {
      cancelled(answer);
      return true;
    }
    const reply = observed.observation?.reply ?? "ACK";
    if (message.type === "CON" || reply === "RST") this.#transport.send(encodeEmpty(reply, message.messageId));
    observed.arrivals.push({ answer, sequence: observeOf(message) ?? -1, atMs: systemClock.monotonicMs() });
    return true;
  }
}

function observeOf({ options }: Message): number | undefined {
  return options.find(({ number }) => number === OptionNumber.Observe)?.uint;
}

function answerOf({ method, path, query }: CoapRequest, response: CoapResponse): Answer {
  const target = `/${path.join("/")}`;
  return {
    of: `${method} ${target}${query.length === 0 ? "" : `?${query.join("&")}`}`,
    path: target,
    code: formatCode(response.code),
    contentFormat: response.contentFormat ?? 0,
    locationPath: response.locationPath ?? [],
    payload: response.payload,
  };
}
