import { abortable, type Clock, type Timer } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import { CoapEndpoint } from "./coap/endpoint.js";
import { CoapSettings } from "./coap/settings.js";
import { countTraffic, type TrafficCounter } from "./coap/traffic.js";
import { openUdp } from "./coap/udp.js";
import type { Lwm2mClient, OpenPeer } from "./lwm2m/client.js";
import type { TimedEntry } from "./lwm2m/stored-replay.js";
import { type DrainTarget, drain, fateOf, type ServerView } from "./outbox/drain.js";
import type { Outbox, Queue } from "./outbox/outbox.js";
import type { OutboxSample, StoredSample } from "./outbox/row.js";

/** Of the URIs for which `peerOpener` has a transport. */
export const SCHEMES: ReadonlySet<string> = new Set(["coap"]);
const DEFAULT_PORT = 5683;

/**
 * More than the 1 of RFC 7252 §4.7, which over a mobile network of 100 ms would be ten notifications a second; each
 * still backs off exponentially, and what waits is overtaken by newer values instead of queued.
 */
const NSTART = 4;

/** What connections begin with unless a server sets something else by object 500. */
export function initialCoapSettings(): CoapSettings {
  return new CoapSettings({ nstart: NSTART });
}

/** Opens `coap://` servers over UDP, a connected socket each; what they carry is told to `traffic`. */
export function peerOpener(context: {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly traffic?: TrafficCounter;
  readonly coap?: CoapSettings;
}): OpenPeer {
  return async ({ uri }, handler, signal, localAddress) => {
    const { protocol, hostname, port } = new URL(uri);
    if (protocol !== "coap:") throw new CausewayError("CONFIG_INVALID", `${uri}: no transport for ${protocol}`);
    const host = hostname.replace(/^\[|\]$/g, "");
    const localPort = Number(/:(\d+)$/.exec(localAddress ?? "")?.[1] ?? 0);
    const udp = await openUdp({ host, port: port === "" ? DEFAULT_PORT : Number(port), localPort }, signal);
    const { traffic, coap = initialCoapSettings() } = context;
    const transport = traffic === undefined ? udp : countTraffic(udp, udp.family, traffic);
    return new CoapEndpoint(transport, handler, { ...context, parameters: coap.current });
  };
}

const WAKE_AFTER_MS = 100;

/** A server that is to have what it missed, by Send or by stored notifications. */
export interface Historian {
  readonly shortServerId: number;
  readonly history: "send" | "notify";
}

interface DrainContext {
  readonly outbox: Outbox;
  readonly endpoint: string;
  readonly client: Lwm2mClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/**
 * One drain for each server of an endpoint that wants history; they wake at commits of the endpoint's samples and at
 * news of its registrations.
 */
export class EndpointDrains {
  readonly #context: DrainContext;
  readonly #scope: Scope;
  readonly #wake = new Signal();
  /** By Short Server ID. */
  readonly #running = new Map<number, AbortController>();
  #timer: Timer | undefined;

  constructor(context: DrainContext, scope: Scope) {
    this.#context = context;
    this.#scope = scope;
    const onState = context.client.onState(() => this.#wakeSoon());
    const onCommit = context.outbox.onCommit((endpoints) => {
      if (endpoints.has(context.endpoint)) this.#wakeSoon();
    });
    scope.defer(() => {
      onState[Symbol.dispose]();
      onCommit[Symbol.dispose]();
      this.#timer?.cancel();
    });
  }

  /** The servers that want history now; the outbox has their queues. */
  serve(historians: readonly Historian[]): void {
    for (const [shortServerId, running] of this.#running) {
      if (historians.some((one) => one.shortServerId === shortServerId)) continue;
      this.#running.delete(shortServerId);
      running.abort(new CausewayError("COAP_CLOSED", "the server is none of the client's any more"));
    }
    for (const historian of historians) if (!this.#running.has(historian.shortServerId)) this.#start(historian);
  }

  #start(historian: Historian): void {
    const { outbox } = this.#context;
    const running = new AbortController();
    this.#running.set(historian.shortServerId, running);
    const target = targetOf(historian, this.#context, this.#wake);
    this.#scope.spawn(async (signal) => {
      await drain(outbox, target, this.#context, AbortSignal.any([signal, running.signal])).catch((error: unknown) => {
        if (!running.signal.aborted) throw error;
      });
    });
  }

  /** Each acknowledgement is news; one look at the queue for many of them is enough. */
  #wakeSoon(): void {
    this.#timer ??= this.#context.clock.schedule(WAKE_AFTER_MS, () => {
      this.#timer = undefined;
      this.#wake.fire();
    });
  }
}

/** Whether all servers of a sample's endpoint have it or do not want it, as of the moment of the call. */
export function settledNow(
  clients: ReadonlyMap<string, Lwm2mClient>,
  historians: (client: Lwm2mClient) => readonly Historian[],
  nowMs: number,
): (sample: OutboxSample) => boolean {
  const views = new Map<string, readonly ServerView[]>();
  return (sample) => {
    let known = views.get(sample.endpoint);
    if (known === undefined) {
      const client = clients.get(sample.endpoint);
      known = client === undefined ? [AWAY] : historians(client).map((historian) => viewOf(client, historian, nowMs));
      views.set(sample.endpoint, known);
    }
    return known.every((view) => fateOf(sample, view) === "done");
  };
}

const SEND_ROWS = 100;
/** Of each observation's samples a block is to be full, however many observations there are. */
const STORED_ROWS = 500;

function targetOf(historian: Historian, context: DrainContext, wake: Signal): DrainTarget {
  const { client, clock, endpoint, outbox } = context;
  const { shortServerId, history } = historian;
  const queue = { endpoint, shortServerId };
  const target = {
    queue,
    view: () => viewOf(client, historian, clock.nowMs()),
    changed: (signal: AbortSignal) => abortable(wake.next, signal),
  };
  if (history === "send") {
    return {
      ...target,
      batchRows: SEND_ROWS,
      fit: (samples) => fitting(samples, client),
      send: (samples, signal) => client.send(entriesOf(samples), signal, shortServerId),
    };
  }
  return {
    ...target,
    batchRows: STORED_ROWS,
    // They are for several observations, so that the client makes the messages.
    fit: (samples) => samples.length,
    async send(samples) {
      await client.tellStored(entriesOf(await newestOf(samples, queue, client, outbox)), shortServerId);
    },
  };
}

/** Without those of which more are stored than the server wants (hqmax). */
async function newestOf(
  samples: readonly StoredSample[],
  queue: Queue,
  client: Lwm2mClient,
  outbox: Outbox,
): Promise<readonly StoredSample[]> {
  const firstIds = new Map<string, Promise<number>>();
  const firstIdOf = async (sample: StoredSample): Promise<number> => {
    const storing = client.storing(queue.shortServerId, sample);
    if (storing === undefined) return Number.POSITIVE_INFINITY;
    const { limit, untilMs } = storing;
    return Number.isFinite(limit) ? await outbox.nthNewest(queue, sample, limit, untilMs) : 0;
  };
  const wanted: StoredSample[] = [];
  for (const sample of samples) {
    const key = `${sample.prefix ?? ""} ${sample.path.join("/")}`;
    const firstId = firstIds.get(key) ?? firstIdOf(sample);
    firstIds.set(key, firstId);
    if (sample.id >= (await firstId)) wanted.push(sample);
  }
  return wanted;
}

/**
 * One block of RFC 7959: a longer Send would cost as many round trips as several short ones, needs a server that takes
 * blocks, and starts from nothing when one is lost.
 */
const MAX_SEND_BYTES = 1024;

function fitting(samples: readonly StoredSample[], client: Lwm2mClient): number {
  let count = samples.length;
  for (;;) {
    const length = client.sendBytes(entriesOf(samples.slice(0, count)));
    if (length <= MAX_SEND_BYTES || count === 1) return count;
    count = Math.max(1, Math.min(count - 1, Math.floor((count * MAX_SEND_BYTES) / length)));
  }
}

function entriesOf(samples: readonly StoredSample[]): readonly TimedEntry[] {
  return samples.map(({ path, type, value, atMs, prefix }) => ({
    path,
    type,
    value,
    atMs,
    ...(prefix === undefined ? {} : { prefix }),
  }));
}

const AWAY: ServerView = { state: "away", registeredAtMs: 0, provenAtMs: 0, telling: () => "unobserved" };

function viewOf(client: Lwm2mClient, { shortServerId, history }: Historian, nowMs: number): ServerView {
  const status = client.registrations.find((registration) => registration.shortServerId === shortServerId);
  const isInTouch = status?.state === "registered" || status?.state === "asleep";
  const registeredAtMs = isInTouch ? status.registeredAtMs : undefined;
  if (registeredAtMs === undefined) return AWAY;
  return {
    state: "registered",
    registeredAtMs,
    provenAtMs: status?.provenAtMs ?? registeredAtMs,
    telling: (sample, atMs) => client.telling(shortServerId, sample, atMs),
    ...(history === "send"
      ? {}
      : { stored: { nowMs, takes: (sample) => client.storing(shortServerId, sample) !== undefined } }),
  };
}

/** A promise that is renewed each time it fires. */
class Signal {
  #fire: () => void = () => undefined;
  next: Promise<void>;

  constructor() {
    this.next = this.#renew();
  }

  fire(): void {
    const fire = this.#fire;
    this.next = this.#renew();
    fire();
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      this.#fire = resolve;
    });
  }
}
