import { type CoapParameters, DEFAULT_PARAMETERS, maxTransmitWaitMs } from "./parameters.js";

/** What of the transmission parameters may be set while the gateway runs. */
export type Transmission = Pick<
  CoapParameters,
  "ackTimeoutMs" | "ackRandomFactor" | "maxRetransmit" | "nstart" | "separateResponseMs"
>;

const MINUTE_MS = 60_000;
const MAX_WAIT_MS = 60 * MINUTE_MS;

/** Inclusive. */
export const TRANSMISSION_RANGES: Readonly<Record<keyof Transmission, readonly [min: number, max: number]>> = {
  ackTimeoutMs: [1000, MINUTE_MS],
  ackRandomFactor: [1, 3],
  maxRetransmit: [0, 10],
  nstart: [1, 64],
  separateResponseMs: [1000, MAX_WAIT_MS],
};

/** The transmission parameters that connections begin with from now on; those that stand keep theirs. */
export class CoapSettings {
  #current: Transmission;

  constructor(changes: Partial<Transmission> = {}) {
    const { ackTimeoutMs, ackRandomFactor, maxRetransmit, nstart, separateResponseMs } = DEFAULT_PARAMETERS;
    this.#current = { ackTimeoutMs, ackRandomFactor, maxRetransmit, nstart, separateResponseMs, ...changes };
  }

  get current(): Transmission {
    return this.#current;
  }

  apply(changes: Transmission): void {
    this.#current = changes;
  }
}

/** Undefined when together they make sense: a server that has gone must be noticed within an hour. */
export function transmissionProblem(changes: Transmission): string | undefined {
  for (const [name, [min, max]] of Object.entries(TRANSMISSION_RANGES)) {
    const value = changes[name as keyof Transmission];
    if (!(value >= min && value <= max)) return `${name} must be ${min} to ${max}`;
  }
  const waitMs = maxTransmitWaitMs({ ...DEFAULT_PARAMETERS, ...changes });
  return waitMs > MAX_WAIT_MS ? "the last retransmission would be more than an hour after the first" : undefined;
}
