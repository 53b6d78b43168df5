import { toHex } from "../../src/base/bytes.js";
import type { Clock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Code, codeClass } from "../../src/coap/code.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import { decodeMessage, encodeEmpty, type Message } from "../../src/coap/message.js";
import { OptionNumber, uintOf } from "../../src/coap/options.js";
import type { CoapResponse, IncomingRequest } from "../../src/coap/request.js";
import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";

export interface ConnectionContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** False while the server is silent: then nothing comes in or goes out. */
  isThere(): boolean;
  handle(request: IncomingRequest, connection: WireConnection): CoapResponse;
  onNotification(path: string, contentFormat: number, payload: Uint8Array, connection: WireConnection): void;
}

/**
 * A server's side of one connection: a real CoapEndpoint for requests both ways; notifications, for which that has no
 * ear, are taken before it. Those of unknown observations are answered with a Reset (RFC 7641 §3.6).
 */
export class WireConnection {
  readonly endpoint: CoapEndpoint;
  readonly #transport: DatagramTransport;
  readonly #context: ConnectionContext;
  /** Token → path; as long as the first answer is awaited it belongs to the endpoint. */
  readonly #observed = new Map<string, string>();
  readonly #awaited = new Set<string>();

  constructor(transport: DatagramTransport, context: ConnectionContext) {
    const { clock, random } = context;
    this.#transport = transport;
    this.#context = context;
    const tap: DatagramTransport = {
      listen: (listener) => this.#listen(listener),
      send: (datagram) => this.#send(datagram),
      [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
    };
    const options = { clock, random, log: silentLog, parameters: { nstart: 4 } };
    this.endpoint = new CoapEndpoint(tap, (request) => context.handle(request, this), options);
  }

  /** Sends bytes that are no message of this server. */
  sendRaw(datagram: Uint8Array): void {
    this.#transport.send(datagram);
  }

  /** As after a restart: observations are unknown. */
  forget(): void {
    this.#observed.clear();
  }

  get observedPaths(): readonly string[] {
    return [...this.#observed.values()];
  }

  #send(datagram: Uint8Array): void {
    if (!this.#context.isThere()) return;
    const message = decodeMessage(datagram);
    if (message.type !== "malformed" && message.code === Code.Get && observeOf(message) === 0) {
      const token = toHex(message.token);
      this.#observed.set(token, pathOf(message));
      this.#awaited.add(token);
    }
    this.#transport.send(datagram);
  }

  #listen(listener: TransportListener): void {
    this.#transport.listen({
      ...listener,
      onDatagram: (datagram) => {
        if (this.#context.isThere() && !this.#takeNotification(datagram)) listener.onDatagram(datagram);
      },
    });
  }

  #takeNotification(datagram: Uint8Array): boolean {
    const message = decodeMessage(datagram);
    if (message.type === "malformed" || codeClass(message.code) < 2) return false;
    const token = toHex(message.token);
    if (this.#awaited.delete(token)) {
      if (observeOf(message) === undefined) this.#observed.delete(token);
      return false;
    }
    if (message.type === "ACK" || observeOf(message) === undefined) return false;
    const path = this.#observed.get(token);
    if (path === undefined) {
      this.#transport.send(encodeEmpty("RST", message.messageId));
      return true;
    }
    if (message.type === "CON") this.#transport.send(encodeEmpty("ACK", message.messageId));
    this.#context.onNotification(path, contentFormatOf(message), message.payload, this);
    return true;
  }
}

function observeOf({ options }: Message): number | undefined {
  const option = options.find(({ number }) => number === OptionNumber.Observe);
  return option === undefined ? undefined : uintOf(option.value);
}

function contentFormatOf({ options }: Message): number {
  const option = options.find(({ number }) => number === OptionNumber.ContentFormat);
  return option === undefined ? 0 : uintOf(option.value);
}

function pathOf({ options }: Message): string {
  const segments = options.filter(({ number }) => number === OptionNumber.UriPath);
  return segments.map(({ value }) => `/${Buffer.from(value).toString()}`).join("");
}
