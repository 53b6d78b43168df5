import { describe, expect, it } from "vitest";
import { type BusProgress, stalledBuses } from "../src/service.js";

function bus(exchanges: number, queued: number, state: BusProgress["state"] = "up"): BusProgress {
  return { medium: "tty", state, exchanges, queued };
}

describe("a bus is stuck only when work waited all the time and none was finished", () => {
  it.each<[string, BusProgress, BusProgress, readonly string[]]>([
    ["works", bus(10, 1), bus(11, 1), []],
    ["idle", bus(10, 0), bus(10, 0), []],
    ["work has just come", bus(10, 0), bus(10, 3), []],
    ["link is down and being reopened", bus(10, 3, "down"), bus(10, 3, "down"), []],
    ["came up meanwhile", bus(10, 3, "opening"), bus(10, 3), []],
    ["stuck", bus(10, 3), bus(10, 4), ["tty"]],
  ])("%s", (_, before, now, stalled) => {
    expect(stalledBuses([before], [now])).toEqual(stalled);
  });
});
