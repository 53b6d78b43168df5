import { beforeEach, describe, expect, it } from "vitest";
import { Message } from "../../../adapters/mqtt/payload.js";
import { StationEar } from "../../../adapters/mqtt/station-ear.js";
import type { Reading } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { mqttPoint, mqttStation } from "./points.js";

const AVAILABILITY = { topic: "z/{id}/lwt" };
const temperature = mqttPoint("temperature", { at: { topic: "z/{id}" }, type: "number" });

let told: string[];
let ear: StationEar;
beforeEach(() => {
  told = [];
  const sink = {
    readings: (readings: readonly Reading[]) => void told.push(...readings.map(({ value }) => String(value))),
    gone: (reason: string) => void told.push(reason),
  };
  ear = new StationEar(mqttStation("a", { availability: AVAILABILITY }), [temperature], sink, new FakeClock());
});

function hear(topic: string, payload: string, origin: "live" | "retained"): void {
  ear.hear(new Message(topic, Buffer.from(payload), origin));
}

describe("what the broker sends once more when another station subscribes to the same topic", () => {
  it("does not count after what was heard live, which is newer", () => {
    hear("z/a", "20", "retained");
    hear("z/a", "21", "live");
    hear("z/a", "20", "retained");
    expect(told).toEqual(["20", "21"]);
  });

  it("makes no station go that has come back", () => {
    hear("z/a/lwt", "offline", "retained");
    hear("z/a/lwt", "online", "live");
    hear("z/a/lwt", "offline", "retained");
    expect(told).toEqual(["z/a/lwt says 'offline'"]);
  });

  it("counts for topics that were not heard yet", () => {
    hear("z/a", "21", "live");
    hear("z/a/lwt", "offline", "retained");
    expect(told).toEqual(["21", "z/a/lwt says 'offline'"]);
  });
});
