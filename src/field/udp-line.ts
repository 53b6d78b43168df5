import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { CausewayError, toError } from "../base/errors.js";
import type { Line } from "./line.js";

export interface UdpLineOptions {
  readonly host: string;
  readonly port: number;
}

/**
 * Datagrams to and from one address: each `write` is one, and the listener gets each alone. Rejects with
 * LINK_NOT_FOUND or LINK_FAILED, or the signal's reason.
 */
export async function openUdpLine({ host, port }: UdpLineOptions, signal: AbortSignal): Promise<Line> {
  signal.throwIfAborted();
  // An address of IPv6 has a colon; a name is looked up for the older one, which is what field devices have.
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const line = new UdpLine(`${host}:${port}`, socket);
  try {
    socket.connect(port, host);
    await once(socket, "connect", { signal });
    return line;
  } catch (error) {
    await line[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const { message } = toError(error);
    const code = /ENOTFOUND|EAI_AGAIN/.test(message) ? "LINK_NOT_FOUND" : "LINK_FAILED";
    throw new CausewayError(code, `${host}:${port}: ${message}`, { cause: error });
  }
}

/** On a connected socket the system drops what comes from elsewhere. */
class UdpLine implements Line {
  readonly closed: Promise<CausewayError>;
  readonly #socket: Socket;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #state: "open" | "closed" = "open";

  constructor(name: string, socket: Socket) {
    this.#socket = socket;
    socket.on("message", (bytes) => this.#receive(bytes));
    // That nobody listens there (ICMP) is silence: a device that starts is answered as soon as it is there.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) =>
      socket.once("close", () => resolve(new CausewayError("LINK_CLOSED", `${name} was closed`))),
    );
  }

  listen(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "open") this.#socket.send(bytes, () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#receive = () => undefined;
    this.#socket.close();
    await this.closed;
  }
}
