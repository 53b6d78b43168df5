import type { Clock, Timer } from "../base/clock.js";
import type { Scope } from "../base/scope.js";

interface Entry {
  dueMs: number;
  readonly periodMs: number;
  readonly phaseMs: number;
  readonly slot: () => void;
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

  /** `name` fixes the phase; `slot` must not throw. */
  every(wantedPeriodMs: number, name: string, slot: () => void): void {
    // Whole milliseconds keep the grid exact: a rounding error could bring the same slot twice.
    const periodMs = Math.max(1, Math.round(wantedPeriodMs));
    const phaseMs = Math.floor(phaseOf(name) * periodMs);
    const dueMs = nextSlotMs(this.#clock.monotonicMs(), periodMs, phaseMs);
    this.#push({ dueMs, periodMs, phaseMs, slot });
    if (this.#heap[0]?.dueMs === dueMs) this.#arm();
  }

  #run(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let entry = this.#heap[0]; entry !== undefined && entry.dueMs <= nowMs; entry = this.#heap[0]) {
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
