import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../src/lwm2m/observation/attributes.js";
import { type Decision, decide, deliveryOf, pmaxEndMs } from "../../../src/lwm2m/observation/observation.js";
import type { Value } from "../../../src/lwm2m/value.js";

const now: Decision = { send: "now" };
const no: Decision = { send: "no" };
const change = (seconds: number): Decision => ({ send: "at", ms: seconds * 1000, because: "change" });
const pmax = (seconds: number): Decision => ({ send: "at", ms: seconds * 1000, because: "pmax" });

type Row = [attributes: Attributes, from: Value | undefined, to: Value, seconds: number, decision: Decision];

const rows: Row[] = [
  // Without conditions every change counts, and only a change.
  [{}, 1, 2, 0, now],
  [{}, 1, 1, 100, no],
  [{}, undefined, 1, 0, now],
  [{}, "a", "b", 0, now],
  [{}, true, false, 0, now],
  [{}, 2n ** 60n, 2n ** 60n + 1n, 0, now],
  [{}, new Uint8Array([1]), new Uint8Array([1]), 0, no],
  [{}, { objectId: 3, instanceId: 0 }, { objectId: 3, instanceId: 1 }, 0, now],
  // pmin holds back, exactly until it ends.
  [{ pmin: 10 }, 1, 2, 4, change(10)],
  [{ pmin: 10 }, 1, 2, 10, now],
  [{ pmin: 10 }, 1, 1, 20, no],
  // pmax needs no change.
  [{ pmax: 60 }, 1, 1, 5, pmax(60)],
  [{ pmax: 60 }, 1, 1, 60, now],
  [{ pmin: 60, pmax: 10 }, 1, 1, 100, no],
  [{ pmin: 10, pmax: 10 }, 1, 2, 4, change(10)],
  [{ pmax: 0 }, 1, 1, 100, no],
  // gt and lt count both ways, and only when they are crossed.
  [{ gt: 50 }, 49, 51, 0, now],
  [{ gt: 50 }, 51, 49, 0, now],
  [{ gt: 50 }, 51, 60, 0, no],
  [{ gt: 50 }, 49, 50, 0, no],
  [{ gt: 50 }, 50, 50.1, 0, now],
  [{ lt: 10 }, 11, 9, 0, now],
  [{ lt: 10 }, 9, 11, 0, now],
  [{ lt: 10 }, 11, 10, 0, no],
  [{ lt: -5 }, -4, -6, 0, now],
  [{ gt: 50, lt: 10 }, 5, 60, 0, now],
  [{ gt: 50, lt: 10 }, 20, 40, 0, no],
  // st counts from what was last sent.
  [{ st: 5 }, 20, 24.9, 0, no],
  [{ st: 5 }, 20, 25, 0, now],
  [{ st: 5 }, 20, 15, 0, now],
  [{ st: 0 }, 20, 20, 0, no],
  [{ st: 5, gt: 22 }, 21, 23, 0, now],
  [{ st: 5 }, 10n, 15n, 0, now],
  [{ gt: 50, pmin: 10 }, 49, 51, 3, change(10)],
  [{ gt: 50, pmax: 30 }, 49, 48, 3, pmax(30)],
  // edge: 1 rising, 0 falling.
  [{ edge: 1 }, false, true, 0, now],
  [{ edge: 1 }, true, false, 0, no],
  [{ edge: 0 }, true, false, 0, now],
  [{ edge: 0 }, false, true, 0, no],
  [{ edge: 1 }, true, true, 0, no],
];

describe("decide", () => {
  it.each(rows)("%o: %o → %o after %i s", (attributes, from, to, seconds, decision) => {
    expect(decide(attributes, { value: from, atMs: 0 }, to, seconds * 1000)).toEqual(decision);
  });
});

describe("pmaxEndMs", () => {
  it("counts from the last notification", () => expect(pmaxEndMs({ pmax: 60 }, 5000)).toBe(65_000));
});

describe("deliveryOf", () => {
  const day = 24 * 3600 * 1000;
  it.each([
    ["CON", 0, "CON"],
    ["NON", 1000, "NON"],
    ["NON", day - 93_001, "NON"],
    ["NON", day - 93_000, "CON"],
  ] as const)("%s wanted, last CON %i ms ago → %s", (wanted, agoMs, delivery) => {
    expect(deliveryOf(wanted, 0, agoMs)).toBe(delivery);
  });
});
