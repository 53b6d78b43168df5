import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import type { SerialPortStream } from "@serialport/stream";
import { CausewayError, type ErrorCode, toError } from "../base/errors.js";
import type { Line } from "./line.js";
import { portHolders } from "./port-holders.js";

export interface SerialLineOptions {
  /** Of the device file, best one that does not change with the order of plugging: /dev/serial/by-id/…. */
  readonly path: string;
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
}

/** Rejects with LINK_NOT_FOUND, LINK_PERMISSION, LINK_BUSY or LINK_FAILED, or the signal's reason. */
export async function openSerialLine(options: SerialLineOptions, signal: AbortSignal): Promise<Line> {
  signal.throwIfAborted();
  await checkAccess(options.path);
  signal.throwIfAborted();
  // Loading the driver takes longer than everything else at a start; most gateways of a LAN never need it.
  const { serialPort } = await import("./serial-port.js");
  signal.throwIfAborted();
  const line = new SerialLine(options, serialPort(options));
  const failure = await line.opened;
  if (failure !== undefined) throw failure.code === "LINK_BUSY" ? await withHolders(failure, options.path) : failure;
  if (!signal.aborted) return line;
  await line[Symbol.asyncDispose]();
  throw signal.reason;
}

/** Time that one character takes on the wire, with start, parity and stop bits. */
export function characterMs(options: Omit<SerialLineOptions, "path">): number {
  const bits = 1 + options.dataBits + (options.parity === "none" ? 0 : 1) + options.stopBits;
  return (1000 * bits) / options.baudRate;
}

async function withHolders(failure: CausewayError, path: string): Promise<CausewayError> {
  const device = await realpath(path).catch(() => path);
  const holders = (await portHolders((file) => file === device)).get(device) ?? [];
  const others = holders.filter((holder) => !holder.startsWith(`${process.pid} `));
  if (others.length === 0) return failure;
  return new CausewayError(failure.code, `${failure.message}: process ${others.join(", ")}`, { cause: failure });
}

// The driver's errors have no code, only text; asking the file system first gives the plain reasons.
async function checkAccess(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw classify(path, toError(error));
  }
}

function classify(path: string, error: Error): CausewayError {
  const text = `${"code" in error ? error.code : ""} ${error.message}`;
  const [code, what]: [ErrorCode, string] = /ENOENT|ENODEV|ENXIO|No such (file|device)/i.test(text)
    ? ["LINK_NOT_FOUND", "does not exist"]
    : /EACCES|EPERM|Permission denied/i.test(text)
      ? ["LINK_PERMISSION", "may not be opened by this user"]
      : /EBUSY|Cannot lock port|temporarily unavailable|busy/i.test(text)
        ? ["LINK_BUSY", "is held by another program"]
        : /EISDIR|ENOTTY|Inappropriate ioctl|Is a directory/i.test(text)
          ? ["LINK_FAILED", "is no serial port"]
          : ["LINK_FAILED", `cannot be opened: ${error.message}`];
  return new CausewayError(code, `${path} ${what}`, { cause: error });
}

class SerialLine implements Line {
  /** Undefined when the port is open, otherwise why it is not. */
  readonly opened: Promise<CausewayError | undefined>;
  readonly closed: Promise<CausewayError>;
  readonly #path: string;
  // A new object for each opening: the library would send what an earlier session left in its buffer.
  readonly #port: SerialPortStream;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #reason: CausewayError | undefined;

  /** `port` has not been opened. */
  constructor({ path }: SerialLineOptions, port: SerialPortStream) {
    this.#path = path;
    this.#port = port;
    // Always listening: the loss of a port is noticed only while it is read.
    port.on("data", (bytes: Buffer) => this.#receive(bytes));
    this.closed = new Promise((resolve) => {
      port.on("error", (error: unknown) => {
        this.#reason ??= classify(this.#path, toError(error));
        if (port.isOpen) port.close();
      });
      port.once("close", (error: unknown) => {
        const cause = error === null || error === undefined ? {} : { cause: toError(error) };
        resolve(this.#reason ?? new CausewayError("LINK_CLOSED", `${this.#path} is gone`, cause));
      });
    });
    this.opened = new Promise((resolve) =>
      port.open((error) => resolve(error === null || error === undefined ? undefined : classify(this.#path, error))),
    );
  }

  listen(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  write(bytes: Uint8Array): void {
    if (this.#port.isOpen) this.#port.write(bytes);
  }

  async setBaudRate(baudRate: number): Promise<void> {
    if (!this.#port.isOpen) return;
    const failure = await new Promise<Error | null | undefined>((resolve) =>
      this.#port.drain((error) => {
        if (error === null || error === undefined) this.#port.update({ baudRate }, resolve);
        else resolve(error);
      }),
    );
    if (failure === null || failure === undefined || !this.#port.isOpen) return;
    throw new CausewayError("LINK_FAILED", `${this.#path} does not take ${baudRate} Bd`, { cause: failure });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reason ??= new CausewayError("LINK_CLOSED", `${this.#path} was closed`);
    this.#receive = () => undefined;
    if (!this.#port.isOpen) return;
    this.#port.close();
    await this.closed;
  }
}
