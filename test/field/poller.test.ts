import { describe, expect, it } from "vitest";
import { Scope } from "../../src/base/scope.js";
import { nextSlotMs, Poller, phaseOf } from "../../src/field/poller.js";
import { FakeClock } from "../fakes/clock.js";

describe("the poller", () => {
  const slots: readonly (readonly [number, number, number, number])[] = [
    [0, 1000, 300, 300],
    [300, 1000, 300, 1300],
    [299.9, 1000, 300, 300],
    [7950, 1000, 300, 8300],
    [10, 1000, 0, 1000],
  ];
  it.each(slots)("after %d ms, every %d ms with phase %d, comes %d", (nowMs, periodMs, phaseMs, expected) => {
    expect(nextSlotMs(nowMs, periodMs, phaseMs)).toBe(expected);
  });

  it("spreads names that are alike over the period", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let index = 0; index < 1000; index++) {
      const tenth = Math.floor(phaseOf(`meter-${index}/fast`) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(60);
    expect(Math.max(...tenths)).toBeLessThan(150);
  });

  it("calls every slot once a period, with one timer for all", async () => {
    const clock = new FakeClock();
    const scope = new Scope(() => undefined);
    const poller = new Poller(clock, scope);
    const calls = new Map<string, number[]>();
    for (let index = 0; index < 100; index++) {
      const name = `d${index}`;
      calls.set(name, []);
      poller.every(index % 2 === 0 ? 1000 : 250, name, () => calls.get(name)?.push(clock.monotonicMs()));
    }
    expect(clock.pendingCount).toBe(1);
    await clock.advance(10_000);
    for (const [name, times] of calls) {
      const periodMs = Number(name.slice(1)) % 2 === 0 ? 1000 : 250;
      expect(times).toHaveLength(10_000 / periodMs);
      for (const timeMs of times) expect(timeMs % periodMs).toBe(Math.floor(phaseOf(name) * periodMs));
    }
    await scope[Symbol.asyncDispose]();
    expect(clock.pendingCount).toBe(0);
  });

  it("keeps nothing of slots that were cancelled, however far off they were", async () => {
    const clock = new FakeClock();
    const scope = new Scope(() => undefined);
    const poller = new Poller(clock, scope);
    const calls: string[] = [];
    const kept = Array.from({ length: 10 }, (_, index) =>
      poller.every(1000, `k${index}`, () => calls.push(`k${index}`)),
    );
    const others = Array.from({ length: 100 }, (_, index) =>
      poller.every(86_400_000, `o${index}`, () => calls.push("o")),
    );
    for (const slot of others) slot[Symbol.dispose]();
    await clock.advance(1000);
    expect(calls.sort()).toEqual(kept.map((_, index) => `k${index}`));
    for (const slot of kept) slot[Symbol.dispose]();
    kept[0]?.[Symbol.dispose]();
    expect(clock.pendingCount).toBe(0);
    await scope[Symbol.asyncDispose]();
  });

  it("calls no slot that was cancelled, and the others as before", async () => {
    const clock = new FakeClock();
    const scope = new Scope(() => undefined);
    const poller = new Poller(clock, scope);
    const calls: string[] = [];
    const slots = ["a", "b", "c", "d"].map((name) => poller.every(1000, name, () => calls.push(name)));
    await clock.advance(1000);
    calls.length = 0;
    slots[0]?.[Symbol.dispose]();
    slots[2]?.[Symbol.dispose]();
    await clock.advance(2000);
    expect(calls.sort()).toEqual(["b", "b", "d", "d"]);
    slots[1]?.[Symbol.dispose]();
    slots[3]?.[Symbol.dispose]();
    await clock.advance(2000);
    expect(clock.pendingCount).toBe(0);
    await scope[Symbol.asyncDispose]();
  });
});
