import { describe, expect, it } from "vitest";
import { AttributeStore } from "../../../src/lwm2m/observation/attribute-store.js";
import { discover, registrationLinks } from "../../../src/lwm2m/operation/discover.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import { model } from "../../fakes/lwm2m-client.js";

function deviceTree(): ObjectTree {
  const tree = new ObjectTree();
  tree.addInstance(model(3), 0, new Map([[4, { execute: async () => undefined }]]));
  for (const [resourceId, count] of [
    [6, 2],
    [7, 2],
    [8, 2],
  ] as const) {
    for (let id = 0; id < count; id++) tree.set([3, 0, resourceId, id], { value: 1, atMs: 0 });
  }
  tree.set([3, 0, 9], { value: 100, atMs: 0 });
  return tree;
}

function attributes(): AttributeStore {
  const store = new AttributeStore();
  store.write([3, 0], { pmin: 10, pmax: 60 });
  store.write([3, 0, 7], { gt: 50, lt: 42.2 });
  store.write([3, 0, 7, 1], { lt: 45 });
  return store;
}

describe("discover", () => {
  const links = (path: readonly number[], depth?: number, store = attributes()): string =>
    discover(deviceTree(), { path, version: "1.2", ...(depth === undefined ? {} : { depth }) }, store);

  it.each<[string, number[], number | undefined, string]>([
    [
      "a resource shows what it inherits",
      [3, 0, 7],
      undefined,
      "</3/0/7>;dim=2;pmin=10;pmax=60;gt=50;lt=42.2,</3/0/7/0>,</3/0/7/1>;lt=45",
    ],
    ["depth 0 is the target alone", [3, 0], 0, "</3/0>;pmin=10;pmax=60"],
    [
      "an instance shows its resources, but not theirs",
      [3, 0],
      undefined,
      "</3/0>;pmin=10;pmax=60,</3/0/4>,</3/0/6>;dim=2,</3/0/7>;dim=2;gt=50;lt=42.2,</3/0/8>;dim=2,</3/0/9>",
    ],
    [
      "an object shows two levels",
      [3],
      undefined,
      "</3>,</3/0>;pmin=10;pmax=60,</3/0/4>,</3/0/6>;dim=2,</3/0/7>;dim=2;gt=50;lt=42.2,</3/0/8>;dim=2,</3/0/9>",
    ],
    ["depth 1 of an object", [3], 1, "</3>,</3/0>;pmin=10;pmax=60"],
    [
      "depth 2 of an instance shows resource instances",
      [3, 0],
      2,
      "</3/0>;pmin=10;pmax=60,</3/0/4>,</3/0/6>;dim=2,</3/0/6/0>,</3/0/6/1>,</3/0/7>;dim=2;gt=50;lt=42.2,</3/0/7/0>," +
        "</3/0/7/1>;lt=45,</3/0/8>;dim=2,</3/0/8/0>,</3/0/8/1>,</3/0/9>",
    ],
    ["a single resource has nothing below it", [3, 0, 9], 3, "</3/0/9>;pmin=10;pmax=60"],
  ])("%s", (_what, path, depth, expected) => expect(links(path, depth)).toBe(expected));

  it("says the version where a server would assume another", () => {
    const store = new AttributeStore();
    expect(discover(deviceTree(), { path: [3], depth: 0, version: "1.1" }, store)).toBe("</3>;ver=1.2");
    expect(discover(deviceTree(), { path: [3], depth: 0, version: "1.0" }, store)).toBe('</3>;ver="1.2"');
  });

  it.each<[string, number[], string]>([
    ["unknown object", [4711], "LWM2M_NOT_FOUND"],
    ["unknown instance", [3, 1], "LWM2M_NOT_FOUND"],
    ["unknown resource", [3, 0, 99], "LWM2M_NOT_FOUND"],
    ["a resource instance", [3, 0, 7, 0], "LWM2M_NOT_ALLOWED"],
    ["the root", [], "LWM2M_NOT_ALLOWED"],
  ])("refuses %s", (_what, path, code) => {
    expect(() => links(path)).toThrow(expect.objectContaining({ code }));
  });
});

describe("registrationLinks", () => {
  it("lists instances, the version on the object, and never the bootstrap objects", () => {
    const tree = deviceTree();
    for (const [objectId, instanceId] of [
      [0, 0],
      [1, 0],
      [21, 0],
      [23, 0],
      [3303, 1],
      [3303, 0],
    ] as const) {
      tree.addInstance(model(objectId), instanceId);
    }
    tree.addObject(model(5));
    expect(registrationLinks(tree, "1.2", [112, 11542])).toBe(
      '</>;ct="112 11542",</1/0>,</3/0>,</5>;ver=1.2,</3303>;ver=1.1,</3303/0>,</3303/1>',
    );
    expect(registrationLinks(tree, "1.1", [])).toBe(
      "</1>;ver=1.2,</1/0>,</3>;ver=1.2,</3/0>,</5>;ver=1.2,</3303>;ver=1.1,</3303/0>,</3303/1>",
    );
  });
});
