import type { Lwm2mVersion } from "./models.js";

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

export const VERSIONS: readonly Lwm2mVersion[] = ["1.2", "1.1", "1.0"];
const NEWEST: Lwm2mVersion = "1.2";

/** How often it was tried since the last success. */
export interface Tries {
  /** Counts from 1, within the sequence. */
  readonly attempt: number;
  readonly sequence: number;
  /** Quick retries that an ICMP unreachable has earned so far. */
  readonly quick: number;
}

/** What a server has accepted. */
export interface Accepted {
  readonly version: Lwm2mVersion;
  readonly location: readonly string[];
}

/** `duties` are what came up meanwhile: a parameter changed, the server executed Disable. */
type Duties = { readonly changed: boolean; readonly disable: boolean };

export type Registration =
  | { readonly state: "idle" }
  | { readonly state: "waiting"; readonly version: Lwm2mVersion; readonly tries: Tries }
  | { readonly state: "registering"; readonly version: Lwm2mVersion; readonly tries: Tries; readonly changed: boolean }
  | { readonly state: "registered"; readonly accepted: Accepted; readonly duties: Duties }
  | { readonly state: "updating"; readonly accepted: Accepted; readonly duties: Duties }
  | { readonly state: "deregistering"; readonly accepted: Accepted; readonly goal: "disabled" | "closed" }
  | { readonly state: "disabled"; readonly version: Lwm2mVersion }
  | { readonly state: "closed" };

export type RegistrationEvent =
  | { readonly kind: "start" | "close" }
  /** The time that the last `wait` asked for is over. */
  | { readonly kind: "due" }
  | { readonly kind: "registered"; readonly location: readonly string[] }
  | { readonly kind: "updated" | "deregistered" }
  /** The server answered with an error code such as "4.04"; `maxAgeS` is how long it asks to be left alone. */
  | { readonly kind: "rejected"; readonly code: string; readonly maxAgeS?: number }
  | { readonly kind: "failed"; readonly reason: "unreachable" | "other" }
  /** Lifetime, binding or the list of objects is another, or the server wants an Update (/1/x/8). */
  | { readonly kind: "changed" }
  /** The server executed /1/x/4. */
  | { readonly kind: "disable" }
  /** A notification or Send was not acknowledged. */
  | { readonly kind: "lost" };

export type RegistrationAction =
  | { readonly kind: "register"; readonly version: Lwm2mVersion }
  | { readonly kind: "update" | "deregister"; readonly accepted: Accepted }
  /** Replaces the wait before; `retry` waits may be spread so that many gateways do not return in step. */
  | { readonly kind: "wait"; readonly ms: number; readonly for: "retry" | "duty" }
  | { readonly kind: "close-peer" };

type Step = readonly [Registration, ...RegistrationAction[]];

const IDLE_DUTIES: Duties = { changed: false, disable: false };
const FIRST_TRY: Tries = { attempt: 1, sequence: 1, quick: 0 };

/** Joins changes, and lets the answer to the server's request leave before what it asked for begins. */
export const SOON_MS = 100;
export const DEREGISTER_TIMEOUT_MS = 5000;
const QUICK_RETRIES = 7;
const QUICK_CAP_S = 60;
/** A field gateway never gives up: this long after the last sequence it begins anew, whatever /1/x/19 says. */
export const RENEWAL_CAP_S = 900;
/** /1/x/19 of 2^32-1 asks for no further sequence; then the cap holds, too. */
const NEVER_S = 0xffff_ffff;
const MAX_TRANSMIT_WAIT_S = 93;

/**
 * One server's registration (OMA LwM2M Core 1.2 §6.2): the state after an event and what is to be done. In a new state
 * an earlier wait no longer counts, and an earlier request under way is given up.
 */
export function next(now: Registration, event: RegistrationEvent, timing: RegistrationTiming): Step {
  if (event.kind === "close") return close(now);
  switch (now.state) {
    case "idle":
      return event.kind === "start" ? start(timing) : [now];
    case "waiting":
      return event.kind === "due" ? register(now.version, now.tries) : [now];
    case "registering":
      return whileRegistering(now, event, timing);
    case "registered":
      return whileRegistered(now, event);
    case "updating":
      return whileUpdating(now, event, timing);
    case "deregistering":
      return whileDeregistering(now, event, timing);
    case "disabled":
      return event.kind === "due" ? register(now.version, FIRST_TRY) : [now];
    case "closed":
      return [now];
  }
}

/** When to refresh: early enough for a whole retransmission, never sooner than half the lifetime; undefined never. */
export function refreshMs(lifetimeS: number): number | undefined {
  if (lifetimeS === 0) return undefined;
  return Math.max(1, lifetimeS - Math.min(lifetimeS / 2, MAX_TRANSMIT_WAIT_S)) * 1000;
}

function start({ initialDelayS }: RegistrationTiming): Step {
  if (initialDelayS === 0) return register(NEWEST, FIRST_TRY);
  return [
    { state: "waiting", version: NEWEST, tries: FIRST_TRY },
    { kind: "wait", ms: initialDelayS * 1000, for: "duty" },
  ];
}

function register(version: Lwm2mVersion, tries: Tries): Step {
  return [
    { state: "registering", version, tries, changed: false },
    { kind: "register", version },
  ];
}

function whileRegistering(
  now: Extract<Registration, { state: "registering" }>,
  event: RegistrationEvent,
  timing: RegistrationTiming,
): Step {
  switch (event.kind) {
    case "registered": {
      const accepted = { version: now.version, location: event.location };
      return settled(accepted, { changed: now.changed, disable: false }, timing);
    }
    case "rejected": {
      const older = event.code === "4.12" ? VERSIONS[VERSIONS.indexOf(now.version) + 1] : undefined;
      if (older !== undefined) return register(older, now.tries);
      // A server that knows none of the versions may be exchanged for another one day.
      const version = event.code === "4.12" ? NEWEST : now.version;
      return retry(version, now.tries, "other", timing, event.maxAgeS ?? 0);
    }
    case "failed": {
      const [after, ...actions] = retry(now.version, now.tries, event.reason, timing, 0);
      return [after, { kind: "close-peer" }, ...actions];
    }
    case "changed":
      return [now.changed ? now : { ...now, changed: true }];
    default:
      return [now];
  }
}

function retry(
  version: Lwm2mVersion,
  tries: Tries,
  reason: "unreachable" | "other",
  timing: RegistrationTiming,
  atLeastS: number,
): Step {
  const [delayS, after] = nextTry(tries, reason, timing);
  return [
    { state: "waiting", version, tries: after },
    { kind: "wait", ms: Math.max(delayS, atLeastS) * 1000, for: "retry" },
  ];
}

/** Seconds to wait, and how the tries count then. */
export function nextTry(
  tries: Tries,
  reason: "unreachable" | "other",
  timing: RegistrationTiming,
): readonly [number, Tries] {
  const { attempt, sequence, quick } = tries;
  if (reason === "unreachable" && quick < QUICK_RETRIES) {
    return [Math.min(2 ** quick, QUICK_CAP_S), { ...tries, quick: quick + 1 }];
  }
  if (attempt < timing.retryCount) return [timing.retryTimerS * 2 ** (attempt - 1), { ...tries, attempt: attempt + 1 }];
  if (sequence < timing.sequenceRetryCount && timing.sequenceDelayS < NEVER_S) {
    return [timing.sequenceDelayS, { attempt: 1, sequence: sequence + 1, quick }];
  }
  return [Math.min(timing.sequenceDelayS, RENEWAL_CAP_S), { attempt: 1, sequence: 1, quick }];
}

function whileRegistered(now: Extract<Registration, { state: "registered" }>, event: RegistrationEvent): Step {
  const { accepted, duties } = now;
  switch (event.kind) {
    case "due":
      if (duties.disable) return deregister(accepted, "disabled");
      return [
        { state: "updating", accepted, duties: IDLE_DUTIES },
        { kind: "update", accepted },
      ];
    case "changed":
      return duties.changed || duties.disable ? [now] : soon(accepted, { ...duties, changed: true });
    case "disable":
      return duties.disable ? [now] : soon(accepted, { ...duties, disable: true });
    case "lost":
      return restart(accepted);
    default:
      return [now];
  }
}

function whileUpdating(
  now: Extract<Registration, { state: "updating" }>,
  event: RegistrationEvent,
  timing: RegistrationTiming,
): Step {
  const { accepted, duties } = now;
  switch (event.kind) {
    case "updated":
      return settled(accepted, duties, timing);
    case "rejected":
      return register(accepted.version, FIRST_TRY);
    case "failed":
    case "lost":
      return restart(accepted);
    case "changed":
      return [{ ...now, duties: { ...duties, changed: true } }];
    case "disable":
      return [{ ...now, duties: { ...duties, disable: true } }];
    default:
      return [now];
  }
}

function whileDeregistering(
  now: Extract<Registration, { state: "deregistering" }>,
  event: RegistrationEvent,
  timing: RegistrationTiming,
): Step {
  const over = ["deregistered", "rejected", "failed", "due"].includes(event.kind);
  if (!over) return [now];
  if (now.goal === "closed") return [{ state: "closed" }, { kind: "close-peer" }];
  return [
    { state: "disabled", version: now.accepted.version },
    { kind: "close-peer" },
    { kind: "wait", ms: timing.disableTimeoutS * 1000, for: "duty" },
  ];
}

function settled(accepted: Accepted, duties: Duties, timing: RegistrationTiming): Step {
  if (duties.changed || duties.disable) return soon(accepted, duties);
  const ms = refreshMs(timing.lifetimeS);
  const state: Registration = { state: "registered", accepted, duties: IDLE_DUTIES };
  return ms === undefined ? [state] : [state, { kind: "wait", ms, for: "duty" }];
}

function soon(accepted: Accepted, duties: Duties): Step {
  return [
    { state: "registered", accepted, duties },
    { kind: "wait", ms: SOON_MS, for: "duty" },
  ];
}

function restart({ version }: Accepted): Step {
  const [state, ...actions] = register(version, FIRST_TRY);
  return [state, { kind: "close-peer" }, ...actions];
}

function deregister(accepted: Accepted, goal: "disabled" | "closed"): Step {
  return [
    { state: "deregistering", accepted, goal },
    { kind: "deregister", accepted },
    { kind: "wait", ms: DEREGISTER_TIMEOUT_MS, for: "duty" },
  ];
}

function close(now: Registration): Step {
  switch (now.state) {
    case "registered":
    case "updating":
      return deregister(now.accepted, "closed");
    case "deregistering":
      return [now.goal === "closed" ? now : { ...now, goal: "closed" }];
    case "closed":
      return [now];
    default:
      return [{ state: "closed" }, { kind: "close-peer" }];
  }
}
