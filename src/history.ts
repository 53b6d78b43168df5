import type { Clock } from "./base/clock.js";
import type { Lwm2mClient } from "./lwm2m/client.js";
import type { TimedEntry } from "./lwm2m/observation/stored-replay.js";
import { type DrainTarget, fateOf, type ServerView } from "./outbox/drain.js";
import type { Outbox, Queue } from "./outbox/outbox.js";
import type { OutboxSample, StoredSample } from "./outbox/row.js";

/** A server that is to have what it missed, by Send or by stored notifications. */
export interface Historian {
  readonly shortServerId: number;
  readonly history: "send" | "notify";
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

export interface HistoryContext {
  readonly outbox: Outbox;
  readonly endpoint: string;
  readonly client: Lwm2mClient;
  readonly clock: Clock;
}

/** How the server gets what it missed. */
export function targetOf(historian: Historian, { client, clock, endpoint, outbox }: HistoryContext): DrainTarget {
  const { shortServerId, history } = historian;
  const queue = { endpoint, shortServerId };
  const view = () => viewOf(client, historian, clock.nowMs());
  if (history === "send") {
    return {
      queue,
      view,
      batchRows: SEND_ROWS,
      fit: (samples) => fitting(samples, client),
      send: (samples, signal) => client.send(entriesOf(samples), signal, shortServerId),
    };
  }
  return {
    queue,
    view,
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
    if (!Number.isFinite(limit)) return 0;
    // The newest ones may still be in memory.
    await outbox.commit();
    return await outbox.nthNewest(queue, sample, limit, untilMs);
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

const AWAY: ServerView = { state: "away", nowMs: 0, registeredAtMs: 0, provenAtMs: 0, telling: () => "unobserved" };

function viewOf(client: Lwm2mClient, { shortServerId, history }: Historian, nowMs: number): ServerView {
  client.checkClock();
  const status = client.registrations.find((registration) => registration.shortServerId === shortServerId);
  const isInTouch = status?.state === "registered" || status?.state === "asleep";
  const registeredAtMs = isInTouch ? status.registeredAtMs : undefined;
  if (registeredAtMs === undefined) return AWAY;
  return {
    state: "registered",
    nowMs,
    // After an outage, too, Observes may be repeated.
    registeredAtMs: Math.max(registeredAtMs, status?.backAtMs ?? registeredAtMs),
    provenAtMs: status?.provenAtMs ?? registeredAtMs,
    telling: (sample, atMs) => client.telling(shortServerId, sample, atMs),
    ...(history === "send"
      ? {}
      : { stored: { takes: (sample) => client.storing(shortServerId, sample) !== undefined } }),
  };
}
