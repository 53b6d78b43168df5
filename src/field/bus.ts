import type { TracedFrame } from "./adapter.js";
import type { Quality } from "./reading.js";

export interface BusStatus {
  /** The adapter's key of the medium, e.g. the path of the serial port. */
  readonly medium: string;
  /** Names of the configured links that share the medium. */
  readonly links: readonly string[];
  readonly state: "opening" | "up" | "down";
  /** Why it is down: an error code of the table, and for people. */
  readonly fault?: { readonly code: string; readonly message: string };
  /** Wall clock since when the state holds. */
  readonly sinceMs: number;
  readonly exchanges: number;
  /** Readings' qualities that were not good, counted per exchange. */
  readonly faults: Readonly<Partial<Record<Quality, number>>>;
  /** Time that exchanges took in all. */
  readonly busyMs: number;
  readonly queued: number;
  /** How often the link was opened. */
  readonly opened: number;
  readonly trace: readonly TracedFrame[];
}
