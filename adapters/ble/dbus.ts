import { abortable, CausewayError, type Clock, type ErrorCode, toError } from "causeway/adapter";
import type { Message } from "dbus-next";
import type { Connection } from "dbus-next/lib/connection.js";
import { busSocket } from "./dbus-address.js";

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

export interface Signal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

interface Pending {
  resolve(body: readonly unknown[]): void;
  reject(error: Error): void;
}

type Library = typeof import("dbus-next");

const DBUS = "org.freedesktop.DBus";
const CONNECT_TIMEOUT_MS = 5000;

/** D-Bus errors that say what is wrong with Bluetooth as a whole. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  "org.freedesktop.DBus.Error.AccessDenied": "LINK_BLUETOOTH_DENIED",
  "org.freedesktop.DBus.Error.ServiceUnknown": "LINK_NO_BLUETOOTHD",
  "org.freedesktop.DBus.Error.NameHasNoOwner": "LINK_NO_BLUETOOTHD",
  // The service ended with the call unanswered.
  "org.freedesktop.DBus.Error.NoReply": "LINK_NO_BLUETOOTHD",
  "org.bluez.Error.NotReady": "LINK_CONTROLLER_OFF",
  "org.bluez.Error.Blocked": "LINK_CONTROLLER_OFF",
};

/**
 * The system's D-Bus. Over the connection of dbus-next, not its MessageBus: that one never tells that the connection
 * ended, keeps calls without an answer for ever, and throws past everyone when the bus refuses to greet.
 */
export class SystemBus implements AsyncDisposable {
  /** Settles when the connection is gone, with the reason; never rejects. */
  readonly closed: Promise<CausewayError>;
  readonly #library: Library;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #listener: (signal: Signal) => void = () => undefined;
  #serial = 0;
  #end: (reason: CausewayError) => void = () => undefined;
  #isClosed = false;

  private constructor(library: Library, connection: Connection, clock: Clock) {
    this.#library = library;
    this.#connection = connection;
    this.#clock = clock;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    connection.on("message", (message: Message) => this.#take(message));
    connection.on("error", (error: unknown) => this.#close(`D-Bus: ${toError(error).message}`));
    connection.on("end", () => this.#close("D-Bus has ended the connection"));
    connection.stream.on("close", () => this.#close("the connection to D-Bus is closed"));
  }

  /**
   * `address` is another bus's than the system's. Rejects with LINK_NO_DBUS, LINK_BLUETOOTH_DENIED or the signal's
   * reason.
   */
  static async open(clock: Clock, signal: AbortSignal, address?: string): Promise<SystemBus> {
    const socket = await busSocket(address, process.env);
    const [library, { default: createConnection }] = await Promise.all([
      import("dbus-next"),
      import("dbus-next/lib/connection.js"),
    ]);
    signal.throwIfAborted();
    const connection = createConnection({ busAddress: `unix:socket=${socket}`, authMethods: ["EXTERNAL"] });
    const bus = new SystemBus(library, connection, clock);
    try {
      await bus.#greet(signal);
      return bus;
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One listener for all signals that the match rules let through; it must not throw. */
  listen(listener: (signal: Signal) => void): void {
    this.#listener = listener;
  }

  /**
   * Rejects with LINK_FAILED and the error's name in the facts as `dbus`, with a code that says more where the name
   * does, with FIELD_TIMEOUT, or with the signal's reason.
   */
  call(call: MethodCall, timeoutMs: number, signal?: AbortSignal): Promise<readonly unknown[]> {
    if (this.#isClosed) return Promise.reject(new CausewayError("LINK_CLOSED", "the connection to D-Bus is closed"));
    this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    const serial = this.#serial;
    const answer = new Promise<readonly unknown[]>((resolve, reject) => this.#pending.set(serial, { resolve, reject }));
    const place = `${call.member} of ${call.path}`;
    const timer = this.#clock.schedule(timeoutMs, () => {
      this.#pending.get(serial)?.reject(new CausewayError("FIELD_TIMEOUT", `${place}: no answer in ${timeoutMs} ms`));
    });
    try {
      const { signature = "", body = [] } = call;
      this.#connection.message(new this.#library.Message({ ...call, serial, signature, body: [...body] }));
    } catch (error) {
      this.#pending.get(serial)?.reject(new CausewayError("LINK_FAILED", place, { cause: error }));
    }
    return (signal === undefined ? answer : abortable(answer, signal)).finally(() => {
      timer.cancel();
      this.#pending.delete(serial);
    });
  }

  /** As `call`, to the bus itself. */
  ask(member: string, signature: string, body: readonly unknown[], signal?: AbortSignal): Promise<readonly unknown[]> {
    const target = { destination: DBUS, path: "/org/freedesktop/DBus", interface: DBUS, member };
    return this.call({ ...target, signature, body }, CONNECT_TIMEOUT_MS, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close("the connection to D-Bus was closed");
  }

  async #greet(signal: AbortSignal): Promise<void> {
    const connected = new Promise<void>((resolve) => this.#connection.once("connect", () => resolve()));
    const lost = this.closed.then((reason) => {
      throw reason;
    });
    let giveUp: (reason: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    const timer = this.#clock.schedule(CONNECT_TIMEOUT_MS, () =>
      giveUp(new CausewayError("LINK_NO_DBUS", `D-Bus did not answer in ${CONNECT_TIMEOUT_MS} ms`)),
    );
    try {
      await abortable(Promise.race([connected, lost, late]), signal);
      await this.ask("Hello", "", [], signal);
    } finally {
      timer.cancel();
    }
  }

  #take(message: Message): void {
    const { type, body } = message;
    const { MessageType } = this.#library;
    if (type === MessageType.SIGNAL) {
      this.#listener(message);
      return;
    }
    const pending = this.#pending.get(Number(message.replySerial));
    if (pending === undefined) return;
    if (type === MessageType.METHOD_RETURN) pending.resolve(body);
    else if (type === MessageType.ERROR) pending.reject(replyError(message));
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = new CausewayError("LINK_NO_DBUS", reason);
    this.#connection.stream.destroy();
    for (const { reject } of [...this.#pending.values()]) reject(error);
    this.#end(error);
  }
}

function replyError({ errorName, body }: Message): CausewayError {
  const text = typeof body[0] === "string" ? body[0] : "";
  return new CausewayError(CODES[errorName] ?? "LINK_FAILED", `${text} (${errorName})`, { facts: { dbus: errorName } });
}
