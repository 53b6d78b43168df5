import type { Clock, Timer } from "../base/clock.js";
import type { Scope } from "../base/scope.js";

interface Entry {
  dueMs: number;
  readonly periodMs: number;
  readonly phaseMs: number;
  /** Undefined after it was cancelled; it leaves the heap with the others when they are the most. */
  slot: (() => void) | undefined;
}

/** The first time after `nowMs` that lies on the grid of the phase; slots that were missed are left out. */
export function nextSlotMs(nowMs: number, periodMs: number, phaseMs: number): number {
  return (Math.floor((nowMs - phaseMs) / periodMs) + 1) * periodMs + phaseMs;
}

/** Spreads names evenly over 0 ≤ x < 1, the same at every start (FNV-1a with a final mix). */
export function phaseOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** Calls each slot on its own fixed grid; one timer and one heap, however many there are. */
export class Poller {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  /** Entries that were cancelled and are still in the heap. */
  #cancelled = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, scope: Scope) {
    this.#clock = clock;
    scope.defer(() => {
      this.#closed = true;
      this.#timer?.cancel();
      this.#heap.length = 0;
    });
  }

  /** `name` fixes the phase; `slot` must not throw, and is called until the result is disposed of. */
  every(wantedPeriodMs: number, name: string, slot: () => void): Disposable {
    // Whole milliseconds keep the grid exact: a rounding error could bring the same slot twice.
    const periodMs = Math.max(1, Math.round(wantedPeriodMs));
    const phaseMs = Math.floor(phaseOf(name) * periodMs);
    const dueMs = nextSlotMs(this.#clock.monotonicMs(), periodMs, phaseMs);
    const entry: Entry = { dueMs, periodMs, phaseMs, slot };
    this.#push(entry);
    if (this.#heap[0]?.dueMs === dueMs) this.#arm();
    return {
      [Symbol.dispose]: () => {
        if (entry.slot === undefined) return;
        entry.slot = undefined;
        this.#cancelled++;
        if (2 * this.#cancelled > this.#heap.length) this.#clear();
      },
    };
  }

  /** Slots far off would stay for days. */
  #clear(): void {
    const live = this.#heap.filter(({ slot }) => slot !== undefined);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const entry of live) this.#push(entry);
    this.#arm();
  }

  #run(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let entry = this.#heap[0]; entry !== undefined && entry.dueMs <= nowMs; entry = this.#heap[0]) {
      if (entry.slot === undefined) {
        this.#removeFirst();
        this.#cancelled--;
        continue;
      }
      entry.dueMs = nextSlotMs(nowMs, entry.periodMs, entry.phaseMs);
      this.#siftDown();
      entry.slot();
    }
    this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    const first = this.#heap[0];
    if (first === undefined || this.#closed) return;
    this.#timer = this.#clock.schedule(first.dueMs - this.#clock.monotonicMs(), () => this.#run());
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.dueMs <= entry.dueMs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown();
  }

  #siftDown(): void {
    const heap = this.#heap;
    const entry = heap[0];
    if (entry === undefined) return;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const lesser = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (lesser === undefined || lesser.dueMs >= entry.dueMs) break;
      heap[index] = lesser;
      index = lesser === left ? 2 * index + 1 : 2 * index + 2;
    }
    heap[index] = entry;
  }
}
