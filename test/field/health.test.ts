import { describe, expect, it } from "vitest";
import { HEALTH_LIMITS, type Health, initialHealth, nextHealth } from "../../src/field/health.js";

const start = initialHealth(1000);
const online: Health = { ...start, state: "online" };
const offline: Health = { state: "offline", failures: 2, answeredAtMs: 1000, sinceMs: 5000, probePauseMs: 500 };

describe("health", () => {
  const steps: readonly (readonly [string, Health, "answer" | "failure", number, Partial<Health>])[] = [
    ["an answer makes it online", start, "answer", 1500, { state: "online", sinceMs: 1500, failures: 0 }],
    ["a further answer changes nothing but its time", online, "answer", 9000, { sinceMs: 1000, answeredAtMs: 9000 }],
    ["one failure is not enough, however late", online, "failure", 99_000, { state: "online", failures: 1 }],
    ["many at once are not enough", { ...online, failures: 9 }, "failure", 3999, { state: "online", failures: 10 }],
    [
      "two failures and three seconds are",
      { ...online, failures: 1 },
      "failure",
      4000,
      { state: "offline", sinceMs: 4000 },
    ],
    ["also at the start", { ...start, failures: 1 }, "failure", 4000, { state: "offline" }],
    ["probes come later and later", offline, "failure", 6000, { probePauseMs: 1000, sinceMs: 5000 }],
    ["up to ten seconds", { ...offline, probePauseMs: 10_000 }, "failure", 60_000, { probePauseMs: 10_000 }],
    ["and after five minutes every minute", offline, "failure", 305_000, { probePauseMs: 60_000 }],
    [
      "an answer brings it back",
      { ...offline, probePauseMs: 9000 },
      "answer",
      9000,
      { state: "online", probePauseMs: 500 },
    ],
  ];
  it.each(steps)("%s", (_, before, event, nowMs, after) => {
    expect(nextHealth(before, event, nowMs, HEALTH_LIMITS)).toMatchObject(after);
  });
});
