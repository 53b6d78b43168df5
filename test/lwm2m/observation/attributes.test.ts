import { describe, expect, it } from "vitest";
import { AttributeStore } from "../../../src/lwm2m/observation/attribute-store.js";
import {
  type AttributeChange,
  type Attributes,
  checkApplicable,
  formatAttributes,
  mergeAttributes,
  parseAttributes,
} from "../../../src/lwm2m/observation/attributes.js";
import type { Path } from "../../../src/lwm2m/path.js";
import { model } from "../../fakes/lwm2m-client.js";

describe("parseAttributes", () => {
  it.each<[string, AttributeChange]>([
    ["pmin=10&pmax=60", { pmin: 10, pmax: 60 }],
    ["pmin", { pmin: null }],
    ["gt=50.5&lt=-3&st=0.1", { gt: 50.5, lt: -3, st: 0.1 }],
    ["epmin=1&epmax=2&edge=1&con=0&hqmax=7", { epmin: 1, epmax: 2, edge: 1, con: 0, hqmax: 7 }],
  ])("%s", (query, change) => expect(parseAttributes(query.split("&"))).toEqual(change));

  it.each([
    "pmin=1.5",
    "pmin=-1",
    "pmin=",
    "gt=abc",
    "gt=NaN",
    "gt=1e999",
    "edge=2",
    "con=true",
    "foo=1",
    "ver=1.0",
    "",
  ])("refuses %s", (query) =>
    expect(() => parseAttributes(query.split("&"))).toThrow(expect.objectContaining({ code: "LWM2M_BAD_REQUEST" })),
  );

  it("refuses a repeated name", () => expect(() => parseAttributes(["pmin=1", "pmin"])).toThrow(/twice/));
});

describe("mergeAttributes", () => {
  it.each<[Attributes, AttributeChange, Attributes]>([
    [{}, { pmin: 1 }, { pmin: 1 }],
    [{ pmin: 1, pmax: 5 }, { pmin: null }, { pmax: 5 }],
    [{ gt: 10 }, { lt: 5 }, { gt: 10, lt: 5 }],
    [{ pmin: 60 }, { pmax: 10 }, { pmin: 60, pmax: 10 }],
    [
      { gt: 10, lt: 5 },
      { lt: null, st: 100 },
      { gt: 10, st: 100 },
    ],
    [{ pmin: 10 }, { pmax: 10 }, { pmin: 10, pmax: 10 }],
  ])("%o with %o", (attached, change, merged) => expect(mergeAttributes(attached, change)).toEqual(merged));

  it.each<[Attributes, AttributeChange]>([
    [{ gt: 10 }, { lt: 10 }],
    [{ gt: 10 }, { lt: 11 }],
    [{ gt: 10, lt: 5 }, { st: 2.5 }],
    [{}, { st: -1 }],
    [{ epmin: 5 }, { epmax: 5 }],
    [{ epmax: 5 }, { epmin: 6 }],
  ])("refuses %o with %o", (attached, change) => {
    expect(() => mergeAttributes(attached, change)).toThrow(expect.objectContaining({ code: "LWM2M_BAD_REQUEST" }));
  });
});

describe("checkApplicable", () => {
  const resource = (objectId: number, resourceId: number) => model(objectId).resources.get(resourceId);
  it.each<[string, number, number, AttributeChange]>([
    ["gt on a float", 3303, 5700, { gt: 1 }],
    ["st on an integer", 3, 9, { st: 1 }],
    ["edge on a boolean", 3306, 5850, { edge: 1 }],
    ["pmin on a string", 3, 0, { pmin: 1 }],
    ["unsetting gt on a string", 3, 0, { gt: null }],
  ])("allows %s", (_what, objectId, resourceId, change) => {
    expect(() => checkApplicable(change, [objectId, 0, resourceId], resource(objectId, resourceId))).not.toThrow();
  });

  it.each<[string, number, number, AttributeChange]>([
    ["gt on a string", 3, 0, { gt: 1 }],
    ["edge on a float", 3303, 5700, { edge: 1 }],
    ["lt on a boolean", 3306, 5850, { lt: 1 }],
    ["pmin on an executable", 3, 4, { pmin: 1 }],
  ])("refuses %s", (_what, objectId, resourceId, change) => {
    expect(() => checkApplicable(change, [objectId, 0, resourceId], resource(objectId, resourceId))).toThrow();
  });

  it("refuses gt above resource level", () => expect(() => checkApplicable({ gt: 1 }, [3303, 0], undefined)).toThrow());
});

describe("AttributeStore", () => {
  it("inherits, the nearest first", () => {
    const store = new AttributeStore();
    store.write([3], { pmin: 1, pmax: 100 });
    store.write([3, 0], { pmin: 2 });
    store.write([3, 0, 7, 1], { lt: 45 });
    expect(store.effective([3, 0, 7])).toEqual({ pmin: 2, pmax: 100 });
    expect(store.effective([3, 0, 7, 1])).toEqual({ pmin: 2, pmax: 100, lt: 45 });
    expect(store.effective([5, 0])).toEqual({});
  });

  it("stays as it was when a write is refused", () => {
    const store = new AttributeStore();
    store.write([3, 0, 9], { gt: 10, lt: 5 });
    expect(() => store.write([3, 0, 9], { lt: 20, pmin: 3 })).toThrow();
    expect(store.attached([3, 0, 9])).toEqual({ gt: 10, lt: 5 });
  });

  it.each<[string, Path, AttributeChange]>([
    ["what it inherits", [3, 0, 9, 0], { lt: 11 }],
    ["what is inherited from further up", [3, 0], { epmin: 60 }],
    ["what inherits it", [3, 0, 9], { gt: 3, lt: null }],
    ["what inherits it further down", [3], { epmax: 5 }],
  ])("refuses what contradicts %s", (_, path, change) => {
    const store = new AttributeStore();
    store.write([3], { epmax: 60 });
    store.write([3, 0, 9], { gt: 10, lt: 5, epmin: 10 });
    store.write([3, 0, 9, 1], { lt: 6 });
    const before = store.attached(path);
    expect(() => store.write(path, change)).toThrow();
    expect(store.attached(path)).toEqual(before);
  });

  it("forgets what is gone", () => {
    const store = new AttributeStore();
    store.write([16, 1], { pmin: 1 });
    store.write([16, 1, 0, 2], { con: 1 });
    store.write([16, 2], { pmin: 2 });
    expect(store.wantsConBelow([16, 1])).toBe(true);
    store.removeWithin([16, 1]);
    expect(store.effective([16, 1, 0, 2])).toEqual({});
    expect(store.wantsConBelow([16])).toBe(false);
    expect(store.attached([16, 2])).toEqual({ pmin: 2 });
  });
});

it("formats attributes in the order of the standard", () => {
  expect(formatAttributes({ lt: 42.2, gt: 50, pmax: 60, pmin: 10 })).toBe(";pmin=10;pmax=60;gt=50;lt=42.2");
});
