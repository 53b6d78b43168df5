import { expect, it } from "vitest";
import type { MqttPoint } from "../../../adapters/mqtt/options.js";
import { Message } from "../../../adapters/mqtt/payload.js";
import { StationEar } from "../../../adapters/mqtt/station-ear.js";
import type { Reading } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { random } from "../../fakes/random.js";
import { mqttPoint, mqttStation } from "./points.js";

const ROUNDS = 3000;
const PLACES: readonly MqttPoint[] = [
  { at: { topic: "t", json: "a.b[1]" } },
  { at: { topic: "t", json: "a" }, type: "number" },
  { at: { topic: "t", json: "$" }, type: "string" },
  { at: { topic: "t", json: "c", match: "([\\d.]+)" }, type: "number" },
  { at: { topic: "t" }, type: "number" },
  { at: { topic: "t" }, type: "boolean" },
  { at: { topic: "t", match: "v=(-?[\\d.]+)" }, type: "number" },
  { at: { topic: "t", offset: 3 }, type: "float32" },
  { at: { topic: "t", offset: 0 }, type: "uint64", order: "little" },
  { at: { topic: "t", offset: 1 }, type: "int24", bits: { at: 3, width: 4 } },
];
const PAYLOADS = [
  '{"a":{"b":[1,2.5]},"c":"7 V"}',
  '{"a":1e999}',
  "v=3.5",
  "true",
  "[]",
  "null",
  '"\\ud800"',
  "NaN",
] as const;

it("whatever is published, readings are values that can be, or say what is wrong", () => {
  const { seed, below, bytes, pick } = random();
  const heard: Reading[] = [];
  const sink = { readings: (readings: readonly Reading[]) => heard.push(...readings), gone: () => undefined };
  const points = PLACES.map((address, index) => mqttPoint(`p${index}`, address));
  const station = mqttStation("a", { availability: { topic: "t", json: "a.b" } });
  const ear = new StationEar(station, points, sink, new FakeClock());
  for (let round = 0; round < ROUNDS; round++) {
    const payload = Buffer.from(pick(PAYLOADS));
    for (let flips = below(4); flips > 0; flips--) payload[below(payload.length)] = below(256);
    const published = below(3) === 0 ? bytes(below(20)) : payload.subarray(0, below(payload.length + 1));
    ear.hear(new Message("t", published, below(2) === 0 ? "live" : "retained"));
  }
  const odd = heard.filter(
    ({ quality, value }) =>
      (quality !== "good" && quality !== "invalid") || (typeof value === "number" && !Number.isFinite(value)),
  );
  expect(odd, `seed ${seed}`).toEqual([]);
  expect(heard.length).toBeGreaterThan(ROUNDS);
});
