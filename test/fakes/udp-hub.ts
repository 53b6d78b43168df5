import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";

const HOST = "127.0.0.1";

/** A server's socket on loopback: a transport for each address that datagrams come from. */
export class UdpHub implements AsyncDisposable {
  readonly port: number;
  readonly #socket: Socket;

  private constructor(socket: Socket, onPeer: (transport: DatagramTransport) => void) {
    this.#socket = socket;
    this.port = socket.address().port;
    const listeners = new Map<string, (datagram: Uint8Array) => void>();
    socket.on("message", (datagram, remote) => {
      const key = `${remote.address} ${remote.port}`;
      if (!listeners.has(key)) {
        listeners.set(key, () => undefined);
        onPeer(this.#transport(remote, (listener) => listeners.set(key, (bytes) => listener.onDatagram(bytes))));
      }
      listeners.get(key)?.(datagram);
    });
    // A gateway that was killed is unreachable; its datagrams are lost like any other.
    socket.on("error", () => undefined);
  }

  static async open(onPeer: (transport: DatagramTransport) => void): Promise<UdpHub> {
    const socket = createSocket("udp4");
    socket.bind(0, HOST);
    await once(socket, "listening");
    return new UdpHub(socket, onPeer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #transport({ address, port }: RemoteInfo, listen: (listener: TransportListener) => void): DatagramTransport {
    return {
      listen,
      send: (datagram) => this.#socket.send(datagram, port, address),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
}
