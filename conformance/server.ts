import { fromHex, NO_BYTES, utf8Decode, utf8Encode } from "../src/base/bytes.js";
import { Code, parseCode } from "../src/coap/code.js";
import type { CoapRequest, CoapResponse, IncomingRequest, Method } from "../src/coap/request.js";
import { ContentFormat } from "../src/lwm2m/codec/formats.js";
import type { Answer } from "./answer.js";
import { Connection } from "./connection.js";
import { expectCode } from "./difference.js";
import { Hub } from "./hub.js";
import { Mailbox } from "./mailbox.js";
import type { Observation } from "./observation.js";

export type ClientOperation = "Register" | "Update" | "Deregister" | "Send";

/** What the client asked of the server. */
export interface ClientRequest {
  readonly operation: ClientOperation;
  readonly query: readonly string[];
  readonly contentFormat: number | undefined;
  readonly payload: Uint8Array;
  /** The payload as text: the object list of a Register or Update. */
  readonly links: string;
}

export interface Ask {
  readonly accept?: number;
  readonly query?: readonly string[];
  readonly contentFormat?: number;
  /** Text, or bytes. */
  readonly payload?: string | Uint8Array;
}

const NEXT_MS = 15_000;

/** The LwM2M server of the test specification: a script says what it asks and what it waits for. */
export class Server implements AsyncDisposable {
  /** The code of the next answer to the operation, instead of success. */
  readonly refusals = new Map<ClientOperation, string>();
  readonly #requests = new Mailbox<ClientRequest>();
  readonly #hub: Promise<Hub>;
  #connection: Connection | undefined;
  #locations = 0;

  constructor() {
    this.#hub = Hub.open((transport) => {
      const connection: Connection = new Connection(transport, (request) => this.#handle(request, connection));
    });
  }

  async uri(): Promise<string> {
    return (await this.#hub).uri;
  }

  /** The next request of the client that is such an operation; others before it are passed over. */
  next(operation: ClientOperation, withinMs = NEXT_MS): Promise<ClientRequest> {
    return this.#requests.take(operation, (request) => request.operation === operation, withinMs);
  }

  /** The next request of the client, whatever it is. */
  nextOfAny(withinMs = NEXT_MS): Promise<ClientRequest> {
    return this.#requests.take("a request of the client", () => true, withinMs);
  }

  /** Forgets what the client has asked so far. */
  clear(): void {
    this.#requests.clear();
  }

  ask(method: Method, target: string, ask: Ask = {}): Promise<Answer> {
    return this.#client().ask(requestOf(method, target, ask));
  }

  observe(target: string, ask: Ask = {}): Promise<Observation> {
    return this.#client().observe(requestOf("GET", target, ask));
  }

  read(target: string, accept?: number): Promise<Answer> {
    return this.ask("GET", target, accept === undefined ? {} : { accept });
  }

  /** Whether the client answers a Read; afterwards nobody waits for the answer any more. */
  async answers(target: string, withinMs: number): Promise<boolean> {
    return this.#client()
      .ask(requestOf("GET", target, {}), withinMs)
      .then(
        () => true,
        () => false,
      );
  }

  discover(target: string): Promise<Answer> {
    return this.ask("GET", target, { accept: ContentFormat.linkFormat });
  }

  /** `PUT` of one value as plain text. */
  async write(path: string, value: string | number): Promise<void> {
    expectCode(await this.ask("PUT", path, { contentFormat: ContentFormat.text, payload: String(value) }), "2.04");
  }

  async writeAttributes(target: string): Promise<void> {
    expectCode(await this.ask("PUT", target), "2.04");
  }

  async execute(path: string): Promise<void> {
    expectCode(await this.ask("POST", path), "2.04");
  }

  readComposite(paths: readonly string[], accept: number): Promise<Answer> {
    return this.ask("FETCH", "/", { ...pathList(paths), accept });
  }

  observeComposite(paths: readonly string[], accept: number): Promise<Observation> {
    return this.#client().observe(requestOf("FETCH", "/", { ...pathList(paths), accept }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]();
    await (await this.#hub)[Symbol.asyncDispose]();
  }

  #client(): Connection {
    if (this.#connection === undefined) throw new Error("no client has come yet");
    return this.#connection;
  }

  #handle(request: IncomingRequest, connection: Connection): CoapResponse {
    this.#connection = connection;
    const operation = operationOf(request);
    if (operation === undefined) return { code: Code.NotFound, payload: NO_BYTES };
    const { query, contentFormat, payload } = request;
    const refusal = this.refusals.get(operation);
    this.refusals.delete(operation);
    this.#requests.push({
      operation,
      query,
      contentFormat,
      payload: payload.slice(),
      links: utf8Decode(payload) ?? "",
    });
    if (refusal !== undefined) return { code: parseCode(refusal), payload: NO_BYTES };
    if (operation === "Deregister") return { code: Code.Deleted, payload: NO_BYTES };
    if (operation !== "Register") return { code: Code.Changed, payload: NO_BYTES };
    return { code: Code.Created, locationPath: ["rd", String(++this.#locations)], payload: NO_BYTES };
  }
}

function operationOf({ method, path }: IncomingRequest): ClientOperation | undefined {
  const [first, location] = path;
  if (first === "dp") return "Send";
  if (first !== "rd") return undefined;
  if (method === "DELETE") return "Deregister";
  return location === undefined ? "Register" : "Update";
}

/** `/3?pmin=10&pmax=200` is a path with a query. */
export function requestOf(
  method: Method,
  target: string,
  { accept, query = [], contentFormat, payload }: Ask,
): CoapRequest {
  const [path = "", parameters] = target.split("?");
  return {
    method,
    path: path.split("/").filter((segment) => segment !== ""),
    query: [...(parameters?.split("&") ?? []), ...query],
    ...(accept === undefined ? {} : { accept }),
    ...(contentFormat === undefined ? {} : { contentFormat }),
    payload: typeof payload === "string" ? utf8Encode(payload) : (payload ?? NO_BYTES),
  };
}

/** The paths of a composite operation in SenML JSON. */
function pathList(paths: readonly string[]): Ask {
  return { contentFormat: ContentFormat.senmlJson, payload: JSON.stringify(paths.map((n) => ({ n }))) };
}

export function hex(digits: string): Uint8Array {
  return fromHex(digits);
}
