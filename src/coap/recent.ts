import type { Clock, Timer } from "../base/clock.js";

interface Entry<V> {
  readonly value: V;
  usedMs: number;
}

/** Values by key, bounded in count (the least recently used goes) and in time since the last use. */
export class Recent<K, V> implements Disposable {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #idleMs: number;
  /** In order of last use. */
  readonly #entries = new Map<K, Entry<V>>();
  #timer: Timer | undefined;

  constructor(clock: Clock, limit: number, idleMs: number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** From the least recently used on, with the age of the last use. */
  *ages(): Iterable<{ readonly key: K; readonly value: V; readonly idleMs: number }> {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { value, usedMs }] of this.#entries) yield { key, value, idleMs: nowMs - usedMs };
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, usedMs: this.#clock.monotonicMs() });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limit) break;
      this.#entries.delete(oldest);
    }
    this.#timer ??= this.#clock.schedule(this.#idleMs, () => this.#sweep());
  }

  /** Counts as a use. */
  touch(key: K): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.set(key, entry.value);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#entries.clear();
  }

  #sweep(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { usedMs }] of this.#entries) {
      const remainingMs = usedMs + this.#idleMs - nowMs;
      if (remainingMs > 0) {
        this.#timer = this.#clock.schedule(remainingMs, () => this.#sweep());
        return;
      }
      this.#entries.delete(key);
    }
  }
}
