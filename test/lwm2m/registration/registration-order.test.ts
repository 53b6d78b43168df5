import { describe, expect, it } from "vitest";
import { mayBegin, type Turn } from "../../../src/lwm2m/registration/registration-order.js";

function turn(shortServerId: number, priority: number | undefined, state: Turn["state"], block?: "block"): Turn {
  return { shortServerId, priority, state, onFailure: block ?? "proceed" };
}

describe("the order of registrations", () => {
  it.each<[string, readonly Turn[], readonly number[]]>([
    ["nobody waits", [turn(1, undefined, "registered")], []],
    ["without priorities all at once", [turn(1, undefined, "waiting"), turn(2, undefined, "waiting")], [1, 2]],
    ["the lowest number first", [turn(1, 5, "waiting"), turn(2, 1, "waiting")], [2]],
    ["one after the other", [turn(1, 1, "trying"), turn(2, 2, "waiting")], []],
    ["the next after a success", [turn(1, 1, "registered"), turn(2, 2, "waiting"), turn(3, 3, "waiting")], [2]],
    ["the next after a failure", [turn(1, 1, "failed"), turn(2, 2, "waiting")], [2]],
    ["none after a failure that blocks", [turn(1, 1, "failed", "block"), turn(2, 2, "waiting")], []],
    ["a blocking server that succeeds blocks nobody", [turn(1, 1, "registered", "block"), turn(2, 2, "waiting")], [2]],
    ["those without priority wait for nobody", [turn(1, 1, "trying"), turn(2, undefined, "waiting")], [2]],
    ["equal priorities in their order", [turn(1, 1, "waiting"), turn(2, 1, "waiting")], [1]],
  ])("%s", (_, turns, begin) => expect(mayBegin(turns)).toEqual(begin));
});
