/** Lets the answer to the request that set something off leave before it begins. */
const SOON_MS = 100;

/**
 * Why a bootstrap is to begin (OMA LwM2M Core 1.2 §6.1.4): there is no server to register with, none has accepted a
 * registration, or one has executed /1/x/9.
 */
export type BootstrapCause = "no-server" | "registration-failed" | "trigger";

/**
 * `bare-request` is a Bootstrap-Request without the preferred content format, which servers of LwM2M 1.0 do not know.
 */
export type BootstrapOperation = "pack" | "request" | "bare-request";

/** What the configuration and the Security object say. */
export interface BootstrapTiming {
  /** /0/x/11 */
  readonly holdOffS: number;
  /** Whether a bootstrap begins with a Bootstrap-Pack-Request. */
  readonly pack: "try" | "never";
}

/** One endeavour to be bootstrapped, from its cause until it is done or given up. */
export interface BootstrapRun {
  /** A bootstrap server may also begin by itself. */
  readonly cause: BootstrapCause | "server";
  /** Counts from 1. */
  readonly attempt: number;
  readonly operation: BootstrapOperation;
}

export type Bootstrap =
  | { readonly state: "idle" }
  | { readonly state: "waiting" | "requesting" | "serving"; readonly run: BootstrapRun }
  /** The answer to Bootstrap-Finish is on its way. */
  | { readonly state: "finishing" }
  | { readonly state: "closed" };

export type BootstrapEvent =
  | { readonly kind: "start"; readonly cause: BootstrapCause }
  /** A server has accepted a registration after all: what only looked for another server is over. */
  | { readonly kind: "stop" | "close" }
  /** The time that the last `wait` asked for is over. */
  | { readonly kind: "due" }
  /** The bootstrap server accepted the Bootstrap-Request. */
  | { readonly kind: "accepted" }
  /** The bootstrap server asks something. */
  | { readonly kind: "asked" }
  /** The configuration that came is in the tree. */
  | { readonly kind: "finished" }
  /** The Bootstrap-Pack cannot be used. */
  | { readonly kind: "spoilt" }
  /** The bootstrap server answered with an error code such as "4.15". */
  | { readonly kind: "rejected"; readonly code: string; readonly maxAgeS?: number }
  /** Nothing answered. */
  | { readonly kind: "failed" };

export type BootstrapAction =
  | { readonly kind: "request"; readonly operation: BootstrapOperation }
  /** Replaces the wait before; `retry` waits are spread. */
  | { readonly kind: "wait"; readonly ms: number; readonly for: "retry" | "duty" }
  /** Servers' requests are ignored from here on, and what the bootstrap server writes goes to a draft. */
  | { readonly kind: "begin" }
  /** The draft is forgotten, and everything is as before `begin`. */
  | { readonly kind: "roll-back" }
  /** The accounts of the tree are others now. */
  | { readonly kind: "finish" }
  | { readonly kind: "close-peer" };

type Step = readonly [Bootstrap, ...BootstrapAction[]];

/** Without any exchange for so long a bootstrap has failed: EXCHANGE_LIFETIME (OMA LwM2M Core 1.2 §6.1.3.3). */
export const SILENCE_MS = 247_000;
const RETRY_CAP_S = 300;
/** A server that has set a bootstrap off can do so again. */
const TRIGGERED_ATTEMPTS = 5;

/**
 * The bootstrap of one client (OMA LwM2M Core 1.2 §6.1): the state after an event and what is to be done. In a new
 * state an earlier wait no longer counts, and an earlier request under way is given up.
 */
export function nextBootstrap(now: Bootstrap, event: BootstrapEvent, timing: BootstrapTiming): Step {
  if (event.kind === "close") return close(now);
  switch (now.state) {
    case "idle":
      if (event.kind === "start") return start(event.cause, timing);
      return event.kind === "asked" ? serve({ cause: "server", attempt: 1, operation: "request" }) : [now];
    case "waiting":
      if (event.kind === "start") return start(event.cause === "trigger" ? now.run.cause : event.cause, timing);
      if (event.kind === "due") return request(now.run);
      return event.kind === "asked" ? serve(now.run) : stop(now, event);
    case "requesting":
      return whileRequesting(now, event);
    case "serving":
      return whileServing(now, event);
    case "finishing":
      return event.kind === "due" ? [{ state: "idle" }, { kind: "finish" }] : [now];
    case "closed":
      return [now];
  }
}

function start(cause: BootstrapRun["cause"], { holdOffS, pack }: BootstrapTiming): Step {
  return [
    { state: "waiting", run: { cause, attempt: 1, operation: pack === "try" ? "pack" : "request" } },
    // At least until the answer to what set it off has left.
    { kind: "wait", ms: Math.max(holdOffS * 1000, SOON_MS), for: "duty" },
  ];
}

function request(run: BootstrapRun): Step {
  return [
    { state: "requesting", run },
    { kind: "request", operation: run.operation },
  ];
}

function serve(run: BootstrapRun): Step {
  return [{ state: "serving", run }, { kind: "begin" }, silence()];
}

function whileRequesting(now: Extract<Bootstrap, { readonly run: unknown }>, event: BootstrapEvent): Step {
  const { run } = now;
  const { operation } = run;
  switch (event.kind) {
    case "accepted":
    case "asked":
      return serve(run);
    case "finished":
      return finishing();
    case "spoilt":
      return request({ ...run, operation: "request" });
    case "rejected":
      // After an error to the Pack-Request the client must go on with the plain one (OMA LwM2M Core 1.2 §6.1.7.7).
      if (operation === "pack") return request({ ...run, operation: "request" });
      if (operation === "request" && PCT_REFUSALS.has(event.code))
        return request({ ...run, operation: "bare-request" });
      return retry(run, event.maxAgeS ?? 0);
    case "failed": {
      // Some servers are silent about what they do not know.
      const [after, ...actions] = retry({ ...run, operation: operation === "pack" ? "request" : operation }, 0);
      return [after, { kind: "close-peer" }, ...actions];
    }
    default:
      return stop(now, event);
  }
}

/** What servers that do not know, or not take, the preferred content format answer. */
const PCT_REFUSALS: ReadonlySet<string> = new Set(["4.00", "4.02", "4.15"]);

function whileServing(now: Extract<Bootstrap, { readonly run: unknown }>, event: BootstrapEvent): Step {
  switch (event.kind) {
    case "asked":
      return [now, silence()];
    case "finished":
      return finishing();
    case "due": {
      // Registered servers are not to be left alone over and over: the one that wanted it can say so again.
      const { cause } = now.run;
      const [after, ...actions] = retry(cause === "trigger" ? { ...now.run, cause: "server" } : now.run, 0);
      return [after, { kind: "roll-back" }, { kind: "close-peer" }, ...actions];
    }
    default:
      return [now];
  }
}

/** Never ends where nothing else would bring the client to a server. */
function retry(run: BootstrapRun, atLeastS: number): Step {
  const { cause, attempt } = run;
  if (cause === "server" || (cause === "trigger" && attempt >= TRIGGERED_ATTEMPTS)) return [{ state: "idle" }];
  const delayS = Math.min(2 ** (attempt - 1), RETRY_CAP_S);
  return [
    { state: "waiting", run: { ...run, attempt: attempt + 1 } },
    { kind: "wait", ms: Math.max(delayS, atLeastS) * 1000, for: "retry" },
  ];
}

function stop(now: Extract<Bootstrap, { readonly run: unknown }>, event: BootstrapEvent): Step {
  if (event.kind !== "stop" || now.run.cause === "trigger") return [now];
  return [{ state: "idle" }, { kind: "close-peer" }];
}

function finishing(): Step {
  return [{ state: "finishing" }, { kind: "wait", ms: SOON_MS, for: "duty" }];
}

function silence(): BootstrapAction {
  return { kind: "wait", ms: SILENCE_MS, for: "duty" };
}

function close(now: Bootstrap): Step {
  if (now.state === "closed") return [now];
  const end = [{ kind: "close-peer" }] as const;
  return now.state === "serving" ? [{ state: "closed" }, { kind: "roll-back" }, ...end] : [{ state: "closed" }, ...end];
}
