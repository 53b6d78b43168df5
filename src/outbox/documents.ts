import type { Clock, Timer } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { ClientState, Json, StateSection } from "../lwm2m/state/client-state.js";
import type { Database, Statement } from "./database.js";

const COMMIT_EVERY_MS = 500;
const RETRY_MS = 10_000;

/** Documents of one endpoint as they are kept: JSON by key, by section. */
type Sections = Map<string, Map<string, string>>;

/** What the clients of all endpoints keep over restarts, in the state database; many changes make one commit. */
export class Documents implements AsyncDisposable {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #byEndpoint = new Map<string, Sections>();
  /** By endpoint, section and key as JSON; only the last change of a document counts. */
  #dirty = new Map<string, Statement>();
  #timer: Timer | undefined;
  #committing: Promise<void> = Promise.resolve();
  #state: "writing" | "refused" | "closed" = "writing";

  private constructor(database: Database, clock: Clock, log: Log) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads everything that is kept. */
  static async open(database: Database, clock: Clock, log: Log): Promise<Documents> {
    const documents = new Documents(database, clock, log);
    for (const row of await database.all("SELECT endpoint, section, key, body FROM documents")) {
      const section = documents.#section(String(row["endpoint"]), String(row["section"]));
      section.set(String(row["key"]), String(row["body"]));
    }
    return documents;
  }

  /** What is kept of endpoints that are not exposed any more is forgotten. */
  keepEndpoints(endpoints: ReadonlySet<string>): void {
    for (const endpoint of [...this.#byEndpoint.keys()].filter((name) => !endpoints.has(name))) this.#forget(endpoint);
  }

  forgetAll(): void {
    for (const endpoint of this.#byEndpoint.keys()) this.#forget(endpoint);
  }

  of(endpoint: string): ClientState {
    return {
      load: (section) => this.#load(endpoint, section),
      put: (section, key, document) => this.#put(endpoint, section, key, document),
      remove: (section, key) => this.#remove(endpoint, section, key),
      commit: () => this.#commit(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What cannot be written now is lost; the log says why.
    await this.#commit().catch(() => undefined);
    this.#state = "closed";
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #forget(endpoint: string): void {
    for (const [section, documents] of this.#byEndpoint.get(endpoint) ?? []) {
      for (const key of [...documents.keys()]) this.#remove(endpoint, section, key);
    }
  }

  #load(endpoint: string, section: StateSection): ReadonlyMap<string, Json> {
    const loaded = new Map<string, Json>();
    for (const [key, body] of this.#byEndpoint.get(endpoint)?.get(section) ?? []) loaded.set(key, JSON.parse(body));
    return loaded;
  }

  #put(endpoint: string, section: StateSection, key: string, document: Json): void {
    const body = JSON.stringify(document);
    const documents = this.#section(endpoint, section);
    if (documents.get(key) === body) return;
    documents.set(key, body);
    const sql = "INSERT OR REPLACE INTO documents (endpoint, section, key, body) VALUES (?, ?, ?, ?)";
    this.#change(endpoint, section, key, [sql, [endpoint, section, key, body]]);
  }

  #remove(endpoint: string, section: string, key: string): void {
    if (this.#byEndpoint.get(endpoint)?.get(section)?.delete(key) !== true) return;
    const sql = "DELETE FROM documents WHERE endpoint = ? AND section = ? AND key = ?";
    this.#change(endpoint, section, key, [sql, [endpoint, section, key]]);
  }

  #change(endpoint: string, section: string, key: string, statement: Statement): void {
    this.#dirty.set(JSON.stringify([endpoint, section, key]), statement);
    this.#schedule(COMMIT_EVERY_MS);
  }

  #schedule(delayMs: number): void {
    if (this.#state === "closed") return;
    this.#timer ??= this.#clock.schedule(delayMs, () => {
      this.#timer = undefined;
      // The change of state has been logged, and it is tried again.
      this.#commit().catch(() => undefined);
    });
  }

  #commit(): Promise<void> {
    const commit = this.#committing.then(() => this.#write());
    this.#committing = commit.catch(() => undefined);
    return commit;
  }

  async #write(): Promise<void> {
    if (this.#dirty.size === 0) return;
    const batch = this.#dirty;
    this.#dirty = new Map();
    try {
      await this.#database.transaction([...batch.values()]);
      if (this.#state === "refused") this.#log.info("the state of the clients is written again");
      if (this.#state === "refused") this.#state = "writing";
    } catch (error) {
      this.#dirty = new Map([...batch, ...this.#dirty]);
      if (this.#state === "writing") {
        this.#log.error("the state of the clients cannot be written", { error: toError(error) });
        this.#state = "refused";
      }
      this.#schedule(RETRY_MS);
      throw new CausewayError("OUTBOX_UNAVAILABLE", toError(error).message, { cause: error });
    }
  }

  #section(endpoint: string, section: string): Map<string, string> {
    const sections = this.#byEndpoint.get(endpoint) ?? (new Map() as Sections);
    this.#byEndpoint.set(endpoint, sections);
    const documents = sections.get(section) ?? new Map<string, string>();
    sections.set(section, documents);
    return documents;
  }
}
