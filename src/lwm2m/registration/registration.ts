import type { Lwm2mVersion } from "../model/models.js";
import {
  FIRST_TRY,
  nextTry,
  type RegistrationMoment,
  type RegistrationTiming,
  refreshMs,
  type Tries,
} from "./registration-timing.js";

export const VERSIONS: readonly Lwm2mVersion[] = ["1.2", "1.1", "1.0"];
const NEWEST: Lwm2mVersion = "1.2";

/** What a server has accepted. */
export interface Accepted {
  readonly version: Lwm2mVersion;
  readonly location: readonly string[];
  /** Wall clock; until then the server keeps the registration without an Update. Absent means for ever. */
  readonly untilMs?: number;
}

/** `duties` are what came up meanwhile: a parameter changed, the server executed Disable. */
type Duties = { readonly changed: boolean; readonly disable: boolean };

export type Registration =
  | { readonly state: "idle" }
  | { readonly state: "waiting"; readonly version: Lwm2mVersion; readonly tries: Tries }
  | { readonly state: "registering"; readonly version: Lwm2mVersion; readonly tries: Tries; readonly changed: boolean }
  | { readonly state: "registered"; readonly accepted: Accepted; readonly duties: Duties }
  | { readonly state: "updating"; readonly accepted: Accepted; readonly duties: Duties }
  /** Out of touch: the next Update that may bring the registration back comes later, or is under way. */
  | { readonly state: "lost"; readonly accepted: Accepted; readonly duties: Duties; readonly tries: Tries }
  | { readonly state: "reviving"; readonly accepted: Accepted; readonly duties: Duties; readonly tries: Tries }
  /** Quiet while a bootstrap is under way. */
  | { readonly state: "held"; readonly version: Lwm2mVersion; readonly accepted?: Accepted }
  | { readonly state: "deregistering"; readonly accepted: Accepted; readonly goal: "disabled" | "closed" }
  | { readonly state: "disabled"; readonly version: Lwm2mVersion }
  | { readonly state: "closed" };

export type RegistrationEvent =
  /** `suspend` ends the client, but not its registration. */
  | { readonly kind: "start" | "close" | "suspend" }
  /** Instead of `start`: a process before this one has registered, and the registration has not expired. */
  | { readonly kind: "restored"; readonly accepted: Accepted }
  /** A bootstrap begins, or has ended without a change. */
  | { readonly kind: "hold" | "release" }
  /**
   * The server has a registration that is of no use: of another address of the client (OMA LwM2M Transport 1.2 §6.4.3), or
   * without what belongs to it. `because` is for people.
   */
  | { readonly kind: "estranged"; readonly because: string }
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
  | { readonly kind: "close-peer" }
  /** All sequences of attempts have failed, or the server refuses (OMA LwM2M Core 1.2 §6.2.1.1); it goes on nevertheless. */
  | { readonly kind: "exhausted" };

type Step = readonly [Registration, ...RegistrationAction[]];

const CLOSE_PEER: RegistrationAction = { kind: "close-peer" };
const EXHAUSTED: RegistrationAction = { kind: "exhausted" };
const IDLE_DUTIES: Duties = { changed: false, disable: false };

/** Joins changes, and lets the answer to the server's request leave before what it asked for begins. */
export const SOON_MS = 100;
export const DEREGISTER_TIMEOUT_MS = 5000;

/**
 * One server's registration (OMA LwM2M Core 1.2 §6.2): the state after an event and what is to be done. In a new state
 * an earlier wait no longer counts, and an earlier request under way is given up.
 */
export function next(now: Registration, event: RegistrationEvent, timing: RegistrationMoment): Step {
  if (event.kind === "close") return close(now);
  if (event.kind === "suspend") return now.state === "closed" ? [now] : [{ state: "closed" }, CLOSE_PEER];
  if (event.kind === "hold") return hold(now);
  switch (now.state) {
    case "idle":
      if (event.kind === "restored") return revive(event.accepted, IDLE_DUTIES, FIRST_TRY);
      return event.kind === "start" ? start(timing) : [now];
    case "waiting":
      return event.kind === "due" ? register(now.version, now.tries) : [now];
    case "registering":
      return whileRegistering(now, event, timing);
    case "registered":
      return whileRegistered(now, event);
    case "updating":
    case "reviving":
      return whileUpdating(now, event, timing);
    case "lost":
      if (event.kind !== "due") return [now];
      return isOver(now.accepted, timing)
        ? register(now.accepted.version, now.tries)
        : revive(now.accepted, now.duties, now.tries);
    case "held":
      if (event.kind !== "release") return [now];
      return now.accepted === undefined
        ? register(now.version, FIRST_TRY)
        : revive(now.accepted, IDLE_DUTIES, FIRST_TRY);
    case "deregistering":
      return whileDeregistering(now, event, timing);
    case "disabled":
      return event.kind === "due" ? register(now.version, FIRST_TRY) : [now];
    case "closed":
      return [now];
  }
}

/** Whether the server has the client, and the client the server, as far as anybody knows. */
export function isLive(now: Registration): now is Extract<Registration, { state: "registered" | "updating" }> {
  return now.state === "registered" || now.state === "updating";
}

/** What the server may still have of the client; undefined when that is nothing. */
export function acceptedOf(now: Registration): Accepted | undefined {
  return "accepted" in now && now.state !== "deregistering" ? now.accepted : undefined;
}

function start({ initialDelayS }: RegistrationTiming): Step {
  if (initialDelayS === 0) return register(NEWEST, FIRST_TRY);
  return [
    { state: "waiting", version: NEWEST, tries: FIRST_TRY },
    { kind: "wait", ms: initialDelayS * 1000, for: "duty" },
  ];
}

/** Goes on with what the server has accepted, if it still knows of it. */
function revive(accepted: Accepted, duties: Duties, tries: Tries): Step {
  return [
    { state: "reviving", accepted, duties, tries },
    { kind: "update", accepted },
  ];
}

function isOver({ untilMs = Number.POSITIVE_INFINITY }: Accepted, { nowMs }: RegistrationMoment): boolean {
  return nowMs >= untilMs;
}

/** Until when the server keeps what it has just accepted. */
function renewed({ version, location }: Accepted, { lifetimeS, nowMs }: RegistrationMoment): Accepted {
  return lifetimeS === 0 ? { version, location } : { version, location, untilMs: nowMs + lifetimeS * 1000 };
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
  timing: RegistrationMoment,
): Step {
  switch (event.kind) {
    case "registered": {
      const accepted = renewed({ version: now.version, location: event.location }, timing);
      return settled(accepted, { changed: now.changed, disable: false }, timing);
    }
    case "rejected": {
      const older = event.code === "4.12" ? VERSIONS[VERSIONS.indexOf(now.version) + 1] : undefined;
      if (older !== undefined) return register(older, now.tries);
      // A server that knows none of the versions may be exchanged for another one day.
      const version = event.code === "4.12" ? NEWEST : now.version;
      const step = retry(version, now.tries, "other", timing, event.maxAgeS ?? 0);
      // An explicit refusal counts as a failure at once (/1/x/16).
      const isNews = event.code.startsWith("4.") && !step.includes(EXHAUSTED);
      return isNews ? [...step, EXHAUSTED] : step;
    }
    case "failed": {
      const [after, ...actions] = retry(now.version, now.tries, event.reason, timing, 0);
      return [after, CLOSE_PEER, ...actions];
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
  const { delayS, after, left } = nextTry(tries, reason, timing);
  return [
    { state: "waiting", version, tries: after },
    { kind: "wait", ms: Math.max(delayS, atLeastS) * 1000, for: "retry" },
    ...(left === "none" ? [EXHAUSTED] : []),
  ];
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
    case "lost": {
      const [state, ...actions] = revive(accepted, duties, FIRST_TRY);
      // What else waits in the connection would have to time out before the Update.
      return [state, CLOSE_PEER, ...actions];
    }
    case "estranged": {
      const [state, ...actions] = register(accepted.version, FIRST_TRY);
      return [state, CLOSE_PEER, ...actions];
    }
    default:
      return [now];
  }
}

function whileUpdating(
  now: Extract<Registration, { state: "updating" | "reviving" }>,
  event: RegistrationEvent,
  timing: RegistrationMoment,
): Step {
  const { accepted, duties } = now;
  switch (event.kind) {
    case "updated":
      return settled(renewed(accepted, timing), duties, timing);
    case "rejected":
    case "estranged":
      return register(accepted.version, FIRST_TRY);
    case "failed":
      return outOfTouch(now, event.reason, timing);
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
  timing: RegistrationMoment,
): Step {
  const over = ["deregistered", "rejected", "failed", "due"].includes(event.kind);
  if (!over) return [now];
  if (now.goal === "closed") return [{ state: "closed" }, CLOSE_PEER];
  return [
    { state: "disabled", version: now.accepted.version },
    CLOSE_PEER,
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

/** The server does not answer an Update: as long as it keeps the registration, a later one may bring it back. */
function outOfTouch(
  now: Extract<Registration, { state: "updating" | "reviving" }>,
  reason: "unreachable" | "other",
  timing: RegistrationMoment,
): Step {
  const { accepted, duties } = now;
  const tries = now.state === "reviving" ? now.tries : FIRST_TRY;
  if (isOver(accepted, timing)) {
    const [state, ...actions] = register(accepted.version, tries);
    return [state, CLOSE_PEER, ...actions];
  }
  const { delayS, after, left } = nextTry(tries, reason, timing);
  return [
    { state: "lost", accepted, duties, tries: after },
    CLOSE_PEER,
    { kind: "wait", ms: delayS * 1000, for: "retry" },
    ...(left === "none" ? [EXHAUSTED] : []),
  ];
}

function hold(now: Registration): Step {
  switch (now.state) {
    case "registered":
    case "updating":
    case "lost":
    case "reviving":
      return [{ state: "held", version: now.accepted.version, accepted: now.accepted }];
    case "waiting":
    case "registering":
      return [{ state: "held", version: now.version }];
    default:
      return [now];
  }
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
    case "reviving":
      return deregister(now.accepted, "closed");
    case "deregistering":
      return [now.goal === "closed" ? now : { ...now, goal: "closed" }];
    case "closed":
      return [now];
    default:
      return [{ state: "closed" }, CLOSE_PEER];
  }
}
