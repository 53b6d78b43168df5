import { toHex, utf8Decode } from "../base/bytes.js";
import type { Clock } from "../base/clock.js";
import type { TracedFrame } from "./adapter.js";

interface Kept {
  readonly number: number;
  readonly atMs: number;
  readonly direction: "out" | "in";
  readonly bytes: Uint8Array;
  readonly text: string | undefined;
}

/** The last frames of a link, kept in memory at all times; they become text only when somebody looks. */
export class FrameTrace {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #textOf: (bytes: Uint8Array) => string | undefined;
  readonly #kept: Kept[] = [];
  #next = 0;
  #count = 0;

  /** `textOf` says how frames read for people that were added without a text; asked only when somebody looks. */
  constructor(clock: Clock, size = 64, textOf: (bytes: Uint8Array) => string | undefined = () => undefined) {
    this.#clock = clock;
    this.#size = size;
    this.#textOf = textOf;
  }

  /** Keeps the bytes as they are: the caller must not change them afterwards. */
  add(direction: "out" | "in", bytes: Uint8Array, text?: string): void {
    this.#kept[this.#next] = { number: ++this.#count, atMs: this.#clock.nowMs(), direction, bytes, text };
    this.#next = (this.#next + 1) % this.#size;
  }

  /** Oldest first. */
  frames(): TracedFrame[] {
    const inOrder = [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)];
    return inOrder.map(({ bytes, text = this.#textOf(bytes), ...frame }) => ({
      ...frame,
      hex: toHex(bytes),
      ...(text === undefined ? {} : { text }),
    }));
  }
}

/** Undefined for bytes that are no text; line ends and tabs are shown as such. */
export function printableText(bytes: Uint8Array): string | undefined {
  const text = utf8Decode(bytes);
  if (text === undefined || /[^\P{C}\r\n\t]/u.test(text)) return undefined;
  return text.replaceAll("\r", "\\r").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}
