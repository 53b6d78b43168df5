/** What can be kept: values of the model go through `jsonOfValue`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * `accounts`: which configuration the accounts came from. `instances`: object instances that outlive the process, by
 * path. `attributes`: what servers have attached. `registrations` and `observations`: what servers know of the client.
 * `refusals`: which reads devices of the field refuse. `counters`: where counters of the field stand.
 */
export type StateSection =
  | "accounts"
  | "instances"
  | "attributes"
  | "registrations"
  | "observations"
  | "refusals"
  | "counters";

/** What one client keeps over restarts: small documents by section and key. */
export interface ClientState {
  /** What is kept now, by key. */
  load(section: StateSection): ReadonlyMap<string, Json>;
  /** Replaces the document; it is on disk within a second, or when `commit` resolves. */
  put(section: StateSection, key: string, document: Json): void;
  /** Unknown keys are ignored. */
  remove(section: StateSection, key: string): void;
  /** Resolves when all that was put and removed before is on disk; rejects with OUTBOX_UNAVAILABLE. */
  commit(): Promise<void>;
}

/** Keeps documents in memory only, for a client that begins anew each time. */
export class MemoryState implements ClientState {
  readonly #sections = new Map<StateSection, Map<string, Json>>();

  load(section: StateSection): ReadonlyMap<string, Json> {
    return new Map(this.#sections.get(section));
  }

  put(section: StateSection, key: string, document: Json): void {
    const documents = this.#sections.get(section) ?? new Map<string, Json>();
    documents.set(key, document);
    this.#sections.set(section, documents);
  }

  remove(section: StateSection, key: string): void {
    this.#sections.get(section)?.delete(key);
  }

  async commit(): Promise<void> {
    // Nothing outlives the process.
  }
}
