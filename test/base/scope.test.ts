import { describe, expect, it } from "vitest";
import { abortable, sleep, systemClock } from "../../src/base/clock.js";
import { backOffMs } from "../../src/base/retry.js";
import { Scope } from "../../src/base/scope.js";
import { FakeClock, settle } from "../fakes/clock.js";

describe("scope", () => {
  it("aborts, waits for what runs, then closes in reverse order, children first", async () => {
    const events: string[] = [];
    const scope = new Scope((error) => events.push(String(error)));
    scope.defer(() => void events.push("first closer"));
    scope.child().defer(() => void events.push("child's closer"));
    scope.spawn(async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await settle();
      events.push("work ended");
    });
    await scope[Symbol.asyncDispose]();
    expect(events).toEqual(["work ended", "child's closer", "first closer"]);
  });

  it("tells of failures and closes the rest all the same", async () => {
    const failures: unknown[] = [];
    const scope = new Scope((error) => failures.push(error));
    let closed = 0;
    scope.defer(() => void closed++);
    scope.defer(() => {
      throw new Error("closer");
    });
    scope.spawn(() => Promise.reject(new Error("work")));
    await settle();
    await scope[Symbol.asyncDispose]();
    expect(failures.map(String)).toEqual(["Error: work", "Error: closer"]);
    expect(closed).toBe(1);
  });

  it("closes once, and runs late closers at once", async () => {
    const scope = new Scope(() => undefined);
    let closed = 0;
    scope.defer(() => void closed++);
    await Promise.all([scope[Symbol.asyncDispose](), scope[Symbol.asyncDispose]()]);
    scope.defer(() => void closed++);
    expect(closed).toBe(2);
  });
});

describe("clock", () => {
  it("sleep ends when time has come or when the signal aborts", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const ended: string[] = [];
    void sleep(clock, 1000, stop.signal).then(() => ended.push("slept"));
    void sleep(clock, 5000, stop.signal).catch(() => ended.push("aborted"));
    await clock.advance(1000);
    expect(ended).toEqual(["slept"]);
    stop.abort();
    await settle();
    expect(ended).toEqual(["slept", "aborted"]);
    expect(clock.pendingCount).toBe(0);
  });

  it("the system clock does not fire a delay beyond 24.8 days at once", async () => {
    let fired = false;
    const timer = systemClock.schedule(2 ** 32, () => {
      fired = true;
    });
    await settle();
    timer.cancel();
    expect(fired).toBe(false);
  });

  it("abortable leaves a promise that never settles", async () => {
    const stop = new AbortController();
    const waiting = abortable(new Promise(() => undefined), stop.signal);
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

it.each([
  [0, 0, 1000],
  [1, 0, 2000],
  [10, 0, 60_000],
  [0, 1, 700],
])("back-off attempt %i with random %i is %i ms", (attempt, random, expected) => {
  expect(backOffMs({ firstMs: 1000, factor: 2, maxMs: 60_000, jitter: 0.3 }, attempt, () => random)).toBe(expected);
});
