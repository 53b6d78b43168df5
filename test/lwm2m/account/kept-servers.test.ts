import { expect, it } from "vitest";
import { keepServers } from "../../../src/lwm2m/observation/kept-observations.js";
import { MemoryState } from "../../../src/lwm2m/state/client-state.js";

it("nothing is kept of servers whose accounts are gone", () => {
  const state = new MemoryState();
  for (const id of ["1", "12", "2"]) {
    state.put("registrations", id, {});
    state.put("observations", id, 4096);
    state.put("observations", `${id}/0a1b`, {});
    state.put("attributes", `${id}/3303/0/5700`, {});
    state.put("attributes", `${id}/d01/3303`, {});
  }
  state.put("instances", "/16/2", {});
  keepServers(state, new Set([12]));
  expect([...state.load("registrations").keys()]).toEqual(["12"]);
  expect([...state.load("observations").keys()]).toEqual(["12", "12/0a1b"]);
  expect([...state.load("attributes").keys()]).toEqual(["12/3303/0/5700", "12/d01/3303"]);
  expect([...state.load("instances").keys()]).toEqual(["/16/2"]);
});
