import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { CausewayError, toError } from "causeway/adapter";
import type { IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from "mqtt-packet";

type PacketModule = Pick<typeof import("mqtt-packet"), "parser" | "generate">;

export interface SmallBrokerOptions {
  /** Return code of CONNACK (MQTT 3.1.1 §3.2.2.3), 0 to accept. */
  readonly admit?: (connect: IConnectPacket) => number;
  /** Whether a client may subscribe to a filter. */
  readonly permit?: (filter: string) => boolean;
}

interface Client {
  readonly socket: Socket;
  readonly filters: Set<string>;
  will: IConnectPacket["will"];
}

const NOT_GRANTED = 0x80;

/** MQTT 3.1.1 on a port of this host, in memory only: for simulated stations, the demo and tests. */
export class SmallBroker implements AsyncDisposable {
  /** Hears what clients publish. */
  onPublish: (topic: string, payload: Uint8Array) => void = () => undefined;
  readonly #server: Server;
  readonly #packets: PacketModule;
  readonly #options: SmallBrokerOptions;
  readonly #clients = new Set<Client>();
  readonly #retained = new Map<string, Uint8Array>();

  private constructor(server: Server, packets: PacketModule, options: SmallBrokerOptions) {
    this.#server = server;
    this.#packets = packets;
    this.#options = options;
    server.on("connection", (socket) => this.#serve(socket));
  }

  /** At a free port of 127.0.0.1, or the given one. */
  static async listen(options: SmallBrokerOptions = {}, port = 0): Promise<SmallBroker> {
    const { default: packets } = await import("mqtt-packet");
    const broker = new SmallBroker(createServer(), packets, options);
    broker.#server.listen(port, "127.0.0.1");
    await once(broker.#server, "listening");
    return broker;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new CausewayError("INTERNAL", "the broker is closed");
    return address.port;
  }

  /** What clients have subscribed to, each client's filters on their own. */
  get filters(): readonly string[] {
    return [...this.#clients].flatMap(({ filters }) => [...filters]);
  }

  /** The topics that it keeps a message of. */
  get retained(): readonly string[] {
    return [...this.#retained.keys()];
  }

  publish(topic: string, payload: string | Uint8Array, lasting: "retained" | "once" = "once"): void {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (lasting === "retained") this.#retained.set(topic, bytes);
    for (const client of this.#clients) {
      if ([...client.filters].some((filter) => filterMatches(filter, topic)))
        this.#deliver(client, topic, bytes, false);
    }
  }

  /** Cuts off all clients, as a broker does that dies. */
  cutOff(): void {
    for (const { socket } of this.#clients) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutOff();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    const client: Client = { socket, filters: new Set(), will: undefined };
    const parser = this.#packets.parser();
    parser.on("packet", (packet) => this.#take(client, packet));
    parser.on("error", (error: unknown) => socket.destroy(toError(error)));
    socket.on("data", (bytes) => parser.parse(bytes));
    // A client that goes without a word ends with `close`, too.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (!this.#clients.delete(client) || client.will === undefined) return;
      const { topic, payload, retain } = client.will;
      this.publish(topic, payload, retain === true ? "retained" : "once");
    });
  }

  #take(client: Client, packet: Packet): void {
    const { messageId } = packet;
    if (packet.cmd === "connect") this.#admit(client, packet);
    else if (packet.cmd === "publish") this.#takePublish(client, packet);
    else if (packet.cmd === "subscribe") this.#subscribe(client, packet);
    else if (packet.cmd === "pubrel") this.#send(client, { cmd: "pubcomp", messageId });
    else if (packet.cmd === "pingreq") this.#send(client, { cmd: "pingresp" });
    else if (packet.cmd === "unsubscribe") {
      for (const filter of packet.unsubscriptions) client.filters.delete(filter);
      this.#send(client, { cmd: "unsuback", messageId, granted: [] });
    } else if (packet.cmd === "disconnect") {
      client.will = undefined;
      client.socket.end();
    }
  }

  #admit(client: Client, packet: IConnectPacket): void {
    const returnCode = this.#options.admit?.(packet) ?? 0;
    client.will = packet.will;
    if (returnCode === 0) this.#clients.add(client);
    this.#send(client, { cmd: "connack", returnCode, sessionPresent: false });
  }

  #takePublish(client: Client, { topic, payload, qos, retain, messageId }: IPublishPacket): void {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    this.publish(topic, bytes, retain ? "retained" : "once");
    if (qos > 0) this.#send(client, { cmd: qos === 1 ? "puback" : "pubrec", messageId });
    this.onPublish(topic, bytes);
  }

  #subscribe(client: Client, { subscriptions, messageId }: ISubscribePacket): void {
    const permitted = subscriptions.map(({ topic }) => this.#options.permit?.(topic) ?? true);
    this.#send(client, { cmd: "suback", messageId, granted: permitted.map((is) => (is ? 0 : NOT_GRANTED)) });
    for (const [index, { topic: filter }] of subscriptions.entries()) {
      if (permitted[index] === false) continue;
      client.filters.add(filter);
      for (const [topic, payload] of this.#retained) {
        if (filterMatches(filter, topic)) this.#deliver(client, topic, payload, true);
      }
    }
  }

  #deliver(client: Client, topic: string, payload: Uint8Array, retain: boolean): void {
    this.#send(client, { cmd: "publish", topic, payload: Buffer.from(payload), qos: 0, dup: false, retain });
  }

  #send({ socket }: Client, packet: object): void {
    if (!socket.destroyed) socket.write(this.#packets.generate(packet as Packet));
  }
}

/** MQTT 3.1.1 §4.7: `+` is one level, `#` all that follow; topics that begin with `$` only match what says so. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  const rest = wanted.indexOf("#");
  if (rest < 0 && wanted.length !== levels.length) return false;
  if (rest > levels.length) return false;
  return (rest < 0 ? wanted : wanted.slice(0, rest)).every((level, index) => level === "+" || level === levels[index]);
}
