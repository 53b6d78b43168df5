import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { DatagramTransport } from "../src/coap/transport.js";

const HOST = "127.0.0.1";

/** A server's socket on loopback: a transport for each address that datagrams come from. */
export class Hub implements AsyncDisposable {
  readonly uri: string;
  readonly #socket: Socket;

  private constructor(socket: Socket, onPeer: (transport: DatagramTransport) => void) {
    this.#socket = socket;
    this.uri = `coap://${HOST}:${socket.address().port}`;
    const listeners = new Map<string, (datagram: Uint8Array) => void>();
    socket.on("message", (datagram, remote) => {
      const key = `${remote.address} ${remote.port}`;
      if (!listeners.has(key)) onPeer(this.#transport(remote, (listener) => listeners.set(key, listener)));
      listeners.get(key)?.(datagram);
    });
    // A client that has gone is unreachable; what is sent to it is lost like any datagram.
    socket.on("error", () => undefined);
  }

  static async open(onPeer: (transport: DatagramTransport) => void): Promise<Hub> {
    const socket = createSocket("udp4");
    socket.bind(0, HOST);
    await once(socket, "listening");
    return new Hub(socket, onPeer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #transport(remote: RemoteInfo, listen: (onDatagram: (datagram: Uint8Array) => void) => void): DatagramTransport {
    return {
      listen: (listener) => listen((datagram) => listener.onDatagram(datagram)),
      send: (datagram) => this.#socket.send(datagram, remote.port, remote.address),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
}
