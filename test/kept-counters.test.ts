import { expect, it } from "vitest";
import { KeptCounters } from "../src/kept-counters.js";
import { type Json, MemoryState } from "../src/lwm2m/state/client-state.js";
import { FakeClock } from "./fakes/clock.js";

const MINUTE_MS = 60_000;

function again(state: MemoryState, profile = "meter") {
  return Object.fromEntries(new KeptCounters(state, new FakeClock()).load("hall", profile));
}

it("what was carried is kept at once, what only grew within a minute", async () => {
  const state = new MemoryState();
  const clock = new FakeClock();
  using counters = new KeptCounters(state, clock);
  counters.load("hall", "meter");
  counters.keep("hall", "energy", { raw: 5, carried: 0 });
  expect(again(state)).toEqual({ energy: { raw: 5, carried: 0 } });
  counters.keep("hall", "energy", { raw: 6, carried: 0 });
  expect(again(state)).toEqual({ energy: { raw: 5, carried: 0 } });
  await clock.advance(MINUTE_MS);
  expect(again(state)).toEqual({ energy: { raw: 6, carried: 0 } });
  counters.keep("hall", "energy", { raw: 1, carried: 256 });
  expect(again(state)).toEqual({ energy: { raw: 1, carried: 256 } });
});

it("all is kept when the gateway ends", () => {
  const state = new MemoryState();
  const counters = new KeptCounters(state, new FakeClock());
  counters.load("hall", "meter");
  for (const raw of [5, 6, 7]) counters.keep("hall", "energy", { raw, carried: 0 });
  counters[Symbol.dispose]();
  expect(again(state)).toEqual({ energy: { raw: 7, carried: 0 } });
});

it.each<[string, Json]>([
  ["another profile's", { profile: "other", points: { energy: { raw: 5, carried: 256 } } }],
  ["no object", [1, 2]],
  ["without points", { profile: "meter" }],
  ["of text", { profile: "meter", points: { energy: { raw: "5", carried: 0 } } }],
  ["a number", { profile: "meter", points: { energy: 5 } }],
])("a document that is %s counts nothing", (_, document) => {
  const state = new MemoryState();
  state.put("counters", "hall", document);
  expect(again(state)).toEqual({});
});
