import { describe, expect, it } from "vitest";
import { busLoad } from "../../src/field/bus-load.js";
import { Utilisation } from "../../src/field/utilisation.js";
import { FakeClock } from "../fakes/clock.js";

describe("how much of its time a bus is used", () => {
  it("is a share of the last minute", async () => {
    const clock = new FakeClock();
    const utilisation = new Utilisation(clock);
    expect(utilisation.share).toBe(0);
    for (let second = 0; second < 30; second++) {
      await clock.advance(1000);
      utilisation.add(250);
    }
    expect(utilisation.share).toBeCloseTo(0.25, 2);
    await clock.advance(30_000);
    expect(utilisation.share).toBeCloseTo(0.125, 1);
    await clock.advance(60_000);
    expect(utilisation.share).toBe(0);
    utilisation.add(1_000_000);
    expect(utilisation.share).toBe(1);
  });

  it("is planned as cost over period; what is read once costs nothing", () => {
    expect(busLoad([])).toBe(0);
    expect(
      busLoad([
        { wireMs: 100, pace: 1000 },
        { wireMs: 50, pace: 100 },
        { wireMs: 400, pace: "once" },
      ]),
    ).toBeCloseTo(0.6);
  });
});
