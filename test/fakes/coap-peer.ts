import { NO_BYTES } from "../../src/base/bytes.js";
import { createLog } from "../../src/base/log.js";
import { type Block, decodeBlock } from "../../src/coap/block.js";
import { Code, formatCode } from "../../src/coap/code.js";
import { CoapEndpoint, type CoapEndpointOptions } from "../../src/coap/endpoint.js";
import { decodeMessage, encodeMessage, type Message, type OutgoingMessage } from "../../src/coap/message.js";
import { type OptionNumber, uintOf } from "../../src/coap/options.js";
import type { CoapRequest, CoapResponse, RequestHandler } from "../../src/coap/request.js";
import { FakeClock } from "./clock.js";
import { FakeTransport } from "./transport.js";

/** An endpoint, and the other side of its line in the test's hands, message by message. */
export class CoapPeerFake {
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport();
  readonly logged: string[] = [];
  readonly endpoint: CoapEndpoint;

  constructor(handler: RequestHandler = () => undefined, options: Partial<CoapEndpointOptions> = {}) {
    this.endpoint = new CoapEndpoint(this.transport, handler, {
      clock: this.clock,
      log: createLog("debug", (line) => this.logged.push(line)),
      random: () => 0,
      ...options,
    });
  }

  /** Sends to the endpoint and gives what it said at once. */
  tell(message: Partial<OutgoingMessage>): Message[] {
    this.transport.receive(encode(message));
    return this.heard();
  }

  /** What the endpoint said since the last call. */
  heard(): Message[] {
    return this.transport.take().map((datagram) => {
      const message = decodeMessage(Uint8Array.from(datagram));
      if (message.type === "malformed") throw new Error(`endpoint sent a malformed message: ${message.reason}`);
      return message;
    });
  }

  /** As `heard`, in short. */
  summary(): string[] {
    return this.heard().map(summary);
  }
}

export function encode(message: Partial<OutgoingMessage>): Uint8Array {
  const whole = { type: "CON", code: Code.Get, messageId: 1, token: NO_BYTES, options: [], payload: NO_BYTES } as const;
  return Uint8Array.from(encodeMessage({ ...whole, ...message }));
}

/** "ACK 2.05 #7". */
export function summary({ type, code, messageId }: Message): string {
  return `${type} ${formatCode(code)} #${messageId}`;
}

export function optionOf(message: Message | undefined, number: number): number | undefined {
  const value = message?.options.find((option) => option.number === number)?.value;
  return value === undefined ? undefined : uintOf(value);
}

export function blockOf(
  message: Message | undefined,
  number: typeof OptionNumber.Block1 | typeof OptionNumber.Block2,
): Block | undefined {
  const value = optionOf(message, number);
  return value === undefined ? undefined : decodeBlock(value);
}

export function get(...path: string[]): CoapRequest {
  return { method: "GET", path, query: [], payload: NO_BYTES };
}

export function content(payload: Uint8Array): CoapResponse {
  return { code: Code.Content, payload };
}

export const NEVER: AbortSignal = new AbortController().signal;
