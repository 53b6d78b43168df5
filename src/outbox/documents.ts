import type { Clock, Timer } from "../base/clock.js";
import { CausewayError, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { Database, Statement } from "./database.js";
import { type DocumentJournal, EndpointDocuments } from "./endpoint-documents.js";

const COMMIT_EVERY_MS = 500;
const RETRY_MS = 10_000;

/** What the clients of all endpoints keep over restarts, in the state database; many changes make one commit. */
export class Documents implements DocumentJournal, AsyncDisposable {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #byEndpoint = new Map<string, EndpointDocuments>();
  /** By document. */
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
      documents.of(String(row["endpoint"])).restore(String(row["section"]), String(row["key"]), String(row["body"]));
    }
    return documents;
  }

  /** What is kept of endpoints that are not exposed any more is forgotten. */
  keepEndpoints(endpoints: ReadonlySet<string>): void {
    for (const [endpoint, documents] of this.#byEndpoint) if (!endpoints.has(endpoint)) documents.forget();
  }

  forgetAll(): void {
    for (const documents of this.#byEndpoint.values()) documents.forget();
  }

  of(endpoint: string): EndpointDocuments {
    const known = this.#byEndpoint.get(endpoint);
    if (known !== undefined) return known;
    const documents = new EndpointDocuments(endpoint, this);
    this.#byEndpoint.set(endpoint, documents);
    return documents;
  }

  note(document: string, statement: Statement): void {
    this.#dirty.set(document, statement);
    this.#schedule(COMMIT_EVERY_MS);
  }

  commit(): Promise<void> {
    const commit = this.#committing.then(() => this.#write());
    this.#committing = commit.catch(() => undefined);
    return commit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What cannot be written now is lost; the log says why.
    await this.commit().catch(() => undefined);
    this.#state = "closed";
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(delayMs: number): void {
    if (this.#state === "closed") return;
    this.#timer ??= this.#clock.schedule(delayMs, () => {
      this.#timer = undefined;
      // The change of state has been logged, and it is tried again.
      this.commit().catch(() => undefined);
    });
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
}
