export interface BackOff {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Share of each delay that is drawn at random, 0 to 1, so that many gateways do not return in step. */
  readonly jitter: number;
}

/** Delay before attempt number `attempt` (0 is the first retry). `random` returns 0 ≤ x < 1. */
export function backOffMs(backOff: BackOff, attempt: number, random: () => number): number {
  const fullMs = Math.min(backOff.maxMs, backOff.firstMs * backOff.factor ** attempt);
  return Math.round(fullMs * (1 - backOff.jitter * random()));
}
