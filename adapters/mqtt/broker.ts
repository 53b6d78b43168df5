import { isIP } from "node:net";
import { hostname } from "node:os";
import {
  type BrokerFacts,
  CausewayError,
  type Clock,
  type LinkContext,
  readCertificates,
  toError,
  withinTime,
} from "causeway/adapter";
import type { IClientOptions, MqttClient } from "mqtt";
import { brokerError, isRefusal } from "./broker-error.js";
import type { MqttLinkOptions } from "./options.js";
import { Message } from "./payload.js";

const DEFAULT_PORT = 1883;
const DEFAULT_TLS_PORT = 8883;
const KEEPALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
const FAREWELL_MS = 1000;
const MAX_PACKET_BYTES = 1024 * 1024;
/** For sessions that the broker keeps (`clean: false`). */
const SESSION_EXPIRY_S = 86_400;

export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  /** Whether the broker keeps it for later subscribers. */
  readonly lasting: "retained" | "once";
}

export function addressOf({ url, host, port, ca, cert }: MqttLinkOptions): {
  readonly host: string;
  readonly port: number;
  readonly scheme: "mqtt" | "mqtts";
} {
  const parsed = url === undefined ? undefined : new URL(url);
  const isTls = parsed?.protocol === "mqtts:" || ca !== undefined || cert !== undefined;
  const usual = isTls ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  const given = parsed === undefined || parsed.port === "" ? port : Number(parsed.port);
  const name = (parsed?.hostname ?? host ?? "").replace(/^\[(.*)\]$/, "$1");
  return { host: name, port: given ?? usual, scheme: isTls ? "mqtts" : "mqtt" };
}

/** What the gateway shows of the session; never who it is. Pure. */
export function brokerFacts(options: MqttLinkOptions, link: string): BrokerFacts {
  const { host, port, scheme } = addressOf(options);
  return {
    uri: `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    clientId: clientIdOf(options, link),
    session: (options.clean ?? true) ? "forgotten" : "kept",
    keepAliveS: keepAliveS(options),
    security: scheme === "mqtts" ? "certificate" : "none",
  };
}

function keepAliveS({ keepalive = KEEPALIVE_MS }: MqttLinkOptions): number {
  return Math.round(keepalive / 1000);
}

/** The same at each start, so that a broker can keep a session and people find the client in its log. */
function clientIdOf({ clientId }: MqttLinkOptions, link: string): string {
  return clientId ?? `causeway-${link}-${hostname()}`;
}

/** Rejects with LINK_*, CONFIG_SECRET_MISSING or the signal's reason. */
export async function connectBroker(
  options: MqttLinkOptions,
  { name, clock, secret }: Pick<LinkContext, "name" | "clock" | "secret">,
  signal: AbortSignal,
): Promise<Broker> {
  signal.throwIfAborted();
  const { host, port, scheme } = addressOf(options);
  const { connectTimeout: timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const { username, password, clean = true } = options;
  const settings: IClientOptions = {
    host,
    port,
    protocol: scheme,
    clientId: clientIdOf(options, name),
    clean,
    protocolVersion: options.protocol === 5 ? 5 : 4,
    ...(options.protocol === 5 ? { properties: sessionProperties(clean ? "forgotten" : "kept") } : {}),
    keepalive: keepAliveS(options),
    ...(username === undefined ? {} : { username: await secret(username) }),
    ...(password === undefined ? {} : { password: await secret(password) }),
    ...(await readCertificates(options)),
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    // The bus opens a new link with a back-off of its own, and nothing may be sent that was meant for an earlier one.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    connectTimeout: 2 * timeoutMs,
  };
  const { connect } = await import("mqtt");
  signal.throwIfAborted();
  const broker = new Broker(begin(connect, settings), `${host}:${port}`, clock);
  const timer = clock.schedule(timeoutMs, () =>
    broker.close(new CausewayError("LINK_FAILED", `${host}:${port} did not answer within ${timeoutMs} ms`)),
  );
  const onAbort = (): void => broker.close(new CausewayError("LINK_CLOSED", "connecting was given up"));
  signal.addEventListener("abort", onAbort, { once: true });
  const failure = await Promise.race([broker.connected, broker.closed]);
  timer.cancel();
  signal.removeEventListener("abort", onAbort);
  signal.throwIfAborted();
  if (failure !== undefined) throw failure;
  return broker;
}

/** MQTT 5.0 §3.1.2.11; only there a client can say what it does not want to be sent. */
function sessionProperties(session: "forgotten" | "kept"): NonNullable<IClientOptions["properties"]> {
  return {
    maximumPacketSize: MAX_PACKET_BYTES,
    ...(session === "kept" ? { sessionExpiryInterval: SESSION_EXPIRY_S } : {}),
  };
}

/** Keys and certificates that cannot be used make TLS throw at once. */
function begin(connect: (settings: IClientOptions) => MqttClient, settings: IClientOptions): MqttClient {
  try {
    return connect(settings);
  } catch (error) {
    const what = `'ca', 'cert' or 'key' is no PEM file: ${toError(error).message}`;
    throw new CausewayError("LINK_CERTIFICATE", `${settings.host}:${settings.port}: ${what}`, { cause: error });
  }
}

/** One session with a broker; never connected again. */
export class Broker implements AsyncDisposable {
  readonly connected: Promise<undefined>;
  readonly closed: Promise<CausewayError>;
  readonly #client: MqttClient;
  readonly #name: string;
  readonly #clock: Clock;
  /** Aborts with the reason when the session is over. */
  readonly #over = new AbortController();
  #hear: (message: Message) => void = () => undefined;
  #open: () => void = () => undefined;
  #reason: CausewayError | undefined;

  /** `client` has just begun to connect. */
  constructor(client: MqttClient, name: string, clock: Clock) {
    this.#client = client;
    this.#name = name;
    this.#clock = clock;
    client.on("error", (error) => {
      this.#reason ??= brokerError(name, error);
    });
    client.on("disconnect", ({ reasonCode = 0, properties }) => {
      const why = properties?.reasonString ?? `reason code 0x${reasonCode.toString(16)}`;
      this.#reason ??= new CausewayError("LINK_CLOSED", `${name} ended the session: ${why}`);
    });
    // A kept session's messages come with the acknowledgement of the connection: they wait for those who hear them.
    const ready = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
    let isReady = false;
    void ready.then(() => {
      isReady = true;
    });
    client.handleMessage = ({ topic, payload, retain }, done) => {
      const deliver = (): void => {
        const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
        this.#hear(new Message(topic, bytes, retain ? "retained" : "live"));
        done();
      };
      if (isReady) deliver();
      else void ready.then(deliver);
    };
    this.connected = new Promise((resolve) => client.once("connect", () => resolve(undefined)));
    this.closed = new Promise((resolve) => {
      client.once("close", () => {
        this.#open();
        const reason =
          this.#reason ??
          new CausewayError("LINK_CLOSED", `${name} ended the session; another client may have the same clientId`);
        this.#over.abort(reason);
        resolve(reason);
      });
    });
  }

  /** Who hears the messages; one listener, called in the order in which they came. */
  listen(hear: (message: Message) => void): void {
    this.#hear = hear;
    this.#clock.schedule(0, () => this.#open());
  }

  /** Rejects with LINK_UNAUTHORIZED when the broker refuses one of them, LINK_* when the session ends. */
  async subscribe(topics: readonly string[]): Promise<void> {
    const granted = await this.#acknowledged(
      new Promise<readonly { topic: string; qos: number }[]>((resolve, reject) =>
        this.#client.subscribe([...topics], { qos: 1 }, (error, grants = [], packet) => {
          const codes = (packet?.granted ?? []).map(Number);
          const isRefused = error !== null && codes.some((code) => code >= 0x80);
          if (error !== null && !isRefused) reject(error);
          else resolve(isRefused ? codes.map((qos, index) => ({ topic: topics[index] ?? "", qos })) : grants);
        }),
      ),
      "subscribe",
    );
    const refused = granted.filter(({ qos }) => qos >= 0x80).map(({ topic }) => topic);
    if (refused.length === 0) return;
    throw new CausewayError("LINK_UNAUTHORIZED", `${this.#name} refuses to subscribe to ${refused.join(", ")}`);
  }

  unsubscribe(topics: readonly string[]): void {
    if (topics.length > 0 && this.#client.connected) this.#client.unsubscribe([...topics], () => undefined);
  }

  /**
   * Returns when the broker has acknowledged, for QoS 0 when it is sent. Rejects with FIELD_TIMEOUT, LINK_UNAUTHORIZED
   * or LINK_*.
   */
  async publish({ topic, payload, qos, lasting }: Publication): Promise<void> {
    const options = { qos: qos === 0 ? 0 : qos === 1 ? 1 : 2, retain: lasting === "retained" } as const;
    await this.#acknowledged(
      new Promise<void>((resolve, reject) =>
        this.#client.publish(topic, Buffer.from(payload), options, (error) =>
          error === undefined || error === null ? resolve() : reject(error),
        ),
      ),
      `publish to ${topic}`,
    );
  }

  close(reason: CausewayError): void {
    this.#reason ??= reason;
    this.#client.end(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hear = () => undefined;
    this.#reason ??= new CausewayError("LINK_CLOSED", `${this.#name} was left`);
    if (this.#over.signal.aborted) return;
    // A broker that does not take the farewell, or owes acknowledgements, keeps nobody waiting.
    const isIdle = this.#client.connected && Object.keys(this.#client.outgoing).length === 0;
    this.#client.end(!isIdle);
    const timer = this.#clock.schedule(FAREWELL_MS, () => this.#client.stream.destroy());
    await this.closed;
    timer.cancel();
  }

  /** The library settles nothing when the session ends before the acknowledgement. */
  async #acknowledged<T>(work: Promise<T>, what: string): Promise<T> {
    const late = (): Error => new CausewayError("FIELD_TIMEOUT", `${this.#name} did not acknowledge: ${what}`);
    try {
      return await withinTime(work, ACKNOWLEDGE_TIMEOUT_MS, late, this.#clock, this.#over.signal);
    } catch (error) {
      if (error instanceof CausewayError) throw error;
      if (this.#reason !== undefined && !this.#client.connected) throw this.#reason;
      throw isRefusal(error)
        ? new CausewayError("LINK_UNAUTHORIZED", `${this.#name} refuses to ${what}`, { cause: error })
        : brokerError(this.#name, error);
    }
  }
}
