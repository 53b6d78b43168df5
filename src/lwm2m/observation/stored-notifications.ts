import type { Clock } from "../../base/clock.js";
import { Code } from "../../coap/code.js";
import type { CoapResponse } from "../../coap/request.js";
import { hasTimes } from "../codec/formats.js";
import type { Path } from "../path.js";
import { mayRead, type TreeView } from "../views.js";
import type { Notifier } from "./notifier.js";
import type { ObservationTable } from "./observation-table.js";
import { keyOf, type Observation, type ObservedPath, tellingOf } from "./observed.js";
import { replay, type TimedEntry } from "./stored-replay.js";

/** A measurement that no notification has told. */
export interface StoredEntry {
  readonly view: TreeView;
  readonly entry: TimedEntry;
}

/** What of a path's measurements is to be told later. */
export interface Storing {
  /** The newest ones, at most so many (hqmax). */
  readonly limit: number;
  /** Wall clock; what was measured later is told by notifications as it comes. */
  readonly untilMs: number;
}

export interface StoredNotificationsOptions {
  readonly clock: Clock;
  /** Notification Storing When Disabled or Offline /1/x/6; true when absent. */
  isStoring?(): boolean;
}

/** One block of RFC 7959: a longer notification would cost round trips, and start from nothing when one is lost. */
const MAX_PAYLOAD_BYTES = 1024;

/**
 * Stored notifications (OMA LwM2M Core 1.2 §6.4.2, /1/x/6, hqmax): what could not be told in time reaches the server on
 * its observations, confirmably, with the times of the measurements and in their order.
 */
export class StoredNotifications {
  readonly #table: ObservationTable;
  readonly #notifier: Notifier;
  readonly #options: StoredNotificationsOptions;

  constructor(table: ObservationTable, notifier: Notifier, options: StoredNotificationsOptions) {
    this.#table = table;
    this.#notifier = notifier;
    this.#options = options;
  }

  /**
   * Undefined where only the current value is told: nothing observes the path, /1/x/6 or hqmax forbid it, or the format
   * of the observation has no times.
   */
  of(view: TreeView, path: Path): Storing | undefined {
    let best: Storing | undefined;
    if (this.#options.isStoring?.() === false || !mayRead(view, path)) return undefined;
    this.#table.upwards(view, path, (part) => {
      if (!isStored(part)) return;
      const { sinceMs, overtaken } = part.observation;
      const untilMs = Math.max(overtaken?.toMs ?? 0, sinceMs - 1);
      const limit = part.attributes.hqmax ?? Number.POSITIVE_INFINITY;
      if (best === undefined || limit > best.limit) best = { limit, untilMs };
    });
    return best;
  }

  /**
   * Resolves when the server has acknowledged what it wants of them, with `timeout` when it did not in time or nothing
   * may be sent. What nobody observes any more, or attributes leave out, counts as told.
   */
  async tell(entries: readonly StoredEntry[]): Promise<"acknowledged" | "timeout"> {
    const groups = [...this.#byObservation(entries)];
    const results = await Promise.all(groups.map(([observation, own]) => this.#tellOne(observation, own)));
    return results.includes("timeout") ? "timeout" : "acknowledged";
  }

  async #tellOne(observation: Observation, entries: readonly TimedEntry[]): Promise<"acknowledged" | "timeout"> {
    for (const message of messagesOf(replay(observation, entries), observation, this.#options.clock.nowMs())) {
      const result = await this.#notifier.tellStored(observation, message.response);
      if (result === "timeout") return "timeout";
      // A Reset has ended it, so the rest is of no use.
      if (!this.#table.has(observation)) return "acknowledged";
      note(observation, message.entries);
    }
    note(observation, entries);
    return "acknowledged";
  }

  #byObservation(entries: readonly StoredEntry[]): ReadonlyMap<Observation, readonly TimedEntry[]> {
    const groups = new Map<Observation, TimedEntry[]>();
    for (const { view, entry } of entries) {
      const observation = this.#observationOf(view, entry);
      if (observation === undefined) continue;
      const group = groups.get(observation);
      if (group === undefined) groups.set(observation, [entry]);
      else group.push(entry);
    }
    return groups;
  }

  /** The one that owes the measurement to the server. */
  #observationOf(view: TreeView, { path, prefix, atMs }: TimedEntry): Observation | undefined {
    let found: Observation | undefined;
    this.#table.upwards(view, path, (part) => {
      const { observation } = part;
      if (found !== undefined || !isStored(part) || !mayRead(view, path)) return;
      const telling = tellingOf(observation, keyOf(observation, path, prefix), atMs);
      if (telling === "overtaken" || telling === "earlier") found = observation;
    });
    return found;
  }
}

function isStored({ observation, attributes }: ObservedPath): boolean {
  return attributes.hqmax !== 0 && hasTimes(observation.codec.contentFormat);
}

function note(observation: Observation, entries: readonly TimedEntry[]): void {
  observation.storedMs ??= new Map();
  for (const { path, prefix, atMs } of entries) observation.storedMs.set(keyOf(observation, path, prefix), atMs);
}

interface StoredMessage {
  readonly entries: readonly TimedEntry[];
  readonly response: CoapResponse;
}

function* messagesOf(
  entries: readonly TimedEntry[],
  observation: Observation,
  nowMs: number,
): Generator<StoredMessage> {
  for (let first = 0; first < entries.length; ) {
    let count = entries.length - first;
    for (;;) {
      const some = entries.slice(first, first + count);
      const response = responseOf(some, observation, nowMs);
      const { length } = response.payload;
      if (length <= MAX_PAYLOAD_BYTES || count === 1) {
        first += count;
        yield { entries: some, response };
        break;
      }
      count = Math.max(1, Math.min(count - 1, Math.floor((count * MAX_PAYLOAD_BYTES) / length)));
    }
  }
}

function responseOf(entries: readonly TimedEntry[], { codec, target }: Observation, nowMs: number): CoapResponse {
  const payload = codec.encode(entries, { target, nowMs, times: "all" });
  return { code: Code.Content, contentFormat: codec.contentFormat, payload };
}
