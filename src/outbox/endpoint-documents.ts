import type { ClientState, Json, StateSection } from "../lwm2m/state/client-state.js";
import type { Statement } from "./database.js";

/** Where changes of documents go on their way to the disk. */
export interface DocumentJournal {
  /** Of two statements of one `document` only the later one counts. */
  note(document: string, statement: Statement): void;
  /** Resolves when all of before is on disk; rejects with OUTBOX_UNAVAILABLE. */
  commit(): Promise<void>;
}

/** What the client of one endpoint keeps over restarts. */
export class EndpointDocuments implements ClientState {
  readonly #endpoint: string;
  readonly #journal: DocumentJournal;
  /** JSON by `SECTION/KEY`: there are hundreds of endpoints with few documents each, and a map per section would cost more. */
  readonly #bodies = new Map<string, string>();

  constructor(endpoint: string, journal: DocumentJournal) {
    this.#endpoint = endpoint;
    this.#journal = journal;
  }

  /** What the disk has already. */
  restore(section: string, key: string, body: string): void {
    this.#bodies.set(`${section}/${key}`, body);
  }

  load(section: StateSection): ReadonlyMap<string, Json> {
    const prefix = `${section}/`;
    const loaded = new Map<string, Json>();
    for (const [name, body] of this.#bodies) {
      if (name.startsWith(prefix)) loaded.set(name.slice(prefix.length), JSON.parse(body));
    }
    return loaded;
  }

  put(section: StateSection, key: string, document: Json): void {
    const name = `${section}/${key}`;
    const body = JSON.stringify(document);
    if (this.#bodies.get(name) === body) return;
    this.#bodies.set(name, body);
    const sql = "INSERT OR REPLACE INTO documents (endpoint, section, key, body) VALUES (?, ?, ?, ?)";
    this.#note(name, [sql, [this.#endpoint, section, key, body]]);
  }

  remove(section: StateSection, key: string): void {
    this.#delete(`${section}/${key}`);
  }

  commit(): Promise<void> {
    return this.#journal.commit();
  }

  /** Removes all of them. */
  forget(): void {
    for (const name of [...this.#bodies.keys()]) this.#delete(name);
  }

  #delete(name: string): void {
    if (!this.#bodies.delete(name)) return;
    const [section = ""] = name.split("/", 1);
    const sql = "DELETE FROM documents WHERE endpoint = ? AND section = ? AND key = ?";
    this.#note(name, [sql, [this.#endpoint, section, name.slice(section.length + 1)]]);
  }

  #note(name: string, statement: Statement): void {
    this.#journal.note(JSON.stringify([this.#endpoint, name]), statement);
  }
}
