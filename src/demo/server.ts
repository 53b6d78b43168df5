import { createSocket, type Socket } from "node:dgram";
import { Agent, createServer, type IncomingMessage, type ObserveReadStream, type OutgoingMessage } from "coap";
import type { ModelRegistry } from "../lwm2m/model/model.js";
import { loadModels } from "../lwm2m/model/models.js";
import type { ServerCommand, ServerMessage } from "./messages.js";
import { decodeSent } from "./sent.js";

/**
 * A small LwM2M server on an independent CoAP stack, in a process of its own: takes the registration, observes every
 * measured value, receives Send and writes when the demo asks for it. Only for the demo, only on loopback.
 */

/** What the gateway adds to a measurement: not worth an observation of its own. */
const COMPANIONS = [5518, 5601, 5602, 5603, 5604, 5605, 5701, 5750, 5801, 5802, 6042, 6049, 6050];

/** A resource that has no value yet cannot be observed. */
const RETRY_OBSERVE_MS = 1000;

interface Client {
  readonly host: string;
  readonly port: number;
}

function tell(message: ServerMessage): void {
  process.send?.(message);
}

class DemoServer {
  readonly #agent: Agent;
  readonly #models: ModelRegistry;
  #client: Client | undefined;

  constructor(socket: Socket, models: ModelRegistry) {
    this.#models = models;
    this.#agent = new Agent({ socket });
    const server = createServer({ type: "udp4" }, (request: IncomingMessage, response: OutgoingMessage) =>
      this.#answer(request, response),
    );
    server.listen(socket);
  }

  #answer(request: IncomingMessage, response: OutgoingMessage): void {
    const [path = "", query = ""] = request.url.split("?");
    if (request.method === "POST" && path === "/rd") {
      response.code = "2.01";
      response.setOption("Location-Path", [Buffer.from("rd"), Buffer.from("1")]);
      response.end();
      this.#registered(request, new URLSearchParams(query).get("ep") ?? "");
    } else if (request.method === "POST" && path.startsWith("/rd/")) {
      response.code = "2.04";
      response.end();
    } else if (request.method === "DELETE" && path.startsWith("/rd/")) {
      this.#client = undefined;
      response.code = "2.02";
      response.end();
    } else if (request.method === "POST" && path === "/dp") {
      for (const { path: sentPath, value } of decodeSent(request.payload, this.#models, Date.now())) {
        tell({ kind: "value", how: "sent", path: sentPath, value });
      }
      response.code = "2.04";
      response.end();
    } else {
      response.code = "4.04";
      response.end();
    }
  }

  #registered(request: IncomingMessage, endpoint: string): void {
    this.#client = { host: request.rsinfo.address, port: request.rsinfo.port };
    const objects = [...request.payload.toString().matchAll(/<(\/\d+\/\d+)>/g)].map((match) => match[1] ?? "");
    tell({ kind: "registered", endpoint, objects });
    for (const instance of objects.filter((path) => Number(path.split("/")[1]) >= 3000)) this.#discover(instance);
  }

  #discover(instance: string): void {
    this.#request("GET", instance, { accept: 40 }, (response) => {
      const links = [...response.payload.toString().matchAll(/<(\/\d+\/\d+\/(\d+))>/g)];
      for (const [, path = "", resourceId] of links) {
        if (!COMPANIONS.includes(Number(resourceId))) this.#observe(path);
      }
    });
  }

  #observe(path: string): void {
    this.#request("GET", path, { observe: true, accept: 0 }, (response) => {
      if (response.code !== "2.05") {
        setTimeout(() => this.#observe(path), RETRY_OBSERVE_MS).unref();
        return;
      }
      tell({ kind: "value", how: "observed", path, value: response.payload.toString() });
      (response as IncomingMessage & ObserveReadStream).on("data", (value: Buffer) => {
        tell({ kind: "value", how: "notified", path, value: value.toString() });
      });
    });
  }

  write(path: string, value: string): void {
    const onResponse = (response: IncomingMessage): void => tell({ kind: "written", path, code: response.code });
    this.#request("PUT", path, { contentFormat: 0, payload: value }, onResponse);
  }

  #request(
    method: "GET" | "PUT",
    pathname: string,
    options: { observe?: boolean; accept?: number; contentFormat?: number; payload?: string },
    onResponse: (response: IncomingMessage) => void,
  ): void {
    if (this.#client === undefined) return;
    const { observe, accept, contentFormat, payload } = options;
    const request = this.#agent.request({
      ...this.#client,
      method,
      pathname,
      ...(observe === undefined ? {} : { observe }),
      ...(accept === undefined ? {} : { accept }),
      ...(contentFormat === undefined ? {} : { contentFormat }),
    });
    // The demo shows what arrives; what does not is counted as lost by the process that asked.
    request.on("error", () => undefined);
    request.on("response", onResponse);
    request.end(payload);
  }
}

const models = await loadModels();
const socket = createSocket("udp4");
socket.bind(0, "127.0.0.1", () => {
  const server = new DemoServer(socket, models);
  process.on("message", (command: ServerCommand) => server.write(command.path, command.value));
  process.on("disconnect", () => process.exit(0));
  tell({ kind: "listening", port: socket.address().port });
});
