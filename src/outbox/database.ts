import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import sqlite3 from "sqlite3";
import { CausewayError, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { MIGRATIONS } from "./migrations.js";

export type SqlValue = string | number | null;
export type Statement = readonly [sql: string, parameters: readonly SqlValue[]];
export type Row = Readonly<Record<string, unknown>>;

/** SQLite waits so long for another process that writes. */
const BUSY_MS = 5000;

/** Set aside together with the database: SQLite would replay a stale journal into the new one. */
const COMPANIONS = ["", "-wal", "-shm"];

/**
 * The gateway's one SQLite file: WAL and synchronous=FULL, so what was committed survives a power cut. Statements
 * run one after another.
 */
export class Database implements AsyncDisposable {
  readonly #handle: sqlite3.Database;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(handle: sqlite3.Database) {
    this.#handle = handle;
    // Without a listener SQLite's deferred errors would end the process; every statement reports its own.
    handle.on("error", () => undefined);
  }

  /**
   * Opens or creates `path` and brings its schema up to date. A damaged file is renamed to `….corrupt-TIME` and a new
   * one begun. Rejects with OUTBOX_UNAVAILABLE, and with STATE_NEWER when a later version has written it.
   */
  static async open(path: string, log: Log, nowMs: number): Promise<Database> {
    try {
      if (path !== ":memory:") await mkdir(dirname(path), { recursive: true });
      const sound = await Database.#openSound(path);
      if (sound !== undefined) return sound;
      const aside = `${path}.corrupt-${nowMs}`;
      for (const suffix of COMPANIONS) if (existsSync(path + suffix)) await rename(path + suffix, aside + suffix);
      log.error("the state database was damaged; it was set aside and a new one begun", { path, aside });
      const fresh = await Database.#openSound(path);
      if (fresh !== undefined) return fresh;
      throw new CausewayError("OUTBOX_CORRUPT", `${path} is damaged and could not be replaced`);
    } catch (error) {
      if (error instanceof CausewayError) throw error;
      throw new CausewayError("OUTBOX_UNAVAILABLE", `${path}: ${toError(error).message}`, { cause: error });
    }
  }

  static async #openSound(path: string): Promise<Database | undefined> {
    const database = new Database(await openHandle(path));
    try {
      await database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`);
      const [check] = await database.all("PRAGMA quick_check(1)");
      if (check?.["quick_check"] !== "ok")
        throw Object.assign(new Error("quick_check failed"), { code: "SQLITE_CORRUPT" });
      await database.#migrate(path);
      return database;
    } catch (error) {
      await database[Symbol.asyncDispose]();
      if (isDamage(error)) return undefined;
      throw error;
    }
  }

  async #migrate(path: string): Promise<void> {
    const [row] = await this.all("PRAGMA user_version");
    const version = Number(row?.["user_version"] ?? 0);
    if (version > MIGRATIONS.length) {
      const versions = `version ${version}, and this Causeway knows ${MIGRATIONS.length}`;
      throw new CausewayError("STATE_NEWER", `${path} is of ${versions}`);
    }
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index >= version) await this.exec(`BEGIN; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT;`);
    }
  }

  exec(sql: string): Promise<void> {
    return this.#next((done) => this.#handle.exec(sql, (error) => done(error, undefined)));
  }

  /** Rows changed. */
  run(sql: string, parameters: readonly SqlValue[] = []): Promise<number> {
    return this.#next((done) => {
      this.#handle.run(sql, parameters, function (this: { changes: number } | undefined, error: Error | null) {
        // A statement that cannot even be prepared reports without a `this`.
        done(error, this?.changes ?? 0);
      });
    });
  }

  all(sql: string, parameters: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return this.#next((done) =>
      this.#handle.all(sql, parameters, (error: Error | null, rows: Row[]) => done(error, rows)),
    );
  }

  /** All of the statements or none of them. */
  async transaction(statements: readonly Statement[]): Promise<void> {
    const all = async (): Promise<void> => {
      await this.#do((done) => this.#handle.exec("BEGIN", (error) => done(error, undefined)));
      try {
        for (const [sql, parameters] of statements) {
          await this.#do((done) => this.#handle.run(sql, parameters, (error: Error | null) => done(error, undefined)));
        }
        await this.#do((done) => this.#handle.exec("COMMIT", (error) => done(error, undefined)));
      } catch (error) {
        // A full disk may have rolled it back already.
        await this.#do((done) => this.#handle.exec("ROLLBACK", (error) => done(error, undefined))).catch(
          () => undefined,
        );
        throw error;
      }
    };
    return this.#after(all);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#next((done) => this.#handle.close((error) => done(error, undefined)));
  }

  #next<T>(work: Work<T>): Promise<T> {
    return this.#after(() => this.#do(work));
  }

  #after<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run, run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #do<T>(work: Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work((error, result) => (error === null || error === undefined ? resolve(result) : reject(error)));
    });
  }
}

/** Keeps a second gateway off the folder of a state; the kernel takes it back from a process that was killed. */
export class StateLock implements AsyncDisposable {
  readonly #handle: sqlite3.Database;

  private constructor(handle: sqlite3.Database) {
    this.#handle = handle;
    handle.on("error", () => undefined);
  }

  /** `path` of a file of its own. Rejects with STATE_IN_USE or OUTBOX_UNAVAILABLE. */
  static async take(path: string, waitMs = BUSY_MS): Promise<StateLock> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const lock = new StateLock(await openHandle(path));
      await lock.#take(waitMs);
      return lock;
    } catch (error) {
      const code = isBusy(error) ? "STATE_IN_USE" : "OUTBOX_UNAVAILABLE";
      throw new CausewayError(code, `${path}: ${toError(error).message}`, { cause: error });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#handle.close(() => resolve()));
  }

  async #take(waitMs: number): Promise<void> {
    this.#handle.configure("busyTimeout", waitMs);
    try {
      await new Promise<void>((resolve, reject) => {
        // Held until the file is closed; nothing is ever written, so that a full disk is no obstacle.
        this.#handle.exec("PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE", (error) =>
          error === null ? resolve() : reject(error),
        );
      });
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }
}

type Work<T> = (done: (error: Error | null, result: T) => void) => void;

function openHandle(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const handle = new sqlite3.Database(path, (error) => (error === null ? resolve(handle) : reject(error)));
  });
}

function codeOf(error: unknown): unknown {
  return (toError(error) as Error & { code?: unknown }).code;
}

function isDamage(error: unknown): boolean {
  return codeOf(error) === "SQLITE_CORRUPT" || codeOf(error) === "SQLITE_NOTADB";
}

function isBusy(error: unknown): boolean {
  return codeOf(error) === "SQLITE_BUSY";
}

/** True when the file cannot grow: disk full or the configured limit. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === "SQLITE_FULL";
}
