import type { Clock } from "../base/clock.js";
import { CausewayError, type ErrorCode } from "../base/errors.js";
import type { Priority } from "./queue.js";
import type { Quality, Reading } from "./reading.js";
import { Utilisation } from "./utilisation.js";

const QUALITY_OF_ERROR: Partial<Record<ErrorCode, Quality>> = {
  FIELD_TIMEOUT: "timeout",
  FIELD_GARBLED: "crc",
  FIELD_EXCEPTION: "exception",
  FIELD_BUSY: "exception",
};

/** Probes of dead devices may take this share of the time while others use the bus. */
const PROBE_SHARE = 0.1;
const SHARED_WITHIN_MS = 10_000;
/** A link on which nothing answered for so long, and so often, is opened anew; each time later. */
const SILENT_MS = 30_000;
const SILENT_MAX_MS = 600_000;
const SILENT_EXCHANGES = 5;

/** Counts what happens on a bus, and decides from it when probes may run and when the link is silent. */
export class BusMeter {
  readonly #clock: Clock;
  readonly #faults: Partial<Record<Quality, number>> = {};
  readonly #utilisation: Utilisation;
  #exchanges = 0;
  #busyMs = 0;
  #openings = 0;
  #sinceMs: number;
  #answered = false;
  #answeredAtMs = 0;
  #silentExchanges = 0;
  #silentReopens = 0;
  #probeFromMs = 0;
  #polledAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
    this.#utilisation = new Utilisation(clock);
  }

  /** Whether any station has answered since the link was opened. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Whether the link was opened anew for silence and nothing has answered since. */
  get isSilent(): boolean {
    return this.#silentReopens > 0;
  }

  opened(): void {
    this.#openings++;
    this.#sinceMs = this.#clock.nowMs();
    this.#answered = false;
    this.#answeredAtMs = this.#clock.monotonicMs();
    this.#silentExchanges = 0;
  }

  closed(): void {
    this.#sinceMs = this.#clock.nowMs();
    this.#answered = false;
  }

  /** One exchange came back with these; none means that it was a write, acknowledged. */
  countReadings(readings: readonly Reading[]): void {
    const fault = readings.find((reading) => reading.quality !== "good" && reading.quality !== "manual");
    this.#countOutcome(fault?.quality);
  }

  countError(error: unknown): void {
    this.#countOutcome(error instanceof CausewayError ? (QUALITY_OF_ERROR[error.code] ?? "invalid") : "invalid");
  }

  countExchange(priority: Priority, tookMs: number): void {
    this.#exchanges++;
    this.#busyMs += tookMs;
    this.#utilisation.add(tookMs);
    const nowMs = this.#clock.monotonicMs();
    if (priority !== "probe") this.#polledAtMs = nowMs;
    else if (nowMs - this.#polledAtMs < SHARED_WITHIN_MS) this.#probeFromMs = nowMs + tookMs * (1 / PROBE_SHARE - 1);
  }

  /** How long until a probe may run, so that dead devices do not slow the living; 0 for now. */
  probeWaitMs(): number {
    return Math.max(0, this.#probeFromMs - this.#clock.monotonicMs());
  }

  /** Why the link should be opened anew although it looks open; undefined while it is fine. */
  silence(): string | undefined {
    const limitMs = Math.min(SILENT_MS * 2 ** this.#silentReopens, SILENT_MAX_MS);
    const silentMs = this.#clock.monotonicMs() - this.#answeredAtMs;
    if (this.#silentExchanges < SILENT_EXCHANGES || silentMs < limitMs) return undefined;
    this.#silentReopens++;
    return `no station has answered for ${Math.round(silentMs / 1000)} s`;
  }

  snapshot() {
    return {
      sinceMs: this.#sinceMs,
      exchanges: this.#exchanges,
      faults: { ...this.#faults },
      busyMs: this.#busyMs,
      utilisation: this.#utilisation.share,
      opened: this.#openings,
    };
  }

  #countOutcome(fault: Quality | undefined): void {
    if (fault !== undefined) this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
    if (fault === "timeout") {
      this.#silentExchanges++;
      return;
    }
    this.#answered = true;
    this.#answeredAtMs = this.#clock.monotonicMs();
    this.#silentExchanges = 0;
    this.#silentReopens = 0;
  }
}
