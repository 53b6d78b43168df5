import { abortable, type Clock, type Timer } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import { CoapEndpoint } from "./coap/endpoint.js";
import { CoapSettings } from "./coap/settings.js";
import { countTraffic, type TrafficCounter } from "./coap/traffic.js";
import { openUdp } from "./coap/udp.js";
import type { Lwm2mClient, OpenPeer } from "./lwm2m/client.js";
import type { Entry } from "./lwm2m/codec/codec.js";
import { senmlCborCodec } from "./lwm2m/codec/senml-cbor.js";
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
  serve(shortServerIds: readonly number[]): void {
    for (const [shortServerId, running] of this.#running) {
      if (shortServerIds.includes(shortServerId)) continue;
      this.#running.delete(shortServerId);
      running.abort(new CausewayError("COAP_CLOSED", "the server is none of the client's any more"));
    }
    for (const shortServerId of shortServerIds) if (!this.#running.has(shortServerId)) this.#start(shortServerId);
  }

  #start(shortServerId: number): void {
    const { outbox, endpoint } = this.#context;
    const running = new AbortController();
    this.#running.set(shortServerId, running);
    const target = targetOf({ endpoint, shortServerId }, this.#context, this.#wake);
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
  shortServerIds: (client: Lwm2mClient) => readonly number[],
): (sample: OutboxSample) => boolean {
  const views = new Map<string, readonly ServerView[]>();
  return (sample) => {
    let known = views.get(sample.endpoint);
    if (known === undefined) {
      const client = clients.get(sample.endpoint);
      known = client === undefined ? [AWAY] : shortServerIds(client).map((id) => viewOf(client, id));
      views.set(sample.endpoint, known);
    }
    return known.every((view) => fateOf(sample, view) === "done");
  };
}

function targetOf(queue: Queue, { client, clock }: DrainContext, wake: Signal): DrainTarget {
  return {
    queue,
    view: () => viewOf(client, queue.shortServerId),
    changed: (signal) => abortable(wake.next, signal),
    fit: (samples) => fitting(samples, clock.nowMs()),
    send: (samples, signal) => client.send(entriesOf(samples), signal, queue.shortServerId),
  };
}

/**
 * One block of RFC 7959: a longer Send would cost as many round trips as several short ones, needs a server that takes
 * blocks, and starts from nothing when one is lost.
 */
const MAX_SEND_BYTES = 1024;

function fitting(samples: readonly StoredSample[], nowMs: number): number {
  let count = samples.length;
  for (;;) {
    const payload = senmlCborCodec.encode(entriesOf(samples.slice(0, count)), { target: [], nowMs, times: "all" });
    if (payload.length <= MAX_SEND_BYTES || count === 1) return count;
    count = Math.max(1, Math.min(count - 1, Math.floor((count * MAX_SEND_BYTES) / payload.length)));
  }
}

function entriesOf(samples: readonly StoredSample[]): readonly Entry[] {
  return samples.map(({ path, type, value, atMs, prefix }) => ({
    path,
    type,
    value,
    atMs,
    ...(prefix === undefined ? {} : { prefix }),
  }));
}

const AWAY: ServerView = { state: "away", registeredAtMs: 0, provenAtMs: 0, telling: () => "unobserved" };

function viewOf(client: Lwm2mClient, shortServerId: number): ServerView {
  const status = client.registrations.find((registration) => registration.shortServerId === shortServerId);
  const isInTouch = status?.state === "registered" || status?.state === "asleep";
  const registeredAtMs = isInTouch ? status.registeredAtMs : undefined;
  if (registeredAtMs === undefined) return AWAY;
  return {
    state: "registered",
    registeredAtMs,
    provenAtMs: status?.provenAtMs ?? registeredAtMs,
    telling: (sample, atMs) => client.telling(shortServerId, sample, atMs),
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
