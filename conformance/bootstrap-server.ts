import { NO_BYTES, utf8Encode } from "../src/base/bytes.js";
import { Code } from "../src/coap/code.js";
import type { CoapResponse, IncomingRequest, Method } from "../src/coap/request.js";
import { ContentFormat } from "../src/lwm2m/codec/formats.js";
import type { Answer } from "./answer.js";
import { Connection } from "./connection.js";
import { expectCode } from "./difference.js";
import { Hub } from "./hub.js";
import { Mailbox } from "./mailbox.js";
import { type Ask, requestOf } from "./server.js";

/** `Request` is POST /bs, `Pack` is GET /bspack. */
export type BootstrapOperation = "Request" | "Pack";

/** What the client asked of the bootstrap server. */
export interface BootstrapRequest {
  readonly operation: BootstrapOperation;
  readonly query: readonly string[];
  readonly accept: number | undefined;
}

/** A record of SenML JSON. */
export type SenmlRecord = Readonly<Record<string, unknown>>;

const NEXT_MS = 15_000;

/** The bootstrap server of the test specification: a script says what it writes, deletes and reads. */
export class BootstrapServer implements AsyncDisposable {
  /** The answer to a Bootstrap-Pack-Request; "not implemented" without one. */
  pack: readonly SenmlRecord[] | undefined;
  readonly #requests = new Mailbox<BootstrapRequest>();
  readonly #hub: Promise<Hub>;
  #connection: Connection | undefined;

  constructor() {
    this.#hub = Hub.open((transport) => {
      const connection: Connection = new Connection(transport, (request) => this.#handle(request, connection));
    });
  }

  async uri(): Promise<string> {
    return (await this.#hub).uri;
  }

  next(operation: BootstrapOperation, withinMs = NEXT_MS): Promise<BootstrapRequest> {
    return this.#requests.take(`Bootstrap-${operation}`, (request) => request.operation === operation, withinMs);
  }

  ask(method: Method, target: string, ask: Ask = {}): Promise<Answer> {
    if (this.#connection === undefined) throw new Error("no client has come yet");
    return this.#connection.ask(requestOf(method, target, ask));
  }

  /** Bootstrap-Write, which is to succeed. */
  async write(path: string, records: readonly SenmlRecord[]): Promise<void> {
    const payload = JSON.stringify(records);
    expectCode(await this.ask("PUT", path, { contentFormat: ContentFormat.senmlJson, payload }), "2.04");
  }

  discover(path: string): Promise<Answer> {
    return this.ask("GET", path, { accept: ContentFormat.linkFormat });
  }

  read(path: string): Promise<Answer> {
    return this.ask("GET", path, { accept: ContentFormat.senmlJson });
  }

  finish(): Promise<Answer> {
    return this.ask("POST", "/bs");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]();
    await (await this.#hub)[Symbol.asyncDispose]();
  }

  #handle({ method, path, query, accept }: IncomingRequest, connection: Connection): CoapResponse {
    this.#connection = connection;
    const operation = OPERATIONS.get(`${method} /${path.join("/")}`);
    if (operation === undefined) return { code: Code.NotFound, payload: NO_BYTES };
    this.#requests.push({ operation, query, accept });
    if (operation === "Request") return { code: Code.Changed, payload: NO_BYTES };
    if (this.pack === undefined) return { code: Code.NotImplemented, payload: NO_BYTES };
    const payload = utf8Encode(JSON.stringify(this.pack));
    return { code: Code.Content, contentFormat: ContentFormat.senmlJson, payload };
  }
}

const OPERATIONS: ReadonlyMap<string, BootstrapOperation> = new Map([
  ["POST /bs", "Request"],
  ["GET /bspack", "Pack"],
]);
