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
   * one begun. Rejects with OUTBOX_UNAVAILABLE.
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
      await database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;");
      const [check] = await database.all("PRAGMA quick_check(1)");
      if (check?.["quick_check"] !== "ok")
        throw Object.assign(new Error("quick_check failed"), { code: "SQLITE_CORRUPT" });
      await database.#migrate();
      return database;
    } catch (error) {
      await database[Symbol.asyncDispose]();
      if (isDamage(error)) return undefined;
      throw error;
    }
  }

  async #migrate(): Promise<void> {
    const [row] = await this.all("PRAGMA user_version");
    const version = Number(row?.["user_version"] ?? 0);
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

type Work<T> = (done: (error: Error | null, result: T) => void) => void;

function openHandle(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const handle = new sqlite3.Database(path, (error) => (error === null ? resolve(handle) : reject(error)));
  });
}

function isDamage(error: unknown): boolean {
  const code = toError(error) as Error & { code?: unknown };
  return code.code === "SQLITE_CORRUPT" || code.code === "SQLITE_NOTADB";
}

/** True when the file cannot grow: disk full or the configured limit. */
export function isFull(error: unknown): boolean {
  return (toError(error) as Error & { code?: unknown }).code === "SQLITE_FULL";
}
