import { describe, expect, it } from "vitest";
import { keepServers } from "../../../src/lwm2m/observation/kept-observations.js";
import { type Json, MemoryState, type StateSection } from "../../../src/lwm2m/state/client-state.js";
import { FakeClock } from "../../fakes/clock.js";
import { ObserverBench } from "../../fakes/observer-bench.js";

const TEMPERATURE = "/3303/0/5700";

/** The process ends and a new one begins on what was kept; `crash` leaves it no time to write. */
function restart(before: ObserverBench, state: MemoryState, how: "clean" | "crash", value: number | "none" = 20) {
  if (how === "clean") before.observer[Symbol.dispose]();
  const after = new ObserverBench({ clock: before.clock, state, value });
  after.restore();
  return after;
}

describe("observations over a restart", () => {
  it.each(["clean", "crash"] as const)("go on with the next sequence number after a %s end", async (how) => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    before.observe(TEMPERATURE);
    await before.measure(21);
    const last = before.told.at(-1)?.response.observe ?? 0;
    const after = restart(before, state, how, 21);
    expect(after.observer.size).toBe(1);
    after.observer.resume();
    await after.measure(22);
    const next = after.told.at(-1)?.response.observe ?? 0;
    if (how === "clean") expect(next).toBe(last + 1);
    else expect(next).toBeGreaterThan(last);
    expect(after.told.at(-1)?.token).toEqual(before.told.at(-1)?.token);
  });

  it("are written a few at a time when there are many", async () => {
    class CountingState extends MemoryState {
      readonly puts = new Map<number, number>();

      override put(section: StateSection, key: string, document: Json): void {
        super.put(section, key, document);
        const nowMs = clock.monotonicMs();
        if (section === "observations") this.puts.set(nowMs, (this.puts.get(nowMs) ?? 0) + 1);
      }
    }
    const clock = new FakeClock();
    const state = new CountingState();
    const before = new ObserverBench({ clock, state });
    for (let number = 0; number < 600; number++) before.observe(`${TEMPERATURE}?pmax=${1000 + number}`);
    await before.measure(21);
    state.puts.clear();
    await clock.advance(10_100);
    expect([...state.puts.values()]).toEqual([250, 250, 100]);
    await clock.advance(60_000);
    expect(state.puts.size).toBe(3);
  });

  it("are silent until they go on, and then tell what has changed meanwhile", async () => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    for (const target of [TEMPERATURE, "/3303/1/5700"]) before.observe(target);
    await before.measure(21);
    await before.clock.advance(10_000);
    const after = restart(before, state, "crash", 20);
    expect(await after.values()).toEqual([]);
    after.observer.resume();
    expect(await after.values()).toEqual(["20@11"]);
  });

  it("go on by conditions and periods since what was told last", async () => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    before.view.attributes.write([3303, 0, 5700], { gt: 30, pmin: 60 });
    before.observe(TEMPERATURE);
    await before.clock.advance(60_000);
    await before.measure(31);
    await before.clock.advance(10_000);
    const after = restart(before, state, "crash", 35);
    expect(after.view.attributes.attached([3303, 0, 5700])).toEqual({ gt: 30, pmin: 60 });
    after.observer.resume();
    await after.measure(29);
    await after.clock.advance(40_000);
    expect(await after.values()).toEqual([]);
    await after.clock.advance(10_000);
    expect(await after.values()).toEqual(["29@72"]);
  });

  it("still ask once a day whether the server wants them", async () => {
    const state = new MemoryState();
    const defaults = () => ({ delivery: "NON" }) as const;
    const before = new ObserverBench({ state, defaults });
    before.observe(TEMPERATURE);
    await before.clock.advance(23 * 3_600_000);
    before.observer[Symbol.dispose]();
    const after = new ObserverBench({ clock: before.clock, state, defaults });
    after.restore();
    after.observer.resume();
    await after.measure(21);
    await after.clock.advance(3_600_000);
    await after.measure(22);
    expect(after.told.map(({ delivery }) => delivery)).toEqual(["NON", "CON"]);
  });

  it("keep what an Observe or Observe-Composite asked for", async () => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    const payload = '[{"n":"/3303/0/5700"},{"n":"/3303/7"}]';
    before.observe(`${TEMPERATURE}?lt=10`);
    before.observe("/", { contentFormat: 110, payload, method: "FETCH" });
    const after = restart(before, state, "crash");
    after.observer.resume();
    await after.measure(15);
    expect(await after.values()).toEqual(["15@1"]);
    await after.measure(5);
    expect(await after.values()).toEqual(["5@2", "5@2"]);
    expect(after.told).toEqual([]);
  });

  it("wait for a device that has not answered yet", async () => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    before.view.attributes.write([3303, 0, 5700], { pmax: 10 });
    before.observe(TEMPERATURE);
    const after = restart(before, state, "crash", "none");
    after.observer.resume();
    await after.clock.advance(25_000);
    expect(await after.values()).toEqual([]);
    await after.measure(22);
    expect(await after.values()).toEqual(["22@26"]);
    expect(after.observer.size).toBe(1);
  });

  it("end with an error when their target is gone, and are forgotten", async () => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    before.tree.addInstance(before.tree.instance(3303, 0)?.model ?? raise(), 9);
    before.tree.set([3303, 9, 5700], { value: 1, atMs: 0 });
    before.observe("/3303/9/5700");
    const after = restart(before, state, "crash");
    expect(after.observer.size).toBe(0);
    after.observer.resume();
    expect(await after.values()).toEqual(["4.04"]);
    expect(keysOf(state)).toEqual(["1"]);
  });

  it("are forgotten when they are cancelled or void", () => {
    const state = new MemoryState();
    const bench = new ObserverBench({ state });
    for (const target of [TEMPERATURE, "/3303/1/5700", "/3303/0"]) bench.observe(target);
    expect(keysOf(state)).toHaveLength(4);
    bench.observer.cancel(new TextEncoder().encode(TEMPERATURE));
    expect(keysOf(state)).toHaveLength(3);
    bench.observer.clear();
    expect(keysOf(state)).toEqual(["1"]);
  });

  it("write a fast value once in ten seconds", async () => {
    const state = new MemoryState();
    let puts = 0;
    const put = state.put.bind(state);
    state.put = (...parts) => {
      puts++;
      put(...parts);
    };
    const bench = new ObserverBench({ state });
    bench.observe(TEMPERATURE);
    puts = 0;
    for (let second = 1; second <= 60; second++) await bench.measure(second);
    expect(puts).toBeLessThanOrEqual(6);
  });

  it.each([null, 7, {}, { method: "PUT" }, { method: "GET", path: [1], query: [], payload: "", values: {} }])(
    "leave out what they cannot understand: %j",
    (document) => {
      const state = new MemoryState();
      state.put("observations", "1/ab", document);
      state.put("observations", "1/no-token", document);
      state.put("observations", "2/ab", document);
      const bench = new ObserverBench({ state });
      bench.restore();
      expect(bench.observer.size).toBe(0);
      expect(keysOf(state)).toEqual(["1", "2/ab"]);
    },
  );
});

describe("attributes over a restart", () => {
  it("stay with their server until their target is gone", () => {
    const state = new MemoryState();
    const before = new ObserverBench({ state });
    const { attributes } = before.view;
    attributes.write([3303], { pmin: 5 });
    attributes.write([3303, 1, 5700], { gt: 3, st: 0.5 });
    attributes.write([3303, 0, 5700], { con: 1 });
    attributes.write([3303, 0, 5700], { con: null });
    expect(new ObserverBench({ state }).view.attributes.attached([3303, 1, 5700])).toEqual({ gt: 3, st: 0.5 });
    before.tree.removeInstance(3303, 1);
    expect([...state.load("attributes").keys()]).toEqual(["1/3303"]);
    expect(new ObserverBench({ state }).view.attributes.attached([3303])).toEqual({ pmin: 5 });
  });

  it("of what does not exist any more, or cannot be understood, are left out", () => {
    const state = new MemoryState();
    state.put("attributes", "1/3303/5", { pmin: 1 });
    state.put("attributes", "1/3303/0", { pmin: "1" });
    state.put("attributes", "1/3303/1", { gt: 1, lt: 2 });
    state.put("attributes", "2/3303/5", { pmin: 1 });
    const { attributes } = new ObserverBench({ state }).view;
    for (const instanceId of [0, 1, 5]) expect(attributes.attached([3303, instanceId])).toEqual({});
    expect([...state.load("attributes").keys()]).toEqual(["2/3303/5"]);
  });
});

it("nothing is left of a server whose account is gone", () => {
  const state = new MemoryState();
  const bench = new ObserverBench({ state });
  bench.view.attributes.write([3303], { pmin: 5 });
  bench.observe(TEMPERATURE);
  state.put("observations", "12", 7);
  keepServers(state, new Set([12]));
  expect(keysOf(state)).toEqual(["12"]);
  expect(state.load("attributes").size).toBe(0);
});

function keysOf(state: MemoryState): readonly string[] {
  return [...state.load("observations").keys()].sort();
}

function raise(): never {
  throw new Error("there is no such instance");
}
