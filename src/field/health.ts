/** `unknown` until the device has answered or been silent for long enough. */
export type HealthState = "unknown" | "online" | "offline";

/** All times are of the monotonic clock. */
export interface Health {
  readonly state: HealthState;
  /** Exchanges without an answer since the last one with. */
  readonly failures: number;
  /** Of the last answer, at first of the start. */
  readonly answeredAtMs: number;
  readonly sinceMs: number;
  /** While offline: how long to wait before the next probe. */
  readonly probePauseMs: number;
}

export interface HealthLimits {
  /** Offline takes this many exchanges without an answer … */
  readonly failures: number;
  /** … and this long without one. */
  readonly silentMs: number;
}

export const HEALTH_LIMITS: HealthLimits = { failures: 2, silentMs: 3000 };

const PROBE_STEP_MS = 500;
const PROBE_PAUSE_MAX_MS = 10_000;
const LONG_OFFLINE_MS = 300_000;
const LONG_OFFLINE_PAUSE_MS = 60_000;

export function initialHealth(nowMs: number): Health {
  return { state: "unknown", failures: 0, answeredAtMs: nowMs, sinceMs: nowMs, probePauseMs: PROBE_STEP_MS };
}

/**
 * What an exchange says of the device. An `answer` is anything the device itself sent, also a refusal; `failure` is
 * silence or damage; `gone` is the certain word of somebody that it is away.
 */
export function nextHealth(
  health: Health,
  event: "answer" | "failure" | "gone",
  nowMs: number,
  limits: HealthLimits = HEALTH_LIMITS,
): Health {
  if (event === "answer") {
    const sinceMs = health.state === "online" ? health.sinceMs : nowMs;
    return { state: "online", failures: 0, answeredAtMs: nowMs, sinceMs, probePauseMs: PROBE_STEP_MS };
  }
  const failures = health.failures + 1;
  if (health.state === "offline") return { ...health, failures, probePauseMs: longerPauseMs(health, nowMs) };
  const silent = failures >= limits.failures && nowMs - health.answeredAtMs >= limits.silentMs;
  const gone = event === "gone" || silent;
  return gone ? { ...health, failures, state: "offline", sinceMs: nowMs } : { ...health, failures };
}

function longerPauseMs(health: Health, nowMs: number): number {
  if (nowMs - health.sinceMs >= LONG_OFFLINE_MS) return LONG_OFFLINE_PAUSE_MS;
  return Math.min(health.probePauseMs + PROBE_STEP_MS, PROBE_PAUSE_MAX_MS);
}
