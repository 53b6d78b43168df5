import { type Clock, sleep } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { type BackOff, backOffMs } from "../base/retry.js";
import type { Telling } from "../lwm2m/observation/observed.js";
import type { Outbox, Queue } from "./outbox.js";
import type { StoredSample } from "./row.js";

type SampleName = Pick<StoredSample, "path" | "prefix">;

/** What is known of one server at this moment; times are wall clock milliseconds. */
export interface ServerView {
  readonly state: "registered" | "away";
  readonly nowMs: number;
  readonly registeredAtMs: number;
  /** When the last message that the server acknowledged was sent: it lived then. */
  readonly provenAtMs: number;
  /** What notifications of this registration did about a measurement. */
  telling(sample: SampleName, atMs: number): Telling;
  /** Present where stored notifications deliver, which need an observation. */
  readonly stored?: StoredView;
}

export interface StoredView {
  /** Whether the server's observations of it take what was measured before. */
  takes(sample: SampleName): boolean;
}

/** `done`: the server has it or does not want it. `wait`: it cannot be known yet. */
export type Fate = "send" | "done" | "wait";

/**
 * A server that has just registered gets everything until it has had the time to observe: on a bad network the last
 * repetition of an Observe comes 45 s after the first (MAX_TRANSMIT_SPAN, RFC 7252 §4.8.2).
 */
const SETTLING_MS = 60_000;

/** The view of a server is a moment older than what was measured meanwhile. */
const AHEAD_MS = 500;

/**
 * What becomes of a buffered sample. While a server is known to live, its observations say what it wants; whatever was
 * measured without proof of that, or overtaken on its way, is sent. Where that is left to stored notifications, a sample
 * that nobody observes waits as long as it may still be observed, and is then given up. What was measured before the
 * clock was set back has a time to come, of which nothing is known: it counts as missed.
 */
export function fateOf(sample: SampleName & Pick<StoredSample, "atMs">, server: ServerView): Fate {
  if (server.state === "away") return "wait";
  const { atMs } = sample;
  const telling = server.telling(sample, atMs);
  const isAhead = atMs > server.nowMs + AHEAD_MS;
  if (telling === "underway" && !isAhead) return "wait";
  const settledAtMs = server.registeredAtMs + SETTLING_MS;
  const isMissed = telling === "overtaken" || (telling !== "told" && atMs < settledAtMs) || isAhead;
  if (isMissed) {
    const { stored } = server;
    if (stored === undefined || (telling !== "unobserved" && stored.takes(sample))) return "send";
    if (telling === "unobserved" && server.nowMs < settledAtMs) return "wait";
  }
  return isAhead || atMs <= server.provenAtMs ? "done" : "wait";
}

export interface DrainTarget {
  readonly queue: Queue;
  view(): ServerView;
  /** How many samples are looked at in one go. */
  readonly batchRows: number;
  /** How many of the leading samples one message takes, at least 1. */
  fit(samples: readonly StoredSample[]): number;
  /** Resolves when the server has acknowledged; rejects with CausewayError. */
  send(samples: readonly StoredSample[], signal: AbortSignal): Promise<void>;
}

const RETRY: BackOff = { firstMs: 1000, factor: 2, maxMs: 60_000, jitter: 0.3 };

/** A server that refuses one sample after the other is not asked as fast as it answers. */
const REFUSALS_AT_ONCE = 10;
const REFUSED: BackOff = { firstMs: 100, factor: 2, maxMs: 10_000, jitter: 0.3 };

export interface DrainContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Delivers one server's queue in order; deletes only what is settled. */
export class Drain {
  readonly #outbox: Outbox;
  readonly #target: DrainTarget;
  readonly #context: DrainContext;
  #failures = 0;
  /** Samples that were given up since the server took one. */
  #refusals = 0;
  #batchRows: number;

  constructor(outbox: Outbox, target: DrainTarget, context: DrainContext) {
    this.#outbox = outbox;
    this.#target = target;
    this.#context = context;
    this.#batchRows = target.batchRows;
  }

  /** Until the rest has to wait for something to change, or the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const rows = await this.#outbox.head(this.#target.queue, this.#batchRows);
      const message = messageOf(split(rows, this.#target.view()), this.#target);
      const last = message.ready.at(-1);
      if (last === undefined) return;
      try {
        await this.#deliver(message, last, signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#cope(error, message, last, signal);
      }
    }
  }

  async #deliver({ toSend }: Ready, last: StoredSample, signal: AbortSignal): Promise<void> {
    const { queue, send, batchRows } = this.#target;
    if (toSend.length > 0) await send(toSend, signal);
    await this.#outbox.settle(queue, last.id, toSend.length);
    if (this.#failures > 0) {
      this.#context.log.info("buffered samples are delivered again", { server: queue.shortServerId });
    }
    this.#failures = 0;
    if (toSend.length > 0) this.#refusals = 0;
    this.#batchRows = batchRows;
  }

  async #cope(error: unknown, { ready, toSend }: Ready, last: StoredSample, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#context;
    const { queue } = this.#target;
    if (isRefusal(error) && toSend.length > 1) {
      this.#batchRows = Math.max(1, Math.floor(ready.length / 2));
    } else if (isRefusal(error)) {
      await setAside(this.#outbox, queue, last, error, this.#refusals++ === 0 ? log : undefined);
      if (this.#refusals < REFUSALS_AT_ONCE) return;
      await sleep(clock, backOffMs(REFUSED, this.#refusals - REFUSALS_AT_ONCE, random), signal);
    } else {
      if (this.#failures === 0) {
        const facts = { server: queue.shortServerId, error: toError(error) };
        log.warn("buffered samples were not acknowledged; they are kept", facts);
      }
      await sleep(clock, backOffMs(RETRY, this.#failures++, random), signal);
    }
  }
}

/** As much of what is ready as one message takes: each acknowledged message is progress that stays. */
function messageOf({ ready, toSend }: Ready, target: DrainTarget): Ready {
  if (toSend.length === 0) return { ready, toSend };
  const count = target.fit(toSend);
  const firstLeft = toSend[count];
  if (firstLeft === undefined) return { ready, toSend };
  return { ready: ready.slice(0, ready.indexOf(firstLeft)), toSend: toSend.slice(0, count) };
}

interface Ready {
  readonly ready: readonly StoredSample[];
  readonly toSend: readonly StoredSample[];
}

/** The longest run from the head that need not wait, and what of it is to be sent. */
export function split(rows: readonly StoredSample[], server: ServerView): Ready {
  const fates = rows.map((row) => fateOf(row, server));
  const firstWaiting = fates.indexOf("wait");
  const ready = firstWaiting < 0 ? rows : rows.slice(0, firstWaiting);
  return { ready, toSend: ready.filter((_, index) => fates[index] === "send") };
}

/** The server understood and said no: sending the same again cannot help. */
function isRefusal(error: unknown): boolean {
  return error instanceof CausewayError && error.code === "LWM2M_BAD_REQUEST";
}

/** Without a log the same was said of the sample before. */
async function setAside(
  outbox: Outbox,
  queue: Queue,
  sample: StoredSample,
  error: unknown,
  log: Log | undefined,
): Promise<void> {
  log?.error("the server refuses a sample for good; it is given up, and so are those after it that it refuses", {
    server: queue.shortServerId,
    path: sample.path.join("/"),
    error: toError(error),
  });
  await outbox.giveUp(queue, sample.id);
}
