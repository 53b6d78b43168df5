import { describe, expect, it } from "vitest";
import { ObserveSequence } from "../../../src/lwm2m/observation/observe-sequence.js";
import { MemoryState } from "../../../src/lwm2m/state/client-state.js";

describe("the numbers of notifications", () => {
  it("go on exactly after a close", () => {
    const state = new MemoryState();
    const before = new ObserveSequence(state, 7);
    expect([before.next(), before.next()]).toEqual([1, 2]);
    before.close();
    expect(new ObserveSequence(state, 7).next()).toBe(3);
  });

  it("never come twice after a crash, even if nothing was committed since the start", () => {
    const state = new MemoryState();
    const before = new ObserveSequence(state, 7);
    const onDisk = state.load("observations").get("7");
    const used = Array.from({ length: 1000 }, () => before.next());
    expect(onDisk).toBeGreaterThanOrEqual(used.at(-1) ?? 0);
    expect(new ObserveSequence(state, 7).next()).toBeGreaterThan(used.at(-1) ?? 0);
  });

  it("are reserved long before they are used", () => {
    const state = new MemoryState();
    const sequence = new ObserveSequence(state, 7);
    for (let count = 0; count < 20_000; count++) {
      const reserved = Number(state.load("observations").get("7"));
      expect(reserved - sequence.next()).toBeGreaterThan(1000);
    }
  });

  it("have 24 bit", () => {
    const state = new MemoryState();
    state.put("observations", "7", 0xff_ffff);
    expect(new ObserveSequence(state, 7).next()).toBe(0);
  });
});
