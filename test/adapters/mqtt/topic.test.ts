import { describe, expect, it } from "vitest";
import { filterMatches } from "../../../adapters/mqtt/small-broker.js";
import { matchTopic, topicProblem } from "../../../adapters/mqtt/topic.js";
import { parseJsonPath, valueAt, withValueAt } from "../../../src/field/json-path.js";
import { fillTemplate, variablesOf } from "../../../src/field/template.js";

describe("topics with variables", () => {
  const variables = new Map([
    ["id", "0x0015"],
    ["room", "$& hall"],
  ]);

  it("are filled from the address", () => {
    expect(fillTemplate("zigbee2mqtt/{id}/{room}/{id}", variables)).toBe("zigbee2mqtt/0x0015/$& hall/0x0015");
    expect(fillTemplate('{"state":"{id}"}', variables)).toBe('{"state":"0x0015"}');
    expect(variablesOf("a/{id}/{ room }/{9}/{b_2}")).toEqual(["id", "b_2"]);
    expect(() => fillTemplate("a/{name}", variables)).toThrow("needs 'name' in the address");
  });

  it.each<[string, string, Record<string, string> | undefined]>([
    ["zigbee2mqtt/{id}", "zigbee2mqtt/0x0015", { id: "0x0015" }],
    ["zigbee2mqtt/{id}", "zigbee2mqtt/0x0015/availability", undefined],
    ["tele/{id}/SENSOR", "tele/plug-1/SENSOR", { id: "plug-1" }],
    ["a.b/{x}", "aXb/1", undefined],
    ["{x}/{y}/{x}", "1/2/1", { x: "1", y: "2" }],
    ["{x}/{y}/{x}", "1/2/3", undefined],
    ["a/{x}", "a/", undefined],
    ["fixed", "fixed", {}],
  ])("%s gives %s for %o", (template, topic, found) => {
    const match = matchTopic(template, topic);
    expect(match === undefined ? undefined : Object.fromEntries(match)).toEqual(found);
  });

  it("have no wildcards", () => {
    expect(topicProblem("a/+/b")).toContain("use variables");
    expect(topicProblem("a/#")).toContain("use variables");
    expect(topicProblem("a/{id}/b")).toBeUndefined();
  });
});

describe("paths in JSON", () => {
  it.each<[string, readonly (string | number)[] | undefined]>([
    ["$.a.b[0]", ["a", "b", 0]],
    ["a.b", ["a", "b"]],
    ["DS18B20-1.Temperature", ["DS18B20-1", "Temperature"]],
    ['"switch:0".apower', ["switch:0", "apower"]],
    ['$["odd.key"][2].x', ["odd.key", 2, "x"]],
    ['a."b\\"c"', ["a", 'b"c']],
    ["$", []],
    ["", []],
    ["[1][2]", [1, 2]],
    ["a..b", undefined],
    ["a[", undefined],
    ["a[-1]", undefined],
    ['"open', undefined],
  ])("%s", (text, path) => {
    expect(parseJsonPath(text)).toEqual(path);
  });

  it("find what is there, and nothing that is not the document's own", () => {
    const document = JSON.parse('{"a":{"b":[1,{"c":null}]},"__proto__":{"d":5}}');
    expect(valueAt(document, ["a", "b", 0])).toBe(1);
    expect(valueAt(document, ["a", "b", 1, "c"])).toBeNull();
    expect(valueAt(document, ["a", "b", 2])).toBeUndefined();
    expect(valueAt(document, ["a", "b", "length"])).toBeUndefined();
    expect(valueAt(document, ["a", "toString"])).toBeUndefined();
    expect(valueAt(document, ["a", 0])).toBeUndefined();
    expect(valueAt(document, ["__proto__", "d"])).toBe(5);
    expect(valueAt("text", ["a"])).toBeUndefined();
  });

  it("put a value where it belongs and keep the rest", () => {
    expect(withValueAt(undefined, ["a", "b"], 1)).toEqual({ a: { b: 1 } });
    expect(withValueAt({ a: { c: 2 }, d: 3 }, ["a", "b"], 1)).toEqual({ a: { b: 1, c: 2 }, d: 3 });
    expect(withValueAt(undefined, ["x", 2], true)).toEqual({ x: [null, null, true] });
    expect(JSON.stringify(withValueAt(undefined, ["__proto__", "x"], 1))).toBe('{"__proto__":{"x":1}}');
    expect(withValueAt({ a: 1 }, [], 5)).toBe(5);
  });
});

it.each<[string, string, boolean]>([
  ["#", "a/b", true],
  ["#", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/+/c", "a/b/c", true],
  ["+", "a", true],
  ["a/b", "a/b", true],
  ["a/b", "a/c", false],
  ["a/b/c/#", "a/b", false],
])("the filter %s and the topic %s: %s", (filter, topic, matches) => {
  expect(filterMatches(filter, topic)).toBe(matches);
});
