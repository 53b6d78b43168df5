import { once } from "node:events";
import { CausewayError } from "causeway/adapter";
import type { Message } from "dbus-next";
import createConnection, { type Connection } from "dbus-next/lib/connection.js";
import { encode, type Outgoing } from "./wire.js";

const METHOD_CALL = 1;
const METHOD_RETURN = 2;
const ERROR = 3;
const SIGNAL = 4;
const DBUS = "org.freedesktop.DBus";

export interface Call {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

export interface Answer {
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** An answer that is an error; thrown by handlers. */
export class Refusal extends Error {
  readonly errorName: string;

  constructor(errorName: string, text = "refused") {
    super(text);
    this.errorName = errorName;
  }
}

/** A service on a bus: who has a name and answers calls. */
export class Service implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #answer: (call: Call) => Promise<Answer>;
  readonly #replies = new Map<number, (message: Message) => void>();
  /** Rejects with LINK_NO_DBUS when the connection ends; never resolves. */
  readonly #lost: Promise<never>;
  #serial = 0;

  private constructor(connection: Connection, answer: (call: Call) => Promise<Answer>) {
    this.#connection = connection;
    this.#answer = answer;
    connection.on("message", (message: Message) => void this.#take(message));
    connection.on("error", () => undefined);
    this.#lost = new Promise((_, reject) => {
      const lose = (): void => reject(new CausewayError("LINK_NO_DBUS", "the connection to D-Bus is closed"));
      connection.stream.once("close", lose);
    });
    // Most of the time nobody waits.
    this.#lost.catch(() => undefined);
  }

  /** Rejects with LINK_NO_DBUS. */
  static async start(address: string, name: string, answer: (call: Call) => Promise<Answer>): Promise<Service> {
    const busAddress = address.replace("unix:path=", "unix:socket=");
    const connection = createConnection({ busAddress, authMethods: ["EXTERNAL"] });
    const connected = new Promise<void>((resolve) => connection.once("connect", () => resolve()));
    const service = new Service(connection, answer);
    await Promise.race([connected, service.#lost]);
    await service.#ask("Hello", "", []);
    await service.#ask("RequestName", "su", [name, 4]);
    return service;
  }

  emit(path: string, iface: string, member: string, signature: string, body: readonly unknown[]): void {
    this.#send({ type: SIGNAL, path, interface: iface, member, signature, body });
  }

  /** Returns when the bus has passed on all that was emitted before. Rejects with LINK_NO_DBUS. */
  async flush(): Promise<void> {
    await this.#ask("GetId", "", []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection.stream.destroyed) return;
    const closed = once(this.#connection.stream, "close");
    this.#connection.stream.destroy();
    await closed;
  }

  async #ask(member: string, signature: string, body: readonly unknown[]): Promise<void> {
    const target = { destination: DBUS, path: "/org/freedesktop/DBus", interface: DBUS, member };
    const serial = this.#send({ type: METHOD_CALL, ...target, signature, body });
    const replied = new Promise<Message>((resolve) => this.#replies.set(serial, resolve));
    await Promise.race([replied, this.#lost]);
  }

  async #take(message: Message): Promise<void> {
    const { type, sender, serial } = message;
    if (Number(type) !== METHOD_CALL) {
      this.#replies.get(Number(message.replySerial))?.(message);
      this.#replies.delete(Number(message.replySerial));
      return;
    }
    const reply = { destination: sender, replySerial: serial ?? 0 };
    try {
      this.#send({ type: METHOD_RETURN, ...reply, ...(await this.#answer(message)) });
    } catch (error) {
      const errorName = error instanceof Refusal ? error.errorName : "org.bluez.Error.Failed";
      const text = error instanceof Error ? error.message : String(error);
      this.#send({ type: ERROR, ...reply, errorName, signature: "s", body: [text] });
    }
  }

  #send(message: Omit<Outgoing, "serial">): number {
    this.#serial++;
    if (!this.#connection.stream.destroyed) {
      this.#connection.stream.write(encode({ ...message, serial: this.#serial }));
    }
    return this.#serial;
  }
}
