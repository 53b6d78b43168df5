import { toHex } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import type { TracedFrame } from "./adapter.js";

interface Kept {
  readonly atMs: number;
  readonly direction: "out" | "in";
  readonly bytes: Uint8Array;
}

/** The last frames of a link, kept in memory at all times; they become text only when somebody looks. */
export class FrameTrace {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #kept: Kept[] = [];
  #next = 0;

  constructor(clock: Clock, size = 64) {
    this.#clock = clock;
    this.#size = size;
  }

  /** Keeps the bytes as they are: the caller must not change them afterwards. */
  add(direction: "out" | "in", bytes: Uint8Array): void {
    this.#kept[this.#next] = { atMs: this.#clock.nowMs(), direction, bytes };
    this.#next = (this.#next + 1) % this.#size;
  }

  /** Oldest first. */
  frames(): TracedFrame[] {
    const inOrder = [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)];
    return inOrder.map(({ atMs, direction, bytes }) => ({ atMs, direction, hex: toHex(bytes) }));
  }
}
