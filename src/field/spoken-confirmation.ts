import { type Clock, withinTime } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Point } from "./point.js";
import { type Reading, type Scalar, sameScalar } from "./reading.js";

/** A write to a station that cannot be asked: it is confirmed by what the station says on its own afterwards. */
export class SpokenConfirmation {
  readonly #point: string;
  readonly #wanted: Scalar;
  readonly #confirmed: Promise<void>;
  #confirm: () => void = () => undefined;
  #last: Reading | undefined;

  /** To be made before the write, since the station may be quicker than the acknowledgement. */
  constructor(point: Point<unknown>, wanted: Scalar) {
    this.#point = point.name;
    this.#wanted = wanted;
    this.#confirmed = new Promise((resolve) => {
      this.#confirm = resolve;
    });
  }

  hear(readings: readonly Reading[]): void {
    const reading = readings.find(({ point }) => point === this.#point);
    if (reading === undefined) return;
    this.#last = reading;
    if (!("reason" in reading) && sameScalar(reading.value, this.#wanted)) this.#confirm();
  }

  /**
   * Rejects with FIELD_TIMEOUT when the station says nothing of the point, FIELD_NOT_CONFIRMED when it says something
   * else, or the signal's reason.
   */
  async wait(device: string, timeoutMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    await withinTime(this.#confirmed, timeoutMs, () => this.#failure(device, timeoutMs), clock, signal);
  }

  #failure(device: string, timeoutMs: number): CausewayError {
    const place = `${device}.${this.#point}`;
    const last = this.#last;
    if (last === undefined) {
      return new CausewayError("FIELD_TIMEOUT", `${place} was written but not told of within ${timeoutMs} ms`);
    }
    if ("reason" in last) {
      return new CausewayError("FIELD_NOT_CONFIRMED", `${place} was written but then told: ${last.reason}`);
    }
    const facts = { wanted: String(this.#wanted), found: String(last.value) };
    return new CausewayError("FIELD_NOT_CONFIRMED", `${place} took ${facts.found}, not ${facts.wanted}`, { facts });
  }
}
