import { describe, expect, it } from "vitest";
import { ObserverBench } from "../../fakes/observer-bench.js";

const TEMPERATURE = [3303, 0, 5700];

describe("a paused Observer", () => {
  it("sends nothing, and afterwards the newest of what is due, with its time", async () => {
    const bench = new ObserverBench();
    for (const target of ["/3303/0/5700", "/3303/1/5700"]) bench.observe(target);
    bench.observer.pause();
    await bench.measure(31, 1);
    for (const value of [21, 22, 23]) await bench.measure(value);
    expect(await bench.values()).toEqual([]);
    await bench.clock.advance(10_000);
    bench.observer.resume();
    expect(await bench.values()).toEqual(["31@1", "23@4"]);
    await bench.measure(24);
    expect(await bench.values()).toEqual(["24@15"]);
  });

  it("knows what was overtaken meanwhile, however far apart", async () => {
    const bench = new ObserverBench();
    bench.observe("/3303/0/5700");
    bench.observer.pause();
    const timesMs: number[] = [];
    for (const value of [21, 22, 23]) {
      await bench.clock.advance(300_000);
      await bench.measure(value);
      timesMs.push(bench.clock.nowMs());
    }
    const tellings = () => timesMs.map((atMs) => bench.observer.telling(bench.view, TEMPERATURE, atMs));
    expect(tellings()).toEqual(["overtaken", "overtaken", "underway"]);
    bench.observer.resume();
    expect(await bench.values()).toEqual(["23@903"]);
    expect(tellings()).toEqual(["overtaken", "overtaken", "told"]);
  });

  it("ends nothing and repeats what pmax asks for once", async () => {
    const bench = new ObserverBench();
    bench.view.attributes.write([3303, 0, 5700], { pmax: 10 });
    bench.observe("/3303/0/5700");
    bench.observer.pause();
    await bench.clock.advance(95_000);
    expect(await bench.values()).toEqual([]);
    bench.observer.resume();
    expect(await bench.values()).toEqual(["20@0"]);
    await bench.clock.advance(10_000);
    expect(await bench.values()).toEqual(["20@0"]);
  });

  it("says afterwards what has gone meanwhile", async () => {
    const bench = new ObserverBench();
    bench.observe("/3303/1/5700");
    bench.observer.pause();
    bench.tree.removeInstance(3303, 1);
    expect(bench.observer.size).toBe(0);
    expect(await bench.values()).toEqual([]);
    bench.observer.resume();
    expect(await bench.values()).toEqual(["4.04"]);
  });
});

describe("a server that is lost", () => {
  it("is told again what it did not acknowledge", async () => {
    const bench = new ObserverBench();
    bench.observe("/3303/0/5700");
    bench.delivery = "timeout";
    await bench.measure(21);
    expect(bench.events).toEqual(["lost"]);
    bench.observer.pause(bench.clock.nowMs());
    expect(await bench.values()).toEqual(["21@1"]);
    bench.delivery = undefined;
    bench.observer.resume();
    expect(await bench.values()).toEqual(["21@1"]);
    expect(bench.observer.telling(bench.view, TEMPERATURE, bench.clock.nowMs())).toBe("told");
  });

  it("may have missed all since it was last known to live", async () => {
    const bench = new ObserverBench({ defaults: () => ({ delivery: "NON" }) });
    bench.observe("/3303/0/5700");
    const timesMs: number[] = [];
    for (const value of [21, 22, 23, 24]) {
      await bench.measure(value);
      timesMs.push(bench.clock.nowMs());
    }
    await bench.values();
    bench.observer.pause(timesMs[1] ?? 0);
    const tellings = () => timesMs.map((atMs) => bench.observer.telling(bench.view, TEMPERATURE, atMs));
    expect(tellings()).toEqual(["told", "overtaken", "overtaken", "overtaken"]);
    bench.observer.resume();
    expect(await bench.values()).toEqual(["24"]);
    expect(tellings()).toEqual(["told", "overtaken", "overtaken", "told"]);
  });
});

describe("a change that came and went while pmin lasted", () => {
  it("of a part of an instance is told with its time, and then what is there", async () => {
    const bench = new ObserverBench();
    bench.tree.set([3303, 0, 5601], { value: 1, atMs: bench.clock.nowMs() });
    bench.view.attributes.write([3303, 0], { pmin: 10 });
    bench.observe("/3303/0");
    await bench.measure(99);
    await bench.measure(20);
    await bench.clock.advance(8000);
    expect(await bench.values()).toEqual(["99@1 1@1"]);
    await bench.clock.advance(10_000);
    expect(await bench.values()).toEqual(["20@2 1@2"]);
    await bench.clock.advance(60_000);
    expect(await bench.values()).toEqual([]);
  });

  it("is not followed by what is no step from it", async () => {
    const bench = new ObserverBench();
    bench.view.attributes.write(TEMPERATURE, { pmin: 10, st: 5 });
    bench.observe("/3303/0/5700");
    await bench.measure(26);
    await bench.measure(23);
    await bench.clock.advance(60_000);
    expect(await bench.values()).toEqual(["26@1"]);
  });
});
