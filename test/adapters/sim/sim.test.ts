import { describe, expect, it } from "vitest";
import sim from "../../../adapters/sim/index.js";
import { WAVES, waveValue } from "../../../adapters/sim/wave.js";
import { silentLog } from "../../../src/base/log.js";
import type { Point } from "../../../src/field/index.js";
import { FakeClock } from "../../fakes/clock.js";

describe("simulated values", () => {
  const cases = [
    ["sine", 0, 15],
    ["sine", 250, 20],
    ["sine", 750, 10],
    ["square", 100, 20],
    ["square", 600, 10],
    ["ramp", 500, 15],
    ["constant", 123, 10],
  ] as const;
  it.each(cases)("%s after %d ms is %d", (wave, nowMs, value) => {
    expect(waveValue({ wave, min: 10, max: 20, periodMs: 1000 }, "p", nowMs)).toBeCloseTo(value, 9);
  });

  it("stay within their bounds, and random ones hold for a period", () => {
    for (const wave of WAVES) {
      for (let nowMs = 0; nowMs < 100_000; nowMs += 137) {
        const value = waveValue({ wave, min: -1, max: 1, periodMs: 1000 }, "p", nowMs);
        expect(Math.abs(value)).toBeLessThanOrEqual(1);
      }
    }
    const at = (nowMs: number) => waveValue({ wave: "random", min: 0, max: 1, periodMs: 1000 }, "p", nowMs);
    expect(at(1999)).toBe(at(1000));
    expect(at(2000)).not.toBe(at(1999));
  });

  it("keep what is written", async () => {
    const clock = new FakeClock();
    const signal = new AbortController().signal;
    const link = await sim.open(
      {},
      { name: "s", clock, log: silentLog, secret: (text: string) => Promise.resolve(text) },
      signal,
    );
    const point: Point<unknown> = { name: "p", access: "rw", pollClass: "fast", address: { wave: "constant", min: 4 } };
    const station = { name: "d", address: {}, traits: {} };
    expect(await link.read(station, [point], signal)).toMatchObject([{ point: "p", quality: "good", value: 4 }]);
    await link.write(station, point, 9, signal);
    expect(await link.read(station, [point], signal)).toMatchObject([{ value: 9 }]);
    await link[Symbol.asyncDispose]();
    expect(await link.closed).toMatchObject({ code: "LINK_CLOSED" });
  });
});
