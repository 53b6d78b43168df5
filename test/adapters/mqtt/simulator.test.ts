import { afterEach, beforeEach, expect, it } from "vitest";
import { simulateMqtt } from "../../../adapters/mqtt/simulator.js";
import { MqttRig } from "./mqtt-rig.js";
import { mqttPoint, mqttStation } from "./points.js";

const forever = new AbortController().signal;
const POINTS = [
  mqttPoint("power", { at: { topic: "z/{id}", json: "energy.power" }, type: "number" }),
  mqttPoint("lamp", { at: { topic: "z/{id}", json: "state" }, write: { topic: "z/{id}/set", json: "state" } }, "rw"),
  mqttPoint(
    "output",
    {
      at: { topic: "s/{id}", json: "on" },
      type: "boolean",
      write: {
        topic: "s/{id}/set",
        map: new Map([
          ["true", "on"],
          ["false", "off"],
        ]),
      },
    },
    "rw",
  ),
  mqttPoint(
    "level",
    { at: { topic: "l/{id}" }, type: "number", write: { topic: "l/{id}/set", payload: "dim {value} now" } },
    "rw",
  ),
  mqttPoint("raw", { at: { topic: "r/{id}", offset: 2 }, type: "uint16" }),
  mqttPoint("button", { at: { topic: "b/{id}" } }, "w"),
];

let rig: MqttRig;
beforeEach(async () => {
  rig = await MqttRig.listen();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

it("publishes what is set, keeps it, and takes commands", async () => {
  const station = mqttStation("a");
  await using simulated = await simulateMqtt([{ station, points: POINTS }]);
  simulated.set("a", "lamp", "OFF");
  simulated.set("a", "power", 12.5);
  const field = await rig.open([[station, POINTS]], simulated.link);
  await rig.until(() => rig.bus?.state === "up");
  await rig.clock.advance(0);
  expect(await rig.news(2)).toEqual(["a.power good 12.5", "a.lamp good OFF"]);
  simulated.set("a", "raw", 258);
  expect(await rig.news(1)).toEqual(["a.raw good 258"]);
  for (const [point, value] of [
    ["lamp", "ON"],
    ["output", true],
    ["output", false],
    ["level", 40],
    ["button", "press"],
  ] as const) {
    await field.write("a", point, value, forever);
    expect(simulated.get("a", point)).toBe(value);
  }
  expect(simulated.get("a", "power")).toBe(12.5);
});

it("answers what asks for its state, and takes it for no command", async () => {
  const station = mqttStation("a", { request: [{ topic: "cmnd/{id}" }] });
  const power = mqttPoint("power", { at: { topic: "stat/{id}" }, write: { topic: "cmnd/{id}" } }, "rw");
  await using simulated = await simulateMqtt([{ station, points: [power] }]);
  simulated.set("a", "power", "ON");
  await rig.open([[station, [power]]], simulated.link);
  await rig.until(() => rig.bus?.state === "up");
  await rig.clock.advance(0);
  expect(await rig.news(2)).toEqual(["a.power good ON", "a.power good ON"]);
  expect(simulated.get("a", "power")).toBe("ON");
});

it("says what is not there", async () => {
  await using simulated = await simulateMqtt([{ station: mqttStation("a"), points: POINTS }]);
  expect(() => simulated.set("b", "lamp", "ON")).toThrow("no station 'b'");
  expect(() => simulated.set("a", "lamb", "ON")).toThrow("no point 'lamb'");
  expect(() => simulated.get("a", "lamp")).toThrow("no value yet");
});
