import { NO_BYTES, utf8Encode } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { Assemblies } from "./assembly.js";
import type { Block } from "./block.js";
import { Code, parseCode } from "./code.js";
import type { Confirmables } from "./confirmables.js";
import { Deferrals } from "./deferrals.js";
import type { Duplicates, Ticket } from "./duplicates.js";
import { isUnwanted } from "./exchange.js";
import { encodeEmpty, encodeMessage, type Message } from "./message.js";
import type { CoapParameters } from "./parameters.js";
import type { CoapResponse, RequestHandler } from "./request.js";
import { type ParsedRequest, parseRequest, type Refusal, type RefusedRequest } from "./request-codec.js";
import { type ResponseControl, responseOptions } from "./response-codec.js";
import type { Snapshots } from "./snapshot.js";

export interface ResponderContext {
  readonly handler: RequestHandler;
  readonly send: (datagram: Uint8Array) => void;
  readonly nextMessageId: () => number;
  readonly confirmables: Confirmables;
  readonly duplicates: Duplicates;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly log: Log;
  readonly parameters: CoapParameters;
}

/** A request that is being answered. */
interface Pending {
  readonly message: Message;
  readonly ticket: Ticket;
  /** Whether the response is still to go with the acknowledgement (RFC 7252 §5.2.1) or comes after it (§5.2.2). */
  way: "piggybacked" | "separate";
}

const REFUSAL_CODE: Readonly<Record<Refusal, number>> = {
  "bad-option": Code.BadOption,
  method: Code.MethodNotAllowed,
  proxying: Code.ProxyingNotSupported,
};
/** Methods whose handler may run again for a later block when the body is no longer held (RFC 7252 §5.1, safe). */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "FETCH"]);

/** The server's role: blocks, handler, piggybacked or separate response. */
export class Responder implements Disposable {
  readonly #context: ResponderContext;
  /** From the first upload in blocks on. */
  #assemblies: Assemblies | undefined;
  /** From the first request that takes time on. */
  #deferrals: Deferrals<Pending> | undefined;
  #isClosed = false;

  constructor(context: ResponderContext) {
    this.#context = context;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#assemblies?.[Symbol.dispose]();
    this.#deferrals?.[Symbol.dispose]();
  }

  onRequest(message: Message, ticket: Ticket): void {
    const pending: Pending = { message, ticket, way: "piggybacked" };
    const parsed = parseRequest(message);
    if ("refused" in parsed) {
      this.#refuse(pending, parsed);
      return;
    }
    const { block1 } = parsed.control;
    if (block1 === undefined) this.#serve(pending, parsed);
    else this.#receiveBlock(pending, parsed, block1);
  }

  #refuse(pending: Pending, { refused, reason }: RefusedRequest): void {
    // RFC 7252 §5.4.1: a non-confirmable request with an unknown critical option is rejected, which here is silence.
    if (refused === "bad-option" && pending.message.type === "NON") return;
    this.#send(pending, diagnostic(REFUSAL_CODE[refused], reason), {}, undefined);
  }

  #receiveBlock(pending: Pending, parsed: ParsedRequest, block: Block): void {
    const { clock, parameters } = this.#context;
    this.#assemblies ??= new Assemblies(clock, parameters);
    const progress = this.#assemblies.accept(parsed, block);
    const { noResponse } = parsed.control;
    switch (progress.kind) {
      case "complete":
        this.#serve(pending, { ...parsed, request: { ...parsed.request, payload: progress.payload } });
        break;
      case "continue":
        this.#send(pending, { code: Code.Continue, payload: NO_BYTES }, { block1: progress.block }, undefined);
        break;
      case "refused": {
        const size1 = progress.size1 === undefined ? {} : { size1: progress.size1 };
        this.#send(pending, diagnostic(progress.code, progress.reason), { block1: block, ...size1 }, noResponse);
      }
    }
  }

  #serve(pending: Pending, parsed: ParsedRequest): void {
    const { request, control } = parsed;
    const { block2, noResponse } = control;
    if (block2 !== undefined && block2.number > 0) {
      const part = this.#context.snapshots.next(request, request.token, block2);
      if (part !== undefined) {
        this.#send(pending, part.response, part.control, noResponse);
        return;
      }
      if (!REPEATABLE.has(request.method)) {
        this.#send(pending, diagnostic(Code.RequestEntityIncomplete, "the body is gone"), {}, noResponse);
        return;
      }
    }
    this.#handle(pending, parsed);
  }

  #handle(pending: Pending, parsed: ParsedRequest): void {
    try {
      const answer = this.#context.handler(parsed.request);
      if (answer instanceof Promise) this.#defer(pending, parsed, answer);
      else this.#answer(pending, parsed, answer);
    } catch (error) {
      this.#answer(pending, parsed, this.#failure(parsed, error));
    }
  }

  #defer(pending: Pending, parsed: ParsedRequest, promise: Promise<CoapResponse | undefined>): void {
    if (pending.message.type === "CON") this.#deferred().add(pending);
    const answer = (response: CoapResponse | undefined): void => {
      this.#deferrals?.delete(pending);
      this.#answer(pending, parsed, response);
    };
    promise.then(answer).catch((error: unknown) => answer(this.#failure(parsed, error)));
  }

  #deferred(): Deferrals<Pending> {
    const { clock, parameters } = this.#context;
    this.#deferrals ??= new Deferrals(clock, parameters.ackDelayMs, (pending) => this.#acknowledge(pending));
    return this.#deferrals;
  }

  #answer(pending: Pending, { request, control }: ParsedRequest, response: CoapResponse | undefined): void {
    if (this.#isClosed) return;
    if (response === undefined) {
      if (pending.way === "piggybacked") this.#context.duplicates.forget(pending.message.messageId, pending.ticket);
      return;
    }
    const { block1, block2, noResponse } = control;
    const part = this.#context.snapshots.begin(request, request.token, response, block2);
    const blocks = block1 === undefined ? part.control : { ...part.control, block1 };
    this.#send(pending, part.response, blocks, noResponse);
  }

  #failure({ request }: ParsedRequest, error: unknown): CoapResponse {
    if (error instanceof CausewayError) return diagnostic(parseCode(error.coapCode), error.message);
    this.#context.log.error("request handler failed", { method: request.method, path: request.path.join("/"), error });
    return { code: Code.InternalServerError, payload: NO_BYTES };
  }

  #acknowledge(pending: Pending): void {
    pending.way = "separate";
    this.#reply(pending, encodeEmpty("ACK", pending.message.messageId));
  }

  #send(pending: Pending, response: CoapResponse, control: ResponseControl, noResponse: number | undefined): void {
    const { message } = pending;
    const { send, nextMessageId, confirmables } = this.#context;
    if (isUnwanted(response.code, noResponse)) {
      if (message.type === "CON" && pending.way === "piggybacked") this.#acknowledge(pending);
      return;
    }
    const isPiggybacked = message.type === "CON" && pending.way === "piggybacked";
    const messageId = isPiggybacked ? message.messageId : nextMessageId();
    const datagram = encodeMessage({
      type: isPiggybacked ? "ACK" : message.type,
      code: response.code,
      messageId,
      token: message.token,
      options: responseOptions(response, control),
      payload: response.payload,
    });
    if (isPiggybacked) this.#reply(pending, datagram);
    else if (message.type === "NON") send(datagram);
    else confirmables.sendAtOnce(messageId, datagram, ignoreOutcome);
  }

  #reply(pending: Pending, datagram: Uint8Array): void {
    this.#context.duplicates.setReply(pending.message.messageId, pending.ticket, datagram);
    this.#context.send(datagram);
  }
}

function ignoreOutcome(): void {
  // Whether a separate response arrived concerns nobody: the peer asks again.
}

function diagnostic(code: number, reason: string): CoapResponse {
  return { code, payload: utf8Encode(reason) };
}
