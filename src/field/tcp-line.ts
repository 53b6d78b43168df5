import { Socket } from "node:net";
import type { Clock } from "../base/clock.js";
import { CausewayError, type ErrorCode } from "../base/errors.js";
import type { Line } from "./line.js";

export interface TcpLineOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
}

const KEEP_ALIVE_MS = 30_000;

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: "LINK_REFUSED",
  ENOTFOUND: "LINK_NOT_FOUND",
  EAI_AGAIN: "LINK_NOT_FOUND",
  EHOSTUNREACH: "LINK_NOT_FOUND",
  ENETUNREACH: "LINK_NOT_FOUND",
};

/** Rejects with LINK_REFUSED, LINK_NOT_FOUND or LINK_FAILED, or the signal's reason. */
export async function openTcpLine(options: TcpLineOptions, clock: Clock, signal: AbortSignal): Promise<Line> {
  signal.throwIfAborted();
  const line = new TcpLine(options);
  const onAbort = (): void => line.close(new CausewayError("LINK_CLOSED", "connecting was given up"));
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = clock.schedule(options.connectTimeoutMs, () =>
    line.close(new CausewayError("LINK_FAILED", `${line.name} did not answer within ${options.connectTimeoutMs} ms`)),
  );
  const failure = await Promise.race([line.connected, line.closed]);
  timer.cancel();
  signal.removeEventListener("abort", onAbort);
  signal.throwIfAborted();
  if (failure !== undefined) throw failure;
  return line;
}

class TcpLine implements Line {
  readonly name: string;
  readonly connected: Promise<undefined>;
  readonly closed: Promise<CausewayError>;
  readonly #socket = new Socket();
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #reason: CausewayError | undefined;

  constructor({ host, port }: TcpLineOptions) {
    this.name = `${host}:${port}`;
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Always listening: without a reader neither FIN nor RST would be noticed.
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const code = CODE_OF_ERRNO[error.code ?? ""] ?? "LINK_FAILED";
      this.#reason ??= new CausewayError(code, `${this.name}: ${error.code ?? error.message}`, { cause: error });
    });
    this.connected = new Promise((resolve) => socket.once("connect", () => resolve(undefined)));
    this.closed = new Promise((resolve) =>
      socket.once("close", () =>
        resolve(this.#reason ?? new CausewayError("LINK_CLOSED", `${this.name} closed the connection`)),
      ),
    );
    socket.connect({ host, port });
  }

  listen(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  close(reason: CausewayError): void {
    this.#reason ??= reason;
    this.#receive = () => undefined;
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close(new CausewayError("LINK_CLOSED", `${this.name} was closed`));
    await this.closed;
  }
}
