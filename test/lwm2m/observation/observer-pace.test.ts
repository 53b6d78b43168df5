import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../src/lwm2m/observation/attributes.js";
import { demandOf, type EvaluationDemand, jointDemand } from "../../../src/lwm2m/observation/evaluation-demand.js";
import { model } from "../../fakes/lwm2m-client.js";
import { ObserverBench } from "../../fakes/observer-bench.js";

const PATH = [3303, 0, 5700];
const TARGET = "/3303/0/5700";
const NEVER = Number.POSITIVE_INFINITY;

describe("epmin", () => {
  it("holds evaluations back; the newest value is evaluated when it is over", async () => {
    const bench = new ObserverBench();
    bench.view.attributes.write(PATH, { epmin: 5, gt: 50 });
    bench.observe(TARGET);
    await bench.measure(30);
    // Comes and goes between two evaluations.
    await bench.measure(60);
    await bench.measure(40);
    await bench.clock.advance(10_000);
    expect(await bench.values()).toEqual([]);
    await bench.measure(41);
    await bench.measure(70);
    expect(await bench.values()).toEqual([]);
    await bench.clock.advance(4000);
    expect(await bench.values()).toEqual(["70@15"]);
  });

  it("counts for each value of an instance by itself", async () => {
    const bench = new ObserverBench();
    bench.view.attributes.write([3303, 0], { epmin: 5 });
    bench.tree.set([3303, 0, 5601], { value: 1, atMs: bench.clock.nowMs() });
    bench.observe("/3303/0");
    await bench.measure(30);
    bench.tree.set([3303, 0, 5601], { value: 2, atMs: bench.clock.nowMs() });
    expect(await bench.values()).toEqual(["30@1 1@1", "30@1 2@1"]);
  });

  it("leaves nothing behind when the observation ends", async () => {
    const bench = new ObserverBench();
    bench.observe(`${TARGET}?epmin=3600`);
    await bench.measure(30);
    await bench.measure(31);
    expect(bench.clock.pendingCount).toBe(1);
    bench.observer.cancel(new TextEncoder().encode(`${TARGET}?epmin=3600`));
    expect(bench.clock.pendingCount).toBe(0);
  });
});

describe("an edge", () => {
  it("is seen each time, though the way back is not told", async () => {
    const bench = new ObserverBench();
    bench.tree.addInstance(model(3342), 0);
    const set = async (value: boolean) => {
      await bench.clock.advance(1000);
      bench.tree.set([3342, 0, 5500], { value, atMs: bench.clock.nowMs() });
    };
    await set(true);
    bench.observe("/3342/0/5500?edge=1");
    for (const value of [false, true, true, false, false, true, false]) await set(value);
    await bench.clock.advance(0);
    expect(bench.told).toHaveLength(2);
  });
});

describe("what servers want measured", () => {
  it.each<[Attributes[], EvaluationDemand | undefined]>([
    [[], undefined],
    [[{}], { minMs: 0, maxMs: NEVER }],
    [[{ epmin: 5, epmax: 60 }], { minMs: 5000, maxMs: 60_000 }],
    [[{ epmin: 5, epmax: 60 }, {}], { minMs: 0, maxMs: 60_000 }],
    [[{ epmin: 5, epmax: 60 }, { epmin: 30 }, { epmin: 10, epmax: 20 }], { minMs: 5000, maxMs: 20_000 }],
    [[{ epmin: 30 }, { epmin: 20, epmax: 25 }], { minMs: 20_000, maxMs: 25_000 }],
    [[{ epmin: 30, epmax: 0 }], { minMs: 30_000, maxMs: NEVER }],
  ])("%j → %j", (attributes, expected) => {
    expect(jointDemand(attributes.map(demandOf))).toEqual(expected);
  });

  it("is known by path, with inheritance, and changes are told", () => {
    const changes: (EvaluationDemand | undefined)[] = [];
    const bench: ObserverBench = new ObserverBench({
      onDemand: () => changes.push(bench.observer.demandOf(bench.view, PATH)),
    });
    bench.observe(TARGET);
    expect(changes).toEqual([]);
    bench.view.attributes.write([3303], { epmax: 10 });
    bench.observer.attributesChanged(bench.view, [3303]);
    expect(changes.at(-1)).toEqual({ minMs: 0, maxMs: 10_000 });
    bench.observe("/3303/0?epmin=2&epmax=5");
    expect(changes.at(-1)).toEqual({ minMs: 0, maxMs: 5000 });
    expect(bench.observer.demandOf(bench.view, [3303, 1, 5700])).toBeUndefined();
    bench.observer.clear();
    expect(changes.at(-1)).toBeUndefined();
  });
});
