import { describe, expect, it } from "vitest";
import {
  next,
  type Registration,
  type RegistrationAction,
  type RegistrationEvent,
} from "../../../src/lwm2m/registration/registration.js";
import {
  nextTry,
  type RegistrationMoment,
  refreshMs,
  TIMING_DEFAULTS,
  type Tries,
} from "../../../src/lwm2m/registration/registration-timing.js";

const NOW_MS = 1_000_000;
const timing: RegistrationMoment = { ...TIMING_DEFAULTS, lifetimeS: 300, nowMs: NOW_MS };
const location = ["rd", "5a3f"];
const untilMs = NOW_MS + 300_000;
const accepted = { version: "1.1", location, untilMs } as const;
const expired = { version: "1.1", location, untilMs: NOW_MS } as const;
const none = { changed: false, disable: false };
const first: Tries = { attempt: 1, sequence: 1, quick: 0 };

const idle: Registration = { state: "idle" };
const registering: Registration = { state: "registering", version: "1.2", tries: first, changed: false };
const registered: Registration = { state: "registered", accepted, duties: none };
const updating: Registration = { state: "updating", accepted, duties: none };
const lost: Registration = { state: "lost", accepted, duties: none, tries: first };
const reviving: Registration = { state: "reviving", accepted, duties: none, tries: first };
const leaving: Registration = { state: "deregistering", accepted, goal: "disabled" };
const closing: Registration = { state: "deregistering", accepted, goal: "closed" };
const waiting: Registration = { state: "waiting", version: "1.1", tries: first };
const disabled: Registration = { state: "disabled", version: "1.1" };
const closed: Registration = { state: "closed" };

const register = (version: "1.0" | "1.1" | "1.2"): RegistrationAction => ({ kind: "register", version });
const wait = (seconds: number, reason: "retry" | "duty" = "duty"): RegistrationAction => ({
  kind: "wait",
  ms: seconds * 1000,
  for: reason,
});
const update: RegistrationAction = { kind: "update", accepted };
const deregister: RegistrationAction = { kind: "deregister", accepted };
const closePeer: RegistrationAction = { kind: "close-peer" };
const rejected = (code: string, maxAgeS?: number): RegistrationEvent =>
  maxAgeS === undefined ? { kind: "rejected", code } : { kind: "rejected", code, maxAgeS };
const failed = (reason: "unreachable" | "other"): RegistrationEvent => ({ kind: "failed", reason });

type Row = [
  what: string,
  now: Registration,
  event: RegistrationEvent,
  after: Partial<Registration>,
  actions: RegistrationAction[],
];

const rows: Row[] = [
  [
    "starts with the newest version",
    idle,
    { kind: "start" },
    { state: "registering", version: "1.2" },
    [register("1.2")],
  ],
  ["ignores what is early", idle, { kind: "changed" }, idle, []],
  [
    "is registered and refreshes in time",
    registering,
    { kind: "registered", location },
    { state: "registered", accepted: { version: "1.2", location, untilMs } },
    [wait(207)],
  ],
  ["steps down on 4.12", registering, rejected("4.12"), { state: "registering", version: "1.1" }, [register("1.1")]],
  [
    "steps down to 1.0",
    { ...registering, version: "1.1" },
    rejected("4.12"),
    { state: "registering", version: "1.0" },
    [register("1.0")],
  ],
  [
    "begins with the newest again when no version fits",
    { ...registering, version: "1.0" },
    rejected("4.12"),
    { state: "waiting", version: "1.2" },
    [wait(60, "retry"), { kind: "exhausted" }],
  ],
  [
    "does not step down on 4.00, which may be a matter for a bootstrap",
    registering,
    rejected("4.00"),
    { state: "waiting", version: "1.2" },
    [wait(60, "retry"), { kind: "exhausted" }],
  ],
  ["leaves a busy server alone", registering, rejected("5.03", 600), { state: "waiting" }, [wait(600, "retry")]],
  ["opens anew after a time-out", registering, failed("other"), { state: "waiting" }, [closePeer, wait(60, "retry")]],
  [
    "comes back soon when nothing listens",
    registering,
    failed("unreachable"),
    { state: "waiting", tries: { attempt: 1, sequence: 1, quick: 1 } },
    [closePeer, wait(1, "retry")],
  ],
  ["tries again", waiting, { kind: "due" }, { state: "registering", version: "1.1" }, [register("1.1")]],
  ["keeps a change for after", registering, { kind: "changed" }, { ...registering, changed: true }, []],
  [
    "updates at once what changed meanwhile",
    { ...registering, changed: true },
    { kind: "registered", location },
    { state: "registered", duties: { changed: true, disable: false } },
    [wait(0.1)],
  ],
  ["refreshes", registered, { kind: "due" }, updating, [update]],
  ["tells of a change soon", registered, { kind: "changed" }, { state: "registered" }, [wait(0.1)]],
  [
    "joins changes",
    { ...registered, duties: { changed: true, disable: false } },
    { kind: "changed" },
    { state: "registered" },
    [],
  ],
  ["goes on after an Update", updating, { kind: "updated" }, registered, [wait(207)]],
  [
    "updates again what changed meanwhile",
    { ...updating, duties: { changed: true, disable: false } },
    { kind: "updated" },
    { state: "registered", duties: { changed: true, disable: false } },
    [wait(0.1)],
  ],
  [
    "registers anew, the same version, when the server has forgotten it",
    updating,
    rejected("4.04"),
    { state: "registering", version: "1.1" },
    [register("1.1")],
  ],
  [
    "keeps up the registration over a new connection when an Update times out",
    updating,
    failed("other"),
    { state: "lost", accepted },
    [closePeer, wait(60, "retry")],
  ],
  ["tries to revive it", lost, { kind: "due" }, { state: "reviving", accepted, tries: first }, [update]],
  [
    "comes back soon when nothing listens to the Update",
    reviving,
    failed("unreachable"),
    { state: "lost", tries: { attempt: 1, sequence: 1, quick: 1 } },
    [closePeer, wait(1, "retry")],
  ],
  ["goes on when it is in touch again", reviving, { kind: "updated" }, registered, [wait(207)]],
  [
    "registers anew when the server has forgotten it meanwhile",
    reviving,
    rejected("4.04"),
    { state: "registering", version: "1.1" },
    [register("1.1")],
  ],
  [
    "registers anew when the registration has expired",
    { ...lost, accepted: expired },
    { kind: "due" },
    { state: "registering", version: "1.1" },
    [register("1.1")],
  ],
  [
    "registers anew, over a new connection, when the last Update within the lifetime fails",
    { ...reviving, accepted: expired },
    failed("other"),
    { state: "registering", version: "1.1" },
    [closePeer, register("1.1")],
  ],
  [
    "registers anew when the server would not know its address",
    reviving,
    { kind: "estranged", because: "another address" },
    { state: "registering", version: "1.1" },
    [register("1.1")],
  ],
  [
    "says that the attempts are over, and goes on",
    { ...registering, tries: { attempt: 5, sequence: 1, quick: 0 } },
    failed("other"),
    { state: "waiting", tries: first },
    [closePeer, wait(900, "retry"), { kind: "exhausted" }],
  ],
  [
    "takes up the registration of the process before",
    idle,
    { kind: "restored", accepted },
    { state: "reviving", accepted },
    [update],
  ],
  ["is quiet during a bootstrap", registered, { kind: "hold" }, { state: "held", version: "1.1", accepted }, []],
  ["is quiet before it was registered, too", registering, { kind: "hold" }, { state: "held", version: "1.2" }, []],
  [
    "goes on after a bootstrap that changed nothing",
    { state: "held", version: "1.1", accepted },
    { kind: "release" },
    { state: "reviving", accepted },
    [update],
  ],
  [
    "registers after a bootstrap that changed nothing",
    { state: "held", version: "1.1" },
    { kind: "release" },
    { state: "registering", version: "1.1" },
    [register("1.1")],
  ],
  ["leaves the registration to the next process", registered, { kind: "suspend" }, closed, [closePeer]],
  [
    "finds out whether the server still knows it when a notification was lost",
    registered,
    { kind: "lost" },
    { state: "reviving", accepted },
    [closePeer, update],
  ],
  [
    "answers Disable first",
    registered,
    { kind: "disable" },
    { ...registered, duties: { changed: false, disable: true } },
    [wait(0.1)],
  ],
  [
    "then leaves",
    { ...registered, duties: { changed: false, disable: true } },
    { kind: "due" },
    leaving,
    [deregister, wait(5)],
  ],
  ["stays away as long as asked", leaving, { kind: "deregistered" }, disabled, [closePeer, wait(86_400)]],
  ["stays away also when leaving failed", leaving, failed("other"), disabled, [closePeer, wait(86_400)]],
  ["comes back", disabled, { kind: "due" }, { state: "registering", version: "1.1" }, [register("1.1")]],
  ["says goodbye", registered, { kind: "close" }, closing, [deregister, wait(5)]],
  ["says goodbye in the middle of an Update", updating, { kind: "close" }, closing, [deregister, wait(5)]],
  ["does not wait for long", closing, { kind: "due" }, closed, [closePeer]],
  ["closes while leaving", leaving, { kind: "close" }, closing, []],
  ["closes while registering", registering, { kind: "close" }, closed, [closePeer]],
  ["closes while waiting", waiting, { kind: "close" }, closed, [closePeer]],
  ["stays closed", closed, { kind: "due" }, closed, []],
];

describe("next", () => {
  it.each(rows)("%s", (_what, now, event, after, actions) => {
    const [state, ...done] = next(now, event, timing);
    expect(state).toMatchObject(after);
    expect(done).toEqual(actions);
  });

  it("gives the same state when nothing changes, so that a wait goes on", () => {
    const soon: Registration = { ...registered, duties: { changed: true, disable: false } };
    expect(next(soon, { kind: "changed" }, timing)[0]).toBe(soon);
  });

  it("waits for the Initial Registration Delay", () => {
    const [state, ...actions] = next(idle, { kind: "start" }, { ...timing, initialDelayS: 30 });
    expect(state.state).toBe("waiting");
    expect(actions).toEqual([wait(30)]);
  });

  it("never refreshes an infinite lifetime", () => {
    expect(next(updating, { kind: "updated" }, { ...timing, lifetimeS: 0 })).toEqual([
      { ...registered, accepted: { version: "1.1", location } },
    ]);
  });
});

describe("refreshMs", () => {
  it.each([
    [86_400, 86_307],
    [300, 207],
    [186, 93],
    [100, 50],
    [20, 10],
    [1, 1],
    [2, 1],
  ])("lifetime %i s → %i s", (lifetimeS, seconds) => {
    expect(refreshMs(lifetimeS)).toBe(seconds * 1000);
  });
});

describe("nextTry", () => {
  const waits = (reason: "unreachable" | "other", count: number, own: Partial<RegistrationMoment> = {}): number[] => {
    let tries = first;
    return Array.from({ length: count }, () => {
      const { delayS, after } = nextTry(tries, reason, { ...timing, ...own });
      tries = after;
      return delayS;
    });
  };

  it("doubles the Retry Timer, and never gives up", () => {
    expect(waits("other", 7)).toEqual([60, 120, 240, 480, 900, 60, 120]);
  });

  it("comes back soon when nothing listens, then as ever", () => {
    expect(waits("unreachable", 13)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 120, 240, 480, 900, 60]);
  });

  it("keeps to the server's sequences", () => {
    const own = { retryCount: 2, retryTimerS: 10, sequenceDelayS: 7200, sequenceRetryCount: 2 };
    expect(waits("other", 5, own)).toEqual([10, 7200, 10, 900, 10]);
  });

  it("does not take 'never' for an answer", () => {
    expect(waits("other", 2, { retryCount: 1, sequenceDelayS: 0xffff_ffff, sequenceRetryCount: 5 })).toEqual([
      900, 900,
    ]);
  });
});
