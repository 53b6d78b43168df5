import { describe, expect, it } from "vitest";
import {
  type Bootstrap,
  type BootstrapAction,
  type BootstrapEvent,
  type BootstrapRun,
  type BootstrapTiming,
  nextBootstrap,
} from "../../../src/lwm2m/bootstrap/bootstrap.js";

const TIMING: BootstrapTiming = { holdOffS: 0, pack: "never" };
const RUN: BootstrapRun = { cause: "no-server", attempt: 1, operation: "request" };

const IDLE: Bootstrap = { state: "idle" };
const CLOSED: Bootstrap = { state: "closed" };
const FINISHING: Bootstrap = { state: "finishing" };
const waiting = (run: Partial<BootstrapRun> = {}): Bootstrap => ({ state: "waiting", run: { ...RUN, ...run } });
const requesting = (run: Partial<BootstrapRun> = {}): Bootstrap => ({ state: "requesting", run: { ...RUN, ...run } });
const serving = (run: Partial<BootstrapRun> = {}): Bootstrap => ({ state: "serving", run: { ...RUN, ...run } });

const wait = (ms: number, reason: "retry" | "duty"): BootstrapAction => ({ kind: "wait", ms, for: reason });
const SILENCE = wait(247_000, "duty");
const ANSWERED = wait(100, "duty");
const BEGIN: BootstrapAction = { kind: "begin" };
const ROLL_BACK: BootstrapAction = { kind: "roll-back" };
const CLOSE: BootstrapAction = { kind: "close-peer" };
const request = (operation: BootstrapRun["operation"]): BootstrapAction => ({ kind: "request", operation });
const rejected = (code: string, maxAgeS?: number): BootstrapEvent =>
  maxAgeS === undefined ? { kind: "rejected", code } : { kind: "rejected", code, maxAgeS };
const start = (cause: "no-server" | "registration-failed" | "trigger" = "no-server"): BootstrapEvent => ({
  kind: "start",
  cause,
});

type Row = [what: string, now: Bootstrap, event: BootstrapEvent, after: Bootstrap, ...actions: BootstrapAction[]];

const TABLE: readonly Row[] = [
  ["begins when the answer to what caused it has left", IDLE, start(), waiting(), ANSWERED],
  ["is given up before it began", waiting(), { kind: "stop" }, IDLE, CLOSE],
  ["a trigger is not given up", waiting({ cause: "trigger" }), { kind: "stop" }, waiting({ cause: "trigger" })],
  ["requests when the hold-off is over", waiting(), { kind: "due" }, requesting(), request("request")],
  ["begins anew at once for a new cause", waiting({ attempt: 7 }), start("trigger"), waiting(), ANSWERED],
  ["nothing new while it is under way", requesting(), start("trigger"), requesting()],

  ["serves when the server accepts", requesting(), { kind: "accepted" }, serving(), BEGIN, SILENCE],
  ["serves a request that is faster than the answer", requesting(), { kind: "asked" }, serving(), BEGIN, SILENCE],
  ["does not take the late answer for news", serving(), { kind: "accepted" }, serving()],
  [
    "leaves the content format out for a server of LwM2M 1.0",
    requesting(),
    rejected("4.15"),
    requesting({ operation: "bare-request" }),
    request("bare-request"),
  ],
  [
    "the same after 4.00",
    requesting(),
    rejected("4.00"),
    requesting({ operation: "bare-request" }),
    request("bare-request"),
  ],
  [
    "tries again when even that is refused",
    requesting({ operation: "bare-request" }),
    rejected("4.00"),
    waiting({ operation: "bare-request", attempt: 2 }),
    wait(1000, "retry"),
  ],
  [
    "tries again, later each time",
    requesting({ attempt: 4 }),
    rejected("4.03"),
    waiting({ attempt: 5 }),
    wait(8000, "retry"),
  ],
  [
    "no sooner than the server asks",
    requesting(),
    rejected("5.03", 60),
    waiting({ attempt: 2 }),
    wait(60_000, "retry"),
  ],
  [
    "over a new connection when nothing answered",
    requesting(),
    { kind: "failed" },
    waiting({ attempt: 2 }),
    CLOSE,
    wait(1000, "retry"),
  ],
  [
    "never ends, and never waits longer than five minutes",
    requesting({ attempt: 40 }),
    { kind: "failed" },
    waiting({ attempt: 41 }),
    CLOSE,
    wait(300_000, "retry"),
  ],
  [
    "gives up after five attempts what a server has set off",
    requesting({ cause: "trigger", attempt: 5 }),
    { kind: "failed" },
    IDLE,
    CLOSE,
  ],
  ["the search ends when a server has been found", requesting(), { kind: "stop" }, IDLE, CLOSE],

  ["every exchange gives the server another 247 s", serving(), { kind: "asked" }, serving(), SILENCE],
  ["silence is a failure", serving(), { kind: "due" }, waiting({ attempt: 2 }), ROLL_BACK, CLOSE, wait(1000, "retry")],
  ["once, when a server has set it off", serving({ cause: "trigger" }), { kind: "due" }, IDLE, ROLL_BACK, CLOSE],
  ["nobody stops it while the server writes", serving(), { kind: "stop" }, serving()],
  ["Finish", serving(), { kind: "finished" }, FINISHING, ANSWERED],
  ["the accounts take effect when the answer has left", FINISHING, { kind: "due" }, IDLE, { kind: "finish" }],

  ["a server may begin by itself", IDLE, { kind: "asked" }, serving({ cause: "server" }), BEGIN, SILENCE],
  ["but is not asked to go on", serving({ cause: "server" }), { kind: "due" }, IDLE, ROLL_BACK, CLOSE],
  ["and while the client waits for its next attempt", waiting(), { kind: "asked" }, serving(), BEGIN, SILENCE],

  ["closes", waiting(), { kind: "close" }, CLOSED, CLOSE],
  ["closes in the middle of it", serving(), { kind: "close" }, CLOSED, ROLL_BACK, CLOSE],
  ["closes once", CLOSED, { kind: "close" }, CLOSED],
  ["stays closed", CLOSED, start(), CLOSED],
];

describe("nextBootstrap", () => {
  it.each(TABLE)("%s", (_what, now, event, ...step) => {
    expect(nextBootstrap(now, event, TIMING)).toEqual(step);
  });

  it("waits for the hold-off time", () => {
    expect(nextBootstrap(IDLE, start(), { ...TIMING, holdOffS: 10 })).toEqual([waiting(), wait(10_000, "duty")]);
  });

  const PACK: readonly Row[] = [
    ["begins with the pack", IDLE, start(), waiting({ operation: "pack" }), ANSWERED],
    ["is done with a good one", requesting({ operation: "pack" }), { kind: "finished" }, FINISHING, ANSWERED],
    [
      "goes on with the plain request after any error",
      requesting({ operation: "pack" }),
      rejected("5.01"),
      requesting(),
      request("request"),
    ],
    [
      "and after a pack that cannot be used",
      requesting({ operation: "pack" }),
      { kind: "spoilt" },
      requesting(),
      request("request"),
    ],
    [
      "and, the next time, after silence",
      requesting({ operation: "pack" }),
      { kind: "failed" },
      waiting({ attempt: 2 }),
      CLOSE,
      wait(1000, "retry"),
    ],
  ];

  it.each(PACK)("Bootstrap-Pack: %s", (_what, now, event, ...step) => {
    expect(nextBootstrap(now, event, { ...TIMING, pack: "try" })).toEqual(step);
  });
});
