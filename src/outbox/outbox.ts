import type { Clock, Timer } from "../base/clock.js";
import { toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { subscribe } from "../base/subscribe.js";
import { formatPath } from "../lwm2m/path.js";
import { type Database, isFull, type Statement } from "./database.js";
import { fromRow, type OutboxSample, originOf, type SampleOrigin, type StoredSample, toColumns } from "./row.js";

export interface OutboxLimits {
  /** Bytes of the database in use, not the size of the file. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly overflow: "drop-oldest" | "drop-newest";
}

export interface OutboxCounters {
  /** On disk and not settled by every server. */
  readonly buffered: number;
  /** In memory, at most one commit period old unless the disk refuses. */
  readonly uncommitted: number;
  readonly oldestAtMs: number | undefined;
  /** Since the database was made: taken in, acknowledged by a Send, given up because of the limits. */
  readonly appended: number;
  readonly delivered: number;
  readonly dropped: number;
}

export interface Queue {
  readonly endpoint: string;
  readonly shortServerId: number;
}

const COMMIT_EVERY_MS = 500;
/** Samples younger than this may wait for the next commit: most are settled by then and need no disk at all. */
const HOLD_BACK_MS = 400;
const ROWS_PER_INSERT = 500;
const ROWS_PER_DROP = 1000;
/** While the disk refuses, no more than this waits in memory. */
const MAX_UNCOMMITTED = 50_000;

/** Says of a sample that has not been written whether all servers have it or do not want it. */
export type IsSettled = (sample: OutboxSample) => boolean;

type CounterName = "appended" | "delivered" | "dropped";

/**
 * Samples that no server has acknowledged yet. Every sample is appended; each server's queue is a position in the one
 * ordered table, so a sample is stored once however many servers want it, and goes when all have settled it.
 */
export class Outbox implements AsyncDisposable {
  readonly #database: Database;
  readonly #limits: OutboxLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counters: Record<CounterName, number> = { appended: 0, delivered: 0, dropped: 0 };
  readonly #listeners = new Set<(endpoints: ReadonlySet<string>) => void>();
  #batch: OutboxSample[] = [];
  /** Asked anew for each commit. */
  #settledNow: () => IsSettled = () => () => false;
  #timer: Timer | undefined;
  #committing: Promise<void> = Promise.resolve();
  #state: "writing" | "refused" = "writing";

  private constructor(database: Database, limits: OutboxLimits, clock: Clock, log: Log) {
    this.#database = database;
    this.#limits = limits;
    this.#clock = clock;
    this.#log = log;
  }

  /** `queues` is the complete list, as of `serve`. */
  static async open(
    database: Database,
    queues: readonly Queue[],
    limits: OutboxLimits,
    clock: Clock,
    log: Log,
  ): Promise<Outbox> {
    const outbox = new Outbox(database, limits, clock, log);
    for (const row of await database.all("SELECT name, value FROM counters")) {
      const name = String(row["name"]);
      if (name in outbox.#counters) outbox.#counters[name as CounterName] = Number(row["value"]);
    }
    await outbox.serve(queues);
    return outbox;
  }

  /** The complete list of those who want samples: the positions of all others are forgotten, new ones get what is left. */
  async serve(queues: readonly Queue[]): Promise<void> {
    const known = await this.#database.all("SELECT endpoint, server FROM queues");
    for (const row of known) {
      const stays = queues.some((q) => q.endpoint === row["endpoint"] && q.shortServerId === row["server"]);
      if (!stays) {
        const key = [String(row["endpoint"]), Number(row["server"])];
        await this.#database.run("DELETE FROM queues WHERE endpoint = ? AND server = ?", key);
      }
    }
    // One flush of the disk, however many there are.
    await this.#database.transaction(
      queues.map(({ endpoint, shortServerId }): Statement => {
        return ["INSERT OR IGNORE INTO queues VALUES (?, ?, 0)", [endpoint, shortServerId]];
      }),
    );
    await this.#database.run("DELETE FROM samples WHERE endpoint NOT IN (SELECT endpoint FROM queues)");
  }

  /**
   * Gives up what is left of resources that are not exposed any more: a server refuses a Send of what the client does not
   * have, and the queue would stand still.
   */
  async keepExposed(isExposed: (origin: SampleOrigin) => boolean): Promise<void> {
    const columns = "endpoint, prefix, path";
    let count = 0;
    for (const row of await this.#database.all(`SELECT DISTINCT ${columns} FROM samples`)) {
      if (isExposed(originOf(row))) continue;
      const key = [String(row["endpoint"]), row["prefix"] === null ? null : String(row["prefix"]), String(row["path"])];
      count += await this.#database.run("DELETE FROM samples WHERE endpoint = ? AND prefix IS ? AND path = ?", key);
    }
    if (count > 0) this.#log.warn("samples of devices that are gone were dropped", { count });
    this.#counters.dropped += count;
  }

  /** Takes a sample in; it is on disk within a second unless it is settled by then. Never throws. */
  append(sample: OutboxSample): void {
    if (this.#batch.length >= MAX_UNCOMMITTED) {
      this.#counters.dropped++;
      if (this.#limits.overflow === "drop-newest") return;
      this.#batch.shift();
    }
    this.#batch.push(sample);
    this.#counters.appended++;
    this.#scheduleCommit();
  }

  #scheduleCommit(): void {
    this.#timer ??= this.#clock.schedule(COMMIT_EVERY_MS, () => void this.#commit("aged"));
  }

  /** While servers are in touch most samples are settled within milliseconds: those are never written. */
  settleBy(settledNow: () => IsSettled): void {
    this.#settledNow = settledNow;
  }

  /** Called after each commit that brought samples, with the endpoints that these are of. */
  onCommit(listener: (endpoints: ReadonlySet<string>) => void): Disposable {
    return subscribe(this.#listeners, listener);
  }

  /** Writes what waits in memory; never rejects: what the disk refuses is kept and tried again. */
  commit(): Promise<void> {
    return this.#commit("all");
  }

  #commit(which: "all" | "aged"): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#committing = this.#committing.then(() => this.#commitBatch(which));
    return this.#committing;
  }

  /** Takes what is to be written now out of memory; the rest stays, what is settled goes. */
  #takeBatch(which: "all" | "aged"): readonly OutboxSample[] {
    const isSettled = this.#settledNow();
    const unsettled = this.#batch.filter((sample) => !isSettled(sample));
    const heldFromMs = which === "all" ? Number.POSITIVE_INFINITY : this.#clock.nowMs() - HOLD_BACK_MS;
    const firstHeld = unsettled.findIndex(({ atMs }) => atMs > heldFromMs);
    const cut = firstHeld < 0 ? unsettled.length : firstHeld;
    this.#batch = unsettled.slice(cut);
    if (this.#batch.length > 0) this.#scheduleCommit();
    return unsettled.slice(0, cut);
  }

  async #commitBatch(which: "all" | "aged"): Promise<void> {
    const batch = this.#takeBatch(which);
    if (batch.length === 0) return;
    let written = 0;
    try {
      await this.#database.transaction([...insertStatements(batch), this.#counterStatement()]);
      written = batch.length;
      await this.#enforceLimits();
      this.#changeState("writing");
    } catch (error) {
      this.#batch = [...batch.slice(written), ...this.#batch];
      this.#changeState("refused", error);
      if (isFull(error)) await this.#dropOldest().catch(() => 0);
      this.#scheduleCommit();
    }
    if (written === 0) return;
    const endpoints = new Set(batch.map(({ endpoint }) => endpoint));
    for (const listener of this.#listeners) listener(endpoints);
  }

  #changeState(state: "writing" | "refused", error?: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === "writing") this.#log.info("the outbox writes to disk again");
    else this.#log.error("the outbox cannot write; samples wait in memory", { error: toError(error) });
  }

  async #enforceLimits(): Promise<void> {
    const tooOldMs = this.#clock.nowMs() - this.#limits.maxAgeMs;
    // Arrival and measurement go the same way, so the oldest row is the first one.
    const [first] = await this.#database.all("SELECT at_ms FROM samples ORDER BY id LIMIT 1");
    if (first !== undefined && Number(first["at_ms"]) < tooOldMs) {
      this.#drop(await this.#database.run("DELETE FROM samples WHERE at_ms < ?", [tooOldMs]));
    }
    while ((await this.#bytesInUse()) > this.#limits.maxBytes) {
      const dropped = this.#limits.overflow === "drop-oldest" ? await this.#dropOldest() : await this.#dropNewest();
      if (dropped === 0) return;
    }
  }

  async #bytesInUse(): Promise<number> {
    const sql = `SELECT (page_count - freelist_count) * page_size AS bytes
                 FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`;
    const [row] = await this.#database.all(sql);
    return Number(row?.["bytes"] ?? 0);
  }

  async #dropOldest(): Promise<number> {
    const sql = "DELETE FROM samples WHERE id IN (SELECT id FROM samples ORDER BY id LIMIT ?)";
    return this.#drop(await this.#database.run(sql, [ROWS_PER_DROP]));
  }

  async #dropNewest(): Promise<number> {
    const sql = "DELETE FROM samples WHERE id IN (SELECT id FROM samples ORDER BY id DESC LIMIT ?)";
    return this.#drop(await this.#database.run(sql, [ROWS_PER_DROP]));
  }

  #drop(count: number): number {
    if (count > 0) this.#log.warn("the outbox is over its limits; samples were dropped", { count });
    this.#counters.dropped += count;
    return count;
  }

  /** The oldest committed samples that the server has not settled. */
  async head(queue: Queue, limit: number): Promise<readonly StoredSample[]> {
    const sql = `SELECT id, endpoint, at_ms, path, type, value, prefix FROM samples
                 WHERE endpoint = ?1 AND id > (SELECT settled_id FROM queues WHERE endpoint = ?1 AND server = ?2)
                 ORDER BY id LIMIT ?3`;
    const rows = await this.#database.all(sql, [queue.endpoint, queue.shortServerId, limit]);
    return rows.map(fromRow);
  }

  /**
   * Of the samples of a resource that the server has not settled, measured until then, the id of the `count`th newest; 0
   * when there are no more than that.
   */
  async nthNewest(
    queue: Queue,
    { path, prefix }: Omit<SampleOrigin, "endpoint">,
    count: number,
    untilMs: number,
  ): Promise<number> {
    const sql = `SELECT id FROM samples
                 WHERE endpoint = ?1 AND id > (SELECT settled_id FROM queues WHERE endpoint = ?1 AND server = ?2)
                   AND path = ?3 AND prefix IS ?4 AND at_ms <= ?5
                 ORDER BY id DESC LIMIT 1 OFFSET ?6`;
    const { endpoint, shortServerId } = queue;
    const parameters = [endpoint, shortServerId, formatPath(path), prefix ?? null, untilMs, count - 1];
    const [row] = await this.#database.all(sql, parameters);
    return Number(row?.["id"] ?? 0);
  }

  /** Everything up to `id` is settled for this server; what all servers have settled is deleted. */
  async settle(queue: Queue, id: number, delivered: number): Promise<void> {
    const { endpoint, shortServerId } = queue;
    this.#counters.delivered += delivered;
    const lowest = "SELECT min(settled_id) FROM queues WHERE endpoint = ?1";
    // One transaction, because each costs the disk a flush.
    await this.#database.transaction([
      ["UPDATE queues SET settled_id = ? WHERE endpoint = ? AND server = ?", [id, endpoint, shortServerId]],
      [`DELETE FROM samples WHERE endpoint = ?1 AND id <= (${lowest})`, [endpoint]],
      this.#counterStatement(),
    ]);
  }

  /** Settles a sample that the server refuses for good; it counts as dropped. */
  async giveUp(queue: Queue, id: number): Promise<void> {
    this.#counters.dropped++;
    await this.settle(queue, id, 0);
  }

  #counterStatement(): Statement {
    const rows = Object.entries(this.#counters);
    const places = rows.map(() => "(?, ?)").join(", ");
    return [`INSERT OR REPLACE INTO counters VALUES ${places}`, rows.flat()];
  }

  async counters(): Promise<OutboxCounters> {
    const [row] = await this.#database.all("SELECT count(*) AS buffered, min(at_ms) AS oldest FROM samples");
    const oldest = row?.["oldest"];
    return {
      ...this.#counters,
      buffered: Number(row?.["buffered"] ?? 0),
      uncommitted: this.#batch.length,
      oldestAtMs: typeof oldest === "number" ? oldest : undefined,
    };
  }

  /** Commits what is left; the database stays open, it is not the outbox's own. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.commit();
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function insertStatements(batch: readonly OutboxSample[]): readonly Statement[] {
  const statements: Statement[] = [];
  for (let first = 0; first < batch.length; first += ROWS_PER_INSERT) {
    const rows = batch.slice(first, first + ROWS_PER_INSERT);
    const places = rows.map(() => "(?, ?, ?, ?, ?, ?)").join(", ");
    const sql = `INSERT INTO samples (endpoint, at_ms, path, type, value, prefix) VALUES ${places}`;
    statements.push([sql, rows.flatMap(toColumns)]);
  }
  return statements;
}
