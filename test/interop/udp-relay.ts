import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Stands between CoAP clients and a server on this machine; `dark` swallows everything without a word. */
export class UdpRelay implements AsyncDisposable {
  state: "open" | "dark" = "open";
  readonly #near = createSocket("udp4");
  /** By the client's port: the server sees each client at an address of its own. */
  readonly #far = new Map<number, Socket>();
  readonly #serverPort: number;

  private constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#near.on("message", (datagram, { port }) => {
      if (this.state === "open") this.#farOf(port).send(datagram, this.#serverPort, "127.0.0.1");
    });
  }

  static async open(serverPort: number): Promise<UdpRelay> {
    const relay = new UdpRelay(serverPort);
    relay.#near.bind(0, "127.0.0.1");
    await once(relay.#near, "listening");
    return relay;
  }

  get port(): number {
    return this.#near.address().port;
  }

  #farOf(clientPort: number): Socket {
    const known = this.#far.get(clientPort);
    if (known !== undefined) return known;
    const socket = createSocket("udp4").on("message", (datagram) => {
      if (this.state === "open") this.#near.send(datagram, clientPort, "127.0.0.1");
    });
    this.#far.set(clientPort, socket);
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#near, ...this.#far.values()]) {
      await new Promise<void>((resolve) => {
        socket.close(() => resolve());
      });
    }
  }
}
