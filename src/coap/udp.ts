import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { abortable } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { DatagramTransport, TransportListener } from "./transport.js";

export interface UdpOptions {
  /** Name or address, IPv4 or IPv6. */
  readonly host: string;
  readonly port: number;
  /** Taken when it is free; otherwise, and by default, the system chooses. */
  readonly localPort?: number;
}

export interface UdpTransport extends DatagramTransport {
  readonly localAddress: string;
  readonly localPort: number;
  readonly family: "IPv4" | "IPv6";
}

/** What ICMP and routing say; other errors of a datagram are losses. */
const UNREACHABLE: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN"]);

/**
 * A connected socket: the kernel drops what others send and reports ICMP errors, and a datagram sent right before the
 * close still leaves. Rejects with COAP_SOCKET or the signal's reason.
 */
export async function openUdp(options: UdpOptions, signal: AbortSignal): Promise<UdpTransport> {
  const { host, port, localPort = 0 } = options;
  signal.throwIfAborted();
  let socket: Socket | undefined;
  try {
    const { address, family } = await abortable(lookup(host), signal);
    socket = await bound(family === 6 ? "udp6" : "udp4", localPort, signal);
    socket.connect(port, address);
    await once(socket, "connect", { signal });
    return new ConnectedSocket(socket);
  } catch (error) {
    socket?.close();
    if (signal.aborted) throw signal.reason;
    throw new CausewayError("COAP_SOCKET", `UDP to ${host} port ${port}: ${toError(error).message}`, { cause: error });
  }
}

async function bound(type: "udp4" | "udp6", localPort: number, signal: AbortSignal): Promise<Socket> {
  const socket = createSocket(type);
  try {
    socket.bind(localPort);
    await once(socket, "listening", { signal });
    return socket;
  } catch (error) {
    socket.close();
    if (signal.aborted || localPort === 0) throw error;
    return bound(type, 0, signal);
  }
}

class ConnectedSocket implements UdpTransport {
  readonly localAddress: string;
  readonly localPort: number;
  readonly family: "IPv4" | "IPv6";
  readonly #socket: Socket;
  #listener: TransportListener | undefined;
  #closed: Promise<void> | undefined;

  constructor(socket: Socket) {
    const { address, port, family } = socket.address();
    this.#socket = socket;
    this.localAddress = family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
    this.localPort = port;
    this.family = family === "IPv6" ? "IPv6" : "IPv4";
    socket.on("error", (error) => this.#onError(error));
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    this.#socket.on("message", (datagram) => listener.onDatagram(datagram));
  }

  send(datagram: Uint8Array): void {
    // Without a callback, which would cost a tick for each: an ICMP error is reported by the next receive.
    if (this.#closed === undefined) this.#socket.send(datagram);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#socket.close(() => {
        this.#listener?.onClosed(new CausewayError("COAP_CLOSED", "socket is closed"));
        resolve();
      });
    });
    return this.#closed;
  }

  #onError(error: Error & { readonly code?: string }): void {
    if (this.#closed === undefined && UNREACHABLE.has(error.code)) this.#listener?.onUnreachable(error);
  }
}
