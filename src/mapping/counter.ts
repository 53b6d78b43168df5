/** How a counter's raw value becomes a total that is told. */
export interface CounterRule {
  /** The raw value begins again at 0 when it would reach this; for ever growing when absent. */
  readonly rollover?: number;
  /** A device that begins anew: the total follows it down, or goes on from where it was. */
  readonly onReset: "follow" | "continue";
}

export interface CounterState {
  /** Last raw value. */
  readonly raw: number;
  /** What is added to it. */
  readonly carried: number;
}

/** Keeps counters over restarts of the gateway. */
export interface CounterMemory {
  /** By point; what another profile has counted is not there. Called once for each device, before `keep`. */
  load(device: string, profile: string): ReadonlyMap<string, CounterState>;
  keep(device: string, point: string, state: CounterState): void;
}

export interface Counted {
  readonly state: CounterState;
  readonly event: "grown" | "rollover" | "reset" | "corrected";
}

/**
 * A fall by more than half the range is a roll-over; to less than half of what it was, a device that began anew; any
 * other a correction, or noise of a float. The total is `state.raw + state.carried`.
 */
export function nextCount(before: CounterState | undefined, raw: number, { rollover, onReset }: CounterRule): Counted {
  if (before === undefined) return { state: { raw, carried: 0 }, event: "grown" };
  const { carried } = before;
  if (raw >= before.raw) return { state: { raw, carried }, event: "grown" };
  if (rollover !== undefined && before.raw - raw > rollover / 2) {
    return { state: { raw, carried: carried + rollover }, event: "rollover" };
  }
  if (raw >= before.raw / 2) return { state: { raw, carried }, event: "corrected" };
  return { state: { raw, carried: onReset === "continue" ? carried + before.raw : 0 }, event: "reset" };
}
