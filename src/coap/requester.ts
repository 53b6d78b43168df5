import type { Clock, Timer } from "../base/clock.js";
import { CausewayError, type ErrorCode } from "../base/errors.js";
import { formatCode } from "./code.js";
import type { Confirmables, Outcome } from "./confirmables.js";
import { encodeMessage, type Message } from "./message.js";
import { uintOf } from "./options.js";
import type { CoapParameters } from "./parameters.js";
import type { CoapRequest } from "./request.js";
import { type RequestControl, requestCode, requestOptions } from "./request-codec.js";
import { type ParsedResponse, parseResponse } from "./response-codec.js";

const TOKEN_BYTES = 6;

interface Pending {
  readonly messageId: number;
  resolve(response: ParsedResponse): void;
  reject(reason: unknown): void;
  /** Runs once the request is acknowledged. */
  timer?: Timer;
}

export interface RequesterContext {
  readonly confirmables: Confirmables;
  readonly nextMessageId: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly parameters: CoapParameters;
}

const FAILURES: Readonly<Record<Exclude<Outcome, "acknowledged">, readonly [ErrorCode, string]>> = {
  reset: ["COAP_RESET", "request was reset"],
  timeout: ["COAP_TIMEOUT", "request was not acknowledged"],
  unreachable: ["COAP_UNREACHABLE", "peer is unreachable"],
  closed: ["COAP_CLOSED", "endpoint is closed"],
  overflow: ["COAP_QUEUE_FULL", "too many requests wait"],
};

/** Single requests of ours, one message each; responses are matched by token (RFC 7252 §5.3.2). */
export class Requester {
  readonly #context: RequesterContext;
  readonly #pending = new Map<number, Pending>();
  /** Random, so that a stranger cannot guess our tokens (RFC 7252 §5.3.1); the lower 16 bits count. */
  readonly #tokenBase: number;
  #tokenCount = 0;

  constructor(context: RequesterContext) {
    this.#context = context;
    this.#tokenBase = Math.floor(context.random() * 2 ** 32) * 2 ** 16;
  }

  /** The payload is one block of the body, or all of it. */
  exchange(request: CoapRequest, control: RequestControl, signal: AbortSignal): Promise<ParsedResponse> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const tokenNumber = this.#nextToken();
    const token = Buffer.alloc(TOKEN_BYTES);
    token.writeUIntBE(tokenNumber, 0, TOKEN_BYTES);
    const messageId = this.#context.nextMessageId();
    const datagram = encodeMessage({
      type: "CON",
      code: requestCode(request),
      messageId,
      token,
      options: requestOptions(request, control),
      payload: request.payload,
    });
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#context.confirmables.cancel(messageId);
        this.#take(tokenNumber)?.reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const settled = (): void => signal.removeEventListener("abort", onAbort);
      this.#pending.set(tokenNumber, {
        messageId,
        resolve: (response) => {
          settled();
          resolve(response);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      });
      this.#context.confirmables.enqueue(messageId, datagram, (outcome) => this.#onOutcome(tokenNumber, outcome));
    });
  }

  /** True when the response was for one of our requests. */
  onResponse(message: Message): boolean {
    if (message.token.length !== TOKEN_BYTES) return false;
    const tokenNumber = uintOf(message.token);
    const pending = this.#pending.get(tokenNumber);
    if (pending === undefined) return false;
    if (message.type === "ACK" && message.messageId !== pending.messageId) return false;
    this.#take(tokenNumber);
    // A response is as good as the acknowledgement that was lost or overtaken (RFC 7252 §4.2).
    if (pending.timer === undefined) this.#context.confirmables.cancel(pending.messageId);
    const response = parseResponse(message);
    if ("refused" in response) {
      pending.reject(
        new CausewayError("COAP_MALFORMED", `response ${formatCode(message.code)} has unknown ${response.refused}`),
      );
    } else {
      pending.resolve(response);
    }
    return true;
  }

  failAll(code: ErrorCode, message: string): void {
    for (const tokenNumber of [...this.#pending.keys()]) {
      this.#take(tokenNumber)?.reject(new CausewayError(code, message));
    }
  }

  #onOutcome(tokenNumber: number, outcome: Outcome): void {
    const pending = this.#pending.get(tokenNumber);
    if (pending === undefined) return;
    if (outcome === "acknowledged") {
      pending.timer = this.#context.clock.schedule(this.#context.parameters.separateResponseMs, () =>
        this.#take(tokenNumber)?.reject(new CausewayError("COAP_TIMEOUT", "request was acknowledged but not answered")),
      );
      return;
    }
    this.#take(tokenNumber);
    pending.reject(new CausewayError(...FAILURES[outcome]));
  }

  #take(tokenNumber: number): Pending | undefined {
    const pending = this.#pending.get(tokenNumber);
    this.#pending.delete(tokenNumber);
    pending?.timer?.cancel();
    return pending;
  }

  #nextToken(): number {
    do this.#tokenCount = (this.#tokenCount + 1) & 0xffff;
    while (this.#pending.has(this.#tokenBase + this.#tokenCount));
    return this.#tokenBase + this.#tokenCount;
  }
}
