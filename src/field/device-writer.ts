import { abortable, type Clock, sleep } from "../base/clock.js";
import { CausewayError, type ErrorCode, toError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { Point, Station, WriteTerms } from "./adapter.js";
import type { Bus } from "./bus.js";
import { type FaultQuality, type Reading, type Scalar, sameScalar } from "./reading.js";
import { SpokenConfirmation } from "./spoken-confirmation.js";

export interface DeviceWriterOptions {
  readonly name: string;
  readonly station: Station<unknown>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly fit: (point: Point<unknown>, value: Scalar) => Scalar;
  readonly terms: (point: Point<unknown>) => WriteTerms;
  /** Whether the point is asked for; others are learned by what the station says on its own. */
  readonly isPolled: (point: Point<unknown>) => boolean;
  /** What was read back. */
  readonly onReadings: (readings: readonly Reading[]) => void;
  readonly onOutcome: (outcome: "answer" | "failure") => void;
}

/** A write that has not begun after so long is not carried out any more. */
const WRITE_TTL_MS = 10_000;
/** Devices that take a value over late are asked once more. */
const SECOND_READ_BACK_MS = 250;
/** A station that cannot be asked tells of a new value within this, if its profile does not say. */
const SPOKEN_CONFIRMATION_MS = 5000;
/** Longer text is cut in the log. */
const LOGGED_LENGTH = 64;

const CODE_OF_QUALITY: Partial<Record<FaultQuality, ErrorCode>> = {
  timeout: "FIELD_TIMEOUT",
  crc: "FIELD_GARBLED",
  exception: "FIELD_EXCEPTION",
};

/** The writes of one device: how often they may be, how they are confirmed, and that the log tells of each. */
export class DeviceWriter {
  readonly #options: DeviceWriterOptions;
  readonly #confirmations = new Set<SpokenConfirmation>();
  readonly #writtenAtMs = new Map<string, number>();

  constructor(options: DeviceWriterOptions) {
    this.#options = options;
  }

  /** Returns when the device has confirmed; see Field.write. */
  async write(point: Point<unknown>, value: Scalar, origin: string, signal: AbortSignal): Promise<void> {
    const { name, log } = this.#options;
    const facts = { device: name, point: point.name, value: String(value).slice(0, LOGGED_LENGTH), origin };
    try {
      await this.#write(point, value, signal);
      log.info("written", { ...facts, result: "confirmed" });
    } catch (error) {
      const result = error instanceof CausewayError ? error.code : "given up";
      log.warn("not written", { ...facts, result, reason: toError(error).message });
      throw error;
    }
  }

  /** What the profile says that the device is told first; `silent` when it does not answer. */
  async setUp(signal: AbortSignal): Promise<"done" | "silent"> {
    const { name, station, bus, log } = this.#options;
    for (const { point, value } of station.traits.setup ?? []) {
      try {
        await bus.write(station, point, this.#options.fit(point, value), WRITE_TTL_MS, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isRefusal(error)) return "silent";
        log.warn("device refuses its setup", { device: name, point: point.name, reason: toError(error).message });
      }
    }
    return "done";
  }

  /** What the station said, which may confirm a write. */
  hear(readings: readonly Reading[]): void {
    for (const confirmation of this.#confirmations) confirmation.hear(readings);
  }

  async #write(point: Point<unknown>, value: Scalar, signal: AbortSignal): Promise<void> {
    const { station, bus, terms, isPolled, onOutcome } = this.#options;
    const wanted = this.#options.fit(point, value);
    const { readBack, minIntervalMs } = terms(point);
    this.#keepInterval(point.name, minIntervalMs);
    if (!isPolled(point)) return await this.#writeUnasked(point, wanted, readBack, signal);
    try {
      await bus.write(station, point, wanted, WRITE_TTL_MS, signal);
    } catch (error) {
      if (error instanceof CausewayError && error.code === "FIELD_TIMEOUT") onOutcome("failure");
      throw error;
    }
    onOutcome("answer");
    if (point.access !== "rw" || readBack === "none") return;
    if (readBack.delayMs > 0) await sleep(this.#options.clock, readBack.delayMs, signal);
    await this.#confirm(point, wanted, signal);
  }

  #keepInterval(point: string, minIntervalMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const waitMs = (this.#writtenAtMs.get(point) ?? Number.NEGATIVE_INFINITY) + minIntervalMs - nowMs;
    if (waitMs > 0) {
      const place = `${this.#options.name}.${point}`;
      throw new CausewayError("FIELD_BUSY", `${place} may be written again in ${Math.ceil(waitMs)} ms`);
    }
    if (minIntervalMs > 0) this.#writtenAtMs.set(point, nowMs);
  }

  /** An acknowledgement is then not the station's own, but that of who passes it on. */
  async #writeUnasked(
    point: Point<unknown>,
    wanted: Scalar,
    readBack: WriteTerms["readBack"],
    signal: AbortSignal,
  ): Promise<void> {
    const { name, station, bus, clock } = this.#options;
    const confirmation = new SpokenConfirmation(point, wanted);
    this.#confirmations.add(confirmation);
    try {
      await bus.write(station, point, wanted, WRITE_TTL_MS, signal);
      if (point.access !== "rw" || readBack === "none") return;
      const { responseTimeoutMs = SPOKEN_CONFIRMATION_MS } = station.traits;
      await confirmation.wait(name, responseTimeoutMs, clock, signal);
    } finally {
      this.#confirmations.delete(confirmation);
    }
  }

  async #confirm(point: Point<unknown>, wanted: Scalar, signal: AbortSignal): Promise<void> {
    const { bus, station, clock, name, onReadings } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const readings = await abortable(bus.read(station, [point], "read-back"), signal);
      onReadings(readings);
      const reading = readings[0];
      const place = `${name}.${point.name}`;
      if (reading === undefined) throw new CausewayError("FIELD_NOT_CONFIRMED", `${place} was not read back`);
      if ("reason" in reading) {
        const code = CODE_OF_QUALITY[reading.quality] ?? "FIELD_NOT_CONFIRMED";
        throw new CausewayError(code, `${place} was written but cannot be read back: ${reading.reason}`);
      }
      if (sameScalar(reading.value, wanted)) return;
      if (attempt > 0) {
        const facts = { wanted: String(wanted), found: String(reading.value) };
        throw new CausewayError("FIELD_NOT_CONFIRMED", `${place} took ${facts.found}, not ${facts.wanted}`, { facts });
      }
      await sleep(clock, SECOND_READ_BACK_MS, signal);
    }
  }
}

/** The device is there, and does not want it; asking again would not help. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof CausewayError ? error.code : undefined;
  return code === "FIELD_EXCEPTION" || code === "FIELD_NOT_WRITABLE" || code === "VALUE_INVALID";
}
