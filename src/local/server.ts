import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import { type Clock, sleep } from "../base/clock.js";
import { CausewayError, ERROR_TABLE, toError } from "../base/errors.js";
import { formatHostPort, type HostPort } from "../base/host-port.js";
import type { Log } from "../base/log.js";
import { packageVersion } from "../base/package-root.js";
import type { Scope } from "../base/scope.js";
import type { Why } from "../lwm2m/why.js";
import { type ProgramFacts, type StatusSource, statusDocument, traceDocument } from "./document.js";
import { EventStreams } from "./event-stream.js";

export interface LocalOptions {
  readonly listen: HostPort;
  readonly why: Why;
  readonly clock: Clock;
  readonly log: Log;
  status(): Promise<StatusSource>;
}

const MAX_CONNECTIONS = 16;
const REQUEST_TIMEOUT_MS = 5000;
const LISTEN_AGAIN_MS = 30_000;

/**
 * The status API over HTTP: `GET /status`, `GET /trace` and the stream `GET /events`. An address that cannot be had is logged once,
 * with the code LOCAL_UNAVAILABLE, and tried again; the gateway goes on without. `onListening` hears of the port.
 */
export function openLocal(options: LocalOptions, scope: Scope, onListening?: (address: HostPort) => void): void {
  const facts = { version: packageVersion(), startedAtMs: options.clock.nowMs() };
  scope.spawn(async (signal) => {
    for (let attempt = 0; ; attempt++) {
      const local = new LocalServer(options, facts);
      try {
        const address = await local.listen();
        options.log.info("status API is available", { url: `http://${formatHostPort(address)}/status` });
        onListening?.(address);
        if (!signal.aborted) await once(signal, "abort");
        return;
      } catch (error) {
        if (attempt === 0) {
          const { remedy } = ERROR_TABLE.LOCAL_UNAVAILABLE;
          options.log.error("the status API is not available", { code: "LOCAL_UNAVAILABLE", error, remedy });
        }
      } finally {
        local[Symbol.dispose]();
      }
      await sleep(options.clock, LISTEN_AGAIN_MS, signal);
    }
  });
}

class LocalServer implements Disposable {
  readonly #options: LocalOptions;
  readonly #facts: ProgramFacts;
  readonly #server: Server;
  readonly #streams: EventStreams;

  constructor(options: LocalOptions, facts: ProgramFacts) {
    this.#options = options;
    this.#facts = facts;
    this.#streams = new EventStreams(options.why, options.clock);
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
      (request, response) => {
        void this.#answer(request, response);
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    // What goes wrong before it listens is told by `listen`; afterwards it is one connection's trouble.
    this.#server.on("error", () => undefined);
  }

  async listen(): Promise<HostPort> {
    const { host, port } = this.#options.listen;
    this.#server.listen(port, host);
    try {
      await once(this.#server, "listening");
    } catch (error) {
      const where = formatHostPort(this.#options.listen);
      throw new CausewayError("LOCAL_UNAVAILABLE", `${where}: ${toError(error).message}`, { cause: error });
    }
    const address = this.#server.address();
    return { host, port: typeof address === "object" && address !== null ? address.port : port };
  }

  [Symbol.dispose](): void {
    this.#streams[Symbol.dispose]();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (request.method !== "GET") return refuse(response, 405, "GET only");
    if (!isOwnName(request.headers.host, this.#options.listen.host))
      return refuse(response, 421, "not the name of this host");
    switch (request.url?.split("?", 1)[0]) {
      case "/status":
        return await this.#tell(response, (source) => statusDocument(source, this.#facts, this.#options.clock.nowMs()));
      case "/trace":
        return await this.#tell(response, traceDocument);
      case "/events":
        if (!this.#streams.open(response)) refuse(response, 503, "too many readers of events");
        return;
      default:
        refuse(response, 404, "there are /status, /trace and /events");
    }
  }

  async #tell(response: ServerResponse, documentOf: (source: StatusSource) => unknown): Promise<void> {
    const { log } = this.#options;
    try {
      const document = documentOf(await this.#options.status());
      response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      response.end(JSON.stringify(document));
    } catch (error) {
      log.error("the status cannot be told", { error });
      refuse(response, 500, "see the log");
    }
  }
}

/**
 * A page of the internet whose name was made to lead here (DNS rebinding) brings that name along: only addresses,
 * `localhost` and the configured name are answered.
 */
function isOwnName(header: string | undefined, configured: string): boolean {
  const host = (header ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return isIP(host) !== 0 || host === "localhost" || host === configured;
}

function refuse(response: ServerResponse, code: number, why: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(code, { "Content-Type": "text/plain" });
  response.end(`${why}\n`);
}
