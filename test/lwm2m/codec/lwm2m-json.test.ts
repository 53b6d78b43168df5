import { describe, expect, it } from "vitest";
import { utf8Decode, utf8Encode } from "../../../src/base/bytes.js";
import type { Entry } from "../../../src/lwm2m/codec/codec.js";
import { lwm2mJsonCodec } from "../../../src/lwm2m/codec/lwm2m-json.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { context, DEVICE_ENTRIES, entry, NOW_MS } from "./fixtures.js";

const encode = (target: string, ...entries: Entry[]) =>
  utf8Decode(lwm2mJsonCodec.encode(entries, { target: parsePath(target), nowMs: NOW_MS }));
const decode = (text: string, target: string) => lwm2mJsonCodec.decode(utf8Encode(text), context(target));

describe("LwM2M JSON output", () => {
  it("LwM2M 1.0 §6.4.4: the Device object", () => {
    expect(encode("/3/0", ...DEVICE_ENTRIES)).toBe(
      '{"bn":"/3/0/","e":[{"n":"0","sv":"Open Mobile Alliance"},{"n":"1","sv":"Lightweight M2M Client"},' +
        '{"n":"2","sv":"345000123"},{"n":"3","sv":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"7/0","v":3800},' +
        '{"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},{"n":"10","v":15},' +
        '{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","sv":"+02:00"},{"n":"16","sv":"U"}]}',
    );
  });

  it.each<[string, string, Entry]>([
    ["/3303/0/5700", '{"bn":"/3303/0/5700","e":[{"v":22.5}]}', entry("/3303/0/5700", "float", 22.5)],
    ["/3/0/6", '{"bn":"/3/0/6/","e":[{"n":"0","v":1}]}', entry("/3/0/6/0", "integer", 1)],
    ["/3442", '{"bn":"/3442/","e":[{"n":"0/140","bv":true}]}', entry("/3442/0/140", "boolean", true)],
    ["/3442/0", '{"bn":"/3442/0/","e":[{"n":"170","ov":"3:0"}]}', entry("/3442/0/170", "objlnk", link(3, 0))],
    [
      "/3442/0",
      '{"bn":"/3442/0/","e":[{"n":"150","sv":"Af8="}]}',
      entry("/3442/0/150", "opaque", Uint8Array.of(1, 255)),
    ],
    [
      "/3442/0",
      '{"bn":"/3442/0/","e":[{"n":"125","v":18446744073709551615}]}',
      entry("/3442/0/125", "unsigned", 2n ** 64n - 1n),
    ],
  ])("%s → %s", (target, expected, one) => expect(encode(target, one)).toBe(expected));

  it("says when values were measured", () => {
    const [older, newer] = [NOW_MS - 60_000, NOW_MS - 30_000];
    expect(encode("/3303/0", entry("/3303/0/5700", "float", 1, older), entry("/3303/0/5700", "float", 2, newer))).toBe(
      '{"bn":"/3303/0/","e":[{"n":"5700","v":1},{"n":"5700","t":30,"v":2}],"bt":1699999940}',
    );
  });

  it("is an empty list of nothing", () => expect(encode("/5")).toBe('{"bn":"/5/","e":[]}'));
});

describe("LwM2M JSON input", () => {
  const decoded = [{ path: [3, 0, 9], value: 95 }];

  it.each([
    ["a base name", '{"bn":"/3/0/","e":[{"n":"9","v":95}]}', "/3/0"],
    ["a base name without a slash at its end", '{"bn":"/3/0","e":[{"n":"9","v":95}]}', "/3/0"],
    ["slashes on both sides", '{"bn":"/3/0/","e":[{"n":"/9","v":95}]}', "/3/0"],
    ["the root as base name", '{"bn":"/","e":[{"n":"3/0/9","v":95}]}', "/3/0"],
    ["a base name that says all", '{"bn":"/3/0/9","e":[{"n":"","v":95}]}', "/3/0/9"],
    ["no name", '{"bn":"/3/0/9","e":[{"v":95}]}', "/3/0/9"],
    ["absolute names", '{"e":[{"n":"/3/0/9","v":95}]}', "/3/0"],
    ["names below the request's path", '{"e":[{"n":"9","v":95}]}', "/3/0"],
    ["the request's path alone", '{"e":[{"v":95}]}', "/3/0/9"],
    ["unknown members", '{"bver":1,"bn":"/3/0/","e":[{"n":"9","v":95,"x":{}}],"y":[]}', "/3/0"],
  ])("takes %s", (_, text, target) => expect(decode(text, target)).toEqual(decoded));

  it("takes every kind of value", () => {
    const text =
      '{"bn":"/3442/0/","e":[{"n":"110","sv":"x"},{"n":"125","v":18446744073709551615},{"n":"140","bv":false},' +
      '{"n":"150","sv":"Af8="},{"n":"170","ov":"3:0"},{"n":"1120/4","v":7}]}';
    expect(decode(text, "/3442/0").map(({ value }) => value)).toEqual([
      "x",
      2n ** 64n - 1n,
      false,
      Uint8Array.of(1, 255),
      link(3, 0),
      7,
    ]);
  });

  it("takes times", () => {
    expect(decode('{"bn":"/3/0/","bt":1700000000,"e":[{"n":"9","t":-5,"v":95}]}', "/3/0")).toEqual([
      { path: [3, 0, 9], value: 95, atMs: 1_699_999_995_000 },
    ]);
  });

  it("takes names behind a prefix", () => {
    const at = { ...context("/3/0"), prefix: "d01" };
    expect(lwm2mJsonCodec.decode(utf8Encode('{"e":[{"n":"9","v":95}]}'), at)).toEqual([
      { path: [3, 0, 9], value: 95, prefix: "d01" },
    ]);
  });

  it.each([
    ["an array", "[]"],
    ["no elements", '{"bn":"/3/0/"}'],
    ["elements that are none", '{"bn":"/3/0/","e":[1]}'],
    ["no value", '{"bn":"/3/0/","e":[{"n":"9"}]}'],
    ["two values", '{"bn":"/3/0/","e":[{"n":"9","v":1,"sv":"1"}]}'],
    ["a path twice", '{"bn":"/3/0/","e":[{"n":"9","v":1},{"n":"9","v":1}]}'],
    ["a path outside of the target", '{"bn":"/1/0/","e":[{"n":"1","v":1}]}'],
    ["a wrong type", '{"bn":"/3/0/","e":[{"n":"9","sv":"1"}]}'],
    ["a base name that is none", '{"bn":3,"e":[{"n":"9","v":1}]}'],
    ["a null", '{"bn":"/3/0/","e":[{"n":"9","v":null}]}'],
    ["a Boolean that is none", '{"bn":"/3/0/","e":[{"n":"9","bv":1}]}'],
  ])("refuses %s", (_, text) => {
    expect(() => decode(text, "/3/0")).toThrow(expect.objectContaining({ code: "LWM2M_DECODE" }));
  });
});

function link(objectId: number, instanceId: number) {
  return { objectId, instanceId };
}
