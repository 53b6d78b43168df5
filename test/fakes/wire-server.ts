import { setMaxListeners } from "node:events";
import { NO_BYTES, utf8Decode, utf8Encode } from "../../src/base/bytes.js";
import { type Clock, sleep } from "../../src/base/clock.js";
import { Code, parseCode } from "../../src/coap/code.js";
import type { CoapRequest, CoapResponse, IncomingRequest } from "../../src/coap/request.js";
import type { DatagramTransport } from "../../src/coap/transport.js";
import { codecOf } from "../../src/lwm2m/codec/formats.js";
import type { ModelRegistry } from "../../src/lwm2m/model/model.js";
import { formatPath, parsePath } from "../../src/lwm2m/path.js";
import type { Value } from "../../src/lwm2m/value.js";
import { formatRequest, formatResponse } from "./lwm2m-server.js";
import { WireConnection } from "./wire-connection.js";

/** One value that reached the server. */
export interface Arrival {
  readonly how: "observed" | "notified" | "sent";
  /** The endpoint name of the client. */
  readonly endpoint: string;
  /** Of the device behind a gateway. */
  readonly prefix: string | undefined;
  readonly path: string;
  readonly value: Value;
  /** Its own time, where the message gave one. */
  readonly atMs: number | undefined;
  readonly arrivedAtMs: number;
}

export interface WireServerOptions {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly models: ModelRegistry;
  /** Observed after each registration, and tried again while they have no value. */
  readonly observes: readonly string[];
  /** Only this endpoint's; every one's when absent. */
  readonly observesAt?: string;
}

interface Registered {
  readonly endpoint: string;
  readonly connection: WireConnection;
  links: string;
}

interface Ask {
  readonly payload?: string;
  readonly query?: readonly string[];
  readonly accept?: number;
  /** Of the payload; text when absent. */
  readonly contentFormat?: number;
  /** The client that is asked; that of the newest request when absent. */
  readonly endpoint?: string;
}

const SENML_CBOR = 112;
const TEXT = 0;
const RETRY_OBSERVE_MS = 5000;

/** An LwM2M server that speaks real bytes over any transport: registration, observation, Send; scripted by fields. */
export class WireLwm2mServer {
  /** What the client requested, in order, as `POST /rd?ep=…`. */
  readonly log: string[] = [];
  readonly arrivals: Arrival[] = [];
  presence: "there" | "silent" = "there";
  versions: readonly string[] = ["1.0", "1.1", "1.2"];
  /** A response code instead of the usual answer. */
  refuse: (request: IncomingRequest) => string | undefined = () => undefined;
  /** The object list of the newest registration or Update that had one. */
  links = "";
  readonly #options: WireServerOptions;
  readonly #registered = new Map<string, Registered>();
  readonly #life = new AbortController();
  #locations = 0;
  #connection: WireConnection | undefined;
  #wake: () => void = () => undefined;

  constructor(options: WireServerOptions) {
    this.#options = options;
    // Every request of the server listens to the one signal.
    setMaxListeners(0, this.#life.signal);
  }

  accept(transport: DatagramTransport): WireConnection {
    const { clock, random } = this.#options;
    return new WireConnection(transport, {
      clock,
      random,
      isThere: () => this.presence === "there",
      handle: (request, connection) => this.#handle(request, connection),
      onNotification: (path, contentFormat, payload, connection) =>
        this.#take("notified", this.#endpointOf(connection), path, contentFormat, payload),
    });
  }

  get registrations(): number {
    return this.#registered.size;
  }

  /** That of the newest request of the client. */
  get connection(): WireConnection {
    if (this.#connection === undefined) throw new Error("no client has come yet");
    return this.#connection;
  }

  /** The names of the clients that are registered. */
  get endpoints(): readonly string[] {
    return [...this.#registered.values()].map(({ endpoint }) => endpoint);
  }

  /** The object list that an endpoint told last. */
  linksOf(endpoint: string): string {
    return this.#find(endpoint).links;
  }

  /** As after a crash: neither registrations nor observations are known. */
  forget(): void {
    for (const { connection } of this.#registered.values()) connection.forget();
    this.#registered.clear();
  }

  /** Ends what the server does by itself. */
  stop(): void {
    this.#life.abort(new Error("the test is over"));
  }

  /** Asks the client; the answer as text: `2.05 21.5`, `4.04`. A payload is plain text. */
  async ask(
    method: CoapRequest["method"],
    path: string,
    { payload, contentFormat = TEXT, query = [], accept, endpoint }: Ask = {},
  ): Promise<string> {
    const connection = endpoint === undefined ? this.connection : this.#find(endpoint).connection;
    const response = await connection.endpoint.request(
      {
        method,
        path: path.split("/").slice(1),
        query,
        payload: payload === undefined ? NO_BYTES : utf8Encode(payload),
        ...(payload === undefined ? {} : { contentFormat }),
        ...(accept === undefined ? {} : { accept }),
      },
      this.#life.signal,
    );
    return formatResponse(response);
  }

  /** Resolves as soon as the condition holds, looked at after each message; only with a real clock. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #handle(request: IncomingRequest, connection: WireConnection): CoapResponse {
    this.#connection = connection;
    this.log.push(formatRequest(request));
    const refusal = this.refuse(request);
    const response =
      refusal === undefined ? this.#respond(request, connection) : { code: parseCode(refusal), payload: NO_BYTES };
    this.#wake();
    return response;
  }

  #respond(request: IncomingRequest, connection: WireConnection): CoapResponse {
    const { method, path, contentFormat = SENML_CBOR, payload } = request;
    const [first, location] = path;
    if (first === "rd" && location === undefined) return this.#register(request, connection);
    const registration = first === "rd" && location !== undefined ? this.#registered.get(location) : undefined;
    if (first === "rd" && location !== undefined) {
      if (registration === undefined) return answer(Code.NotFound);
      if (method === "DELETE") this.#registered.delete(location);
      else if (payload.length > 0) this.links = registration.links = utf8Decode(payload) ?? "";
      return answer(method === "DELETE" ? Code.Deleted : Code.Changed);
    }
    const sender = [...this.#registered.values()].find((registered) => registered.connection === connection);
    if (first !== "dp" || sender === undefined) return answer(Code.NotFound);
    this.#take("sent", sender.endpoint, "/", contentFormat, payload);
    return answer(Code.Changed);
  }

  #register({ query, payload }: IncomingRequest, connection: WireConnection): CoapResponse {
    const version = query.find((option) => option.startsWith("lwm2m="))?.slice(6) ?? "";
    if (!this.versions.includes(version)) return answer(Code.PreconditionFailed);
    const location = String(++this.#locations);
    // One endpoint name, one registration: the older one is gone.
    const endpoint = query.find((option) => option.startsWith("ep="))?.slice(3) ?? "";
    for (const [known, other] of this.#registered) if (other.endpoint === endpoint) this.#registered.delete(known);
    this.links = utf8Decode(payload) ?? "";
    this.#registered.set(location, { endpoint, connection, links: this.links });
    connection.forget();
    const { observes, observesAt = endpoint } = this.#options;
    if (endpoint === observesAt) for (const path of observes) void this.#observe(path, connection, location);
    return { ...answer(Code.Created), locationPath: ["rd", location] };
  }

  /** Never rejects: a client that is gone is observed again when it registers again. */
  async #observe(path: string, connection: WireConnection, location: string): Promise<void> {
    const request: CoapRequest = {
      method: "GET",
      path: path.split("/").slice(1),
      query: [],
      observe: 0,
      accept: SENML_CBOR,
      payload: NO_BYTES,
    };
    try {
      // The answer to the registration leaves first.
      await sleep(this.#options.clock, 1, this.#life.signal);
      while (this.#registered.has(location)) {
        // What is not answered is asked again, as long as the client is registered.
        const response = await connection.endpoint.request(request, this.#life.signal).catch(() => undefined);
        if (response?.code === Code.Content) {
          this.#take("observed", this.#endpointOf(connection), path, response.contentFormat ?? TEXT, response.payload);
          return;
        }
        await sleep(this.#options.clock, RETRY_OBSERVE_MS, this.#life.signal);
      }
    } catch {
      return;
    }
  }

  #find(endpoint: string): Registered {
    const found = [...this.#registered.values()].find((registered) => registered.endpoint === endpoint);
    if (found === undefined) throw new Error(`${endpoint} is not registered`);
    return found;
  }

  #endpointOf(connection: WireConnection): string {
    const found = [...this.#registered.values()].find((registered) => registered.connection === connection);
    return found?.endpoint ?? "";
  }

  #take(how: Arrival["how"], endpoint: string, target: string, contentFormat: number, payload: Uint8Array): void {
    const { clock, models } = this.#options;
    const arrivedAtMs = clock.nowMs();
    const [, behind, path = target] = /^\/([^/\d][^/]*)(\/.*)$/.exec(target) ?? [];
    const entries = codecOf(contentFormat)?.decode(payload, {
      target: parsePath(path),
      ...(behind === undefined ? {} : { prefix: behind }),
      resource: (objectId, resourceId) => models.object(objectId)?.resources.get(resourceId),
      nowMs: arrivedAtMs,
    });
    for (const { path: of, value, atMs, prefix } of entries ?? []) {
      if (value === null) continue;
      this.arrivals.push({ how, endpoint, prefix, path: formatPath(of), value, atMs, arrivedAtMs });
    }
    this.#wake();
  }
}

function answer(code: number): CoapResponse {
  return { code, payload: NO_BYTES };
}
