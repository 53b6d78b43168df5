import { readFile } from "node:fs/promises";
import { isIP, Socket } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import type { Clock } from "../base/clock.js";
import { CausewayError, type ErrorCode, toError } from "../base/errors.js";
import type { Line } from "./line.js";

export interface TcpLineOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
}

/** Paths of PEM files. */
export interface TlsLineOptions extends TcpLineOptions {
  /** Of who may have signed the other side's certificate; the system's authorities unless given. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whom the certificate of the other side must name; `host` unless given. */
  readonly serverName?: string;
  /** `full` unless given. */
  readonly verify?: "full" | "none";
}

const KEEP_ALIVE_MS = 30_000;

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: "LINK_REFUSED",
  ENOTFOUND: "LINK_NOT_FOUND",
  EAI_AGAIN: "LINK_NOT_FOUND",
  EHOSTUNREACH: "LINK_NOT_FOUND",
  ENETUNREACH: "LINK_NOT_FOUND",
};

const WORDS_OF_ERRNO: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the host is there, but nothing listens on this port",
  ENOTFOUND: "no host has this name",
  EAI_AGAIN: "the name cannot be looked up now: no name server answers",
  EHOSTUNREACH: "nobody has this address, or no way leads there",
  ENETUNREACH: "no way leads to this network",
  ECONNRESET: "the host broke the connection off",
  ETIMEDOUT: "the host does not answer any more",
};

/** What is wrong with a certificate, in the words of its errors (OpenSSL X509_V_ERR_*, Node.js ERR_TLS_*). */
const CERTIFICATE_COMPLAINTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet; is the clock of this machine right?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is signed by itself; give it as 'ca'",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate comes from an authority of its own; give that as 'ca'",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the authority of the certificate is not known; give it as 'ca'",
  UNABLE_TO_GET_ISSUER_CERT: "the authority of the certificate is not known; give it as 'ca'",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the authority of the certificate is not known; give it as 'ca'",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate names another host; give its name as 'serverName'",
};

/** Rejects with LINK_REFUSED, LINK_NOT_FOUND or LINK_FAILED, or the signal's reason. */
export async function openTcpLine(options: TcpLineOptions, clock: Clock, signal: AbortSignal): Promise<Line> {
  signal.throwIfAborted();
  const socket = new Socket();
  const line = new SocketLine(options, socket, "connect");
  socket.connect({ host: options.host, port: options.port });
  return await opened(line, options, clock, signal);
}

/** As `openTcpLine`, and with LINK_CERTIFICATE when one side does not trust the other. */
export async function openTlsLine(options: TlsLineOptions, clock: Clock, signal: AbortSignal): Promise<Line> {
  const { host, port, serverName = host, verify = "full" } = options;
  const files = await readCertificates(options);
  signal.throwIfAborted();
  const settings: ConnectionOptions = {
    ...files,
    host,
    port,
    rejectUnauthorized: verify === "full",
    minVersion: "TLSv1.2",
    // An address may not be named (RFC 6066 §3); it is compared with the certificate all the same.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  };
  return await opened(new SocketLine(options, secureSocket(settings, host), "secureConnect"), options, clock, signal);
}

// Settings that OpenSSL cannot read are thrown, others come as events.
function secureSocket(settings: ConnectionOptions, host: string): Socket {
  try {
    return connect(settings);
  } catch (error) {
    const { message } = toError(error);
    throw new CausewayError("LINK_CERTIFICATE", `${host}: 'ca', 'cert' or 'key' is no PEM file: ${message}`, {
      cause: error,
    });
  }
}

/** What the paths lead to; a text in PEM is taken as it is. Rejects with LINK_CERTIFICATE. */
export async function readCertificates(
  options: Pick<TlsLineOptions, "ca" | "cert" | "key">,
): Promise<{ readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer }> {
  const read = async (what: "ca" | "cert" | "key") => {
    const path = options[what];
    if (path === undefined) return {};
    if (path.startsWith("-----BEGIN ")) return { [what]: Buffer.from(path) };
    try {
      return { [what]: await readFile(path) };
    } catch (error) {
      const { message } = toError(error);
      throw new CausewayError("LINK_CERTIFICATE", `'${what}' cannot be read: ${message}`, { cause: error });
    }
  };
  return Object.assign({}, ...(await Promise.all([read("ca"), read("cert"), read("key")])));
}

async function opened(
  line: SocketLine,
  { connectTimeoutMs }: TcpLineOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Line> {
  const onAbort = (): void => line.close(new CausewayError("LINK_CLOSED", "connecting was given up"));
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = clock.schedule(connectTimeoutMs, () =>
    line.close(
      new CausewayError(
        "LINK_FAILED",
        `${line.name} did not answer within ${connectTimeoutMs} ms: wrong address, switched off, or a firewall between`,
      ),
    ),
  );
  const failure = await Promise.race([line.connected, line.closed]);
  timer.cancel();
  signal.removeEventListener("abort", onAbort);
  signal.throwIfAborted();
  if (failure !== undefined) throw failure;
  return line;
}

class SocketLine implements Line {
  readonly name: string;
  readonly connected: Promise<undefined>;
  readonly closed: Promise<CausewayError>;
  readonly #socket: Socket;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #reason: CausewayError | undefined;

  /** `socket` is connecting, and ready with the event. */
  constructor({ host, port }: TcpLineOptions, socket: Socket, ready: "connect" | "secureConnect") {
    this.name = `${host}:${port}`;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Always listening: without a reader neither FIN nor RST would be noticed.
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#reason ??= connectionError(this.name, error);
    });
    this.connected = new Promise((resolve) => socket.once(ready, () => resolve(undefined)));
    this.closed = new Promise((resolve) =>
      socket.once("close", () =>
        resolve(this.#reason ?? new CausewayError("LINK_CLOSED", `${this.name} closed the connection`)),
      ),
    );
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

/** What went wrong with a socket, by the codes of Node.js: LINK_REFUSED, LINK_NOT_FOUND, LINK_CERTIFICATE or LINK_FAILED. */
export function connectionError(name: string, error: NodeJS.ErrnoException): CausewayError {
  const { code = "", message } = error;
  const complaint = CERTIFICATE_COMPLAINTS[code];
  if (complaint !== undefined) return new CausewayError("LINK_CERTIFICATE", `${name}: ${complaint}`, { cause: error });
  if (/ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)|HANDSHAKE_FAILURE/.test(code)) {
    const what = `the other side refuses our certificate, or misses one; check 'cert' and 'key' (${code})`;
    return new CausewayError("LINK_CERTIFICATE", `${name}: ${what}`, { cause: error });
  }
  const words = WORDS_OF_ERRNO[code];
  const plain = words === undefined ? code || message : `${words} (${code})`;
  const what = code.startsWith("ERR_SSL") ? `what answers is no TLS that we understand (${code})` : plain;
  return new CausewayError(CODE_OF_ERRNO[code] ?? "LINK_FAILED", `${name}: ${what}`, { cause: error });
}
