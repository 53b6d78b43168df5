import type { Value } from "../lwm2m/value.js";

/**
 * Compares what the gateway took from the field with what the server got. A value that did not change makes no
 * notification, so only changes are expected.
 */
export class Tally {
  readonly #last = new Map<string, string>();
  readonly #missing = new Map<string, number>();
  #missingCount = 0;

  /** Changes that the server has not got, so far. */
  get missing(): number {
    return this.#missingCount;
  }

  measured(path: string, value: Value): void {
    const text = normal(String(value));
    if (this.#last.get(path) === text) return;
    this.#last.set(path, text);
    this.#add(`${path}=${text}`, 1);
  }

  received(path: string, value: string): void {
    const key = `${path}=${normal(value)}`;
    if ((this.#missing.get(key) ?? 0) > 0) this.#add(key, -1);
  }

  #add(key: string, count: number): void {
    this.#missing.set(key, (this.#missing.get(key) ?? 0) + count);
    this.#missingCount += count;
  }
}

/** Text formats write booleans as 0 and 1, and numbers in more than one way. */
function normal(text: string): string {
  if (text === "true") return "1";
  if (text === "false") return "0";
  return text !== "" && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}
