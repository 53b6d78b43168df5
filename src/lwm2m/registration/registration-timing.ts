/** Registration and retry parameters as the Server object gives them (OMA LwM2M Core 1.2 §6.2.1.1). */
export interface RegistrationTiming {
  /** /1/x/1; 0 never expires. */
  readonly lifetimeS: number;
  /** /1/x/5 */
  readonly disableTimeoutS: number;
  /** /1/x/14 */
  readonly initialDelayS: number;
  /** /1/x/17: attempts in one sequence. */
  readonly retryCount: number;
  /** /1/x/18: the wait after attempt n is this times 2^(n-1). */
  readonly retryTimerS: number;
  /** /1/x/19: the wait between sequences. */
  readonly sequenceDelayS: number;
  /** /1/x/20 */
  readonly sequenceRetryCount: number;
}

/** Where the Server object says nothing (Table 6.2.1.1-1, Appendix E.2). */
export const TIMING_DEFAULTS: Omit<RegistrationTiming, "lifetimeS"> = {
  disableTimeoutS: 86_400,
  initialDelayS: 0,
  retryCount: 5,
  retryTimerS: 60,
  sequenceDelayS: 86_400,
  sequenceRetryCount: 1,
};

/** `nowMs` is wall clock. */
export interface RegistrationMoment extends RegistrationTiming {
  readonly nowMs: number;
}

/** How often it was tried since the last success. */
export interface Tries {
  /** Counts from 1, within the sequence. */
  readonly attempt: number;
  readonly sequence: number;
  /** Quick retries that an ICMP unreachable has earned so far. */
  readonly quick: number;
}

export const FIRST_TRY: Tries = { attempt: 1, sequence: 1, quick: 0 };
const QUICK_RETRIES = 7;
const QUICK_CAP_S = 60;
/** A field gateway never gives up: this long after the last sequence it begins anew, whatever /1/x/19 says. */
export const RENEWAL_CAP_S = 900;
/** /1/x/19 of 2^32-1 asks for no further sequence; then the cap holds, too. */
const NEVER_S = 0xffff_ffff;
const MAX_TRANSMIT_WAIT_S = 93;

/** When to refresh: early enough for a whole retransmission, never sooner than half the lifetime; undefined never. */
export function refreshMs(lifetimeS: number): number | undefined {
  if (lifetimeS === 0) return undefined;
  return Math.max(1, lifetimeS - Math.min(lifetimeS / 2, MAX_TRANSMIT_WAIT_S)) * 1000;
}

/** When to try again, how the tries count then, and whether the standard would have any more. */
export interface NextTry {
  readonly delayS: number;
  readonly after: Tries;
  readonly left: "some" | "none";
}

export function nextTry(tries: Tries, reason: "unreachable" | "other", timing: RegistrationTiming): NextTry {
  const { attempt, sequence, quick } = tries;
  const { retryCount, retryTimerS, sequenceRetryCount, sequenceDelayS } = timing;
  if (reason === "unreachable" && quick < QUICK_RETRIES) {
    return { delayS: Math.min(2 ** quick, QUICK_CAP_S), after: { ...tries, quick: quick + 1 }, left: "some" };
  }
  if (attempt < retryCount) {
    return { delayS: retryTimerS * 2 ** (attempt - 1), after: { ...tries, attempt: attempt + 1 }, left: "some" };
  }
  if (sequence < sequenceRetryCount && sequenceDelayS < NEVER_S) {
    return { delayS: sequenceDelayS, after: { attempt: 1, sequence: sequence + 1, quick }, left: "some" };
  }
  return { delayS: Math.min(sequenceDelayS, RENEWAL_CAP_S), after: { attempt: 1, sequence: 1, quick }, left: "none" };
}
