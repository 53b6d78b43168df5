import { describe, expect, it } from "vitest";
import { linkProblem, pointProblem, stationProblem, traitsProblem } from "../../../adapters/mqtt/check.js";
import type { MqttLinkOptions, MqttPoint } from "../../../adapters/mqtt/options.js";
import { decoderOf, encodeCommand, fitValue, Message } from "../../../adapters/mqtt/payload.js";
import type { Scalar } from "../../../src/field/reading.js";
import { mqttPoint } from "./points.js";

const variables = new Map([["sensor", "DS18B20-1"]]);

function decode(point: Omit<MqttPoint, "at"> & { at?: Partial<MqttPoint["at"]> }, payload: string | Uint8Array) {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  const decoded = decoderOf({ ...point, at: { topic: "t", ...point.at } }, variables)(new Message("t", bytes, "live"));
  return decoded === undefined ? undefined : decoded.quality === "good" ? decoded.value : decoded.reason;
}

describe("a payload", () => {
  it.each<[string, Parameters<typeof decode>[0], string | Uint8Array, Scalar | undefined]>([
    ["number in JSON", { at: { json: "a.t" } }, '{"a":{"t":21.5}}', 21.5],
    ["the document itself", { at: { json: "$" } }, "21.5", 21.5],
    ["boolean in JSON", { at: { json: "on" } }, '{"on":true}', true],
    ["word in JSON", { at: { json: "state" } }, '{"state":"ON"}', "ON"],
    ["a variable in the path", { at: { json: "{sensor}.Temperature" } }, '{"DS18B20-1":{"Temperature":7}}', 7],
    ["a key that is not there", { at: { json: "b" } }, '{"a":1}', undefined],
    ["null", { at: { json: "a" } }, '{"a":null}', "the device has no value (null)"],
    ["a map", { at: { json: "a" } }, '{"a":{}}', "a map, not a value"],
    ["a list", { at: { json: "a" } }, '{"a":[]}', "a list, not a value"],
    ["number in a JSON text", { at: { json: "a" }, type: "number" }, '{"a":"21.5"}', 21.5],
    ["a boolean in numbers", { at: { json: "a" }, type: "boolean" }, '{"a":1}', true],
    [
      "a word that is no boolean",
      { at: { json: "a" }, type: "boolean" },
      '{"a":"ON"}',
      "'ON' is neither true nor false",
    ],
    ["number as text", { at: { json: "a" }, type: "string" }, '{"a":5}', "5"],
    ["plain text", {}, "ON", "ON"],
    ["plain number", { type: "number" }, " 21.5\n", 21.5],
    ["empty where a number should be", { type: "number" }, "", "'' is not a number"],
    ["a word where a number should be", { type: "number" }, "unavailable", "'unavailable' is not a number"],
    ["a group of a text", { at: { match: "T=([-\\d.]+)C" }, type: "number" }, "H=40 T=-3.5C", -3.5],
    ["a text without the group", { at: { match: "T=([-\\d.]+)C" }, type: "number" }, "H=40", undefined],
    [
      "a group of a text in JSON",
      { at: { json: "v", match: "^([\\d.]+) V$" }, type: "number" },
      '{"v":"230.1 V"}',
      230.1,
    ],
    ["bytes", { at: { offset: 1 }, type: "uint16" }, Uint8Array.of(9, 1, 2), 258],
    ["bytes, little end first", { at: { offset: 0 }, type: "int16", order: "little" }, Uint8Array.of(0xfe, 0xff), -2],
    ["bits", { at: { offset: 0 }, type: "uint8", bits: { at: 4, width: 2 } }, Uint8Array.of(0b0010_0000), 2],
    [
      "bytes that end too soon",
      { at: { offset: 1 }, type: "uint16" },
      Uint8Array.of(1, 2),
      "the payload has only 2 bytes",
    ],
    ["NaN", { at: { offset: 0 }, type: "float32" }, Uint8Array.of(0x7f, 0xc0, 0, 0), "NaN is not a number"],
  ])("%s", (_, point, payload, value) => {
    expect(decode(point, payload)).toEqual(value);
  });

  it.each(["{", "ON", "", "{'a':1}"])("that is no JSON says so: %s", (payload) => {
    expect(decode({ at: { json: "a" } }, payload)).toMatch(/^not JSON: /);
  });

  it("that is no UTF-8 is a text with replacements", () => {
    expect(decode({}, Uint8Array.of(0xff))).toBe("\ufffd");
  });
});

describe("a command", () => {
  const at = { topic: "t" };
  it.each<[string, MqttPoint, Scalar, string]>([
    ["plain", { at, write: { topic: "c" } }, "ON", "ON"],
    [
      "a template",
      { at, write: { topic: "c", payload: '{"x":"{sensor}","v":{value}}' } },
      5,
      '{"x":"DS18B20-1","v":5}',
    ],
    ["a value like a pattern", { at, write: { topic: "c", payload: "<{value}>" } }, "$&", "<$&>"],
    ["JSON", { at, write: { topic: "c", json: "a.b" } }, true, '{"a":{"b":true}}'],
    ["JSON of a wide number", { at, write: { topic: "c", json: "a" } }, 5n, '{"a":5}'],
    ["by the place of a point that is only written", { at: { topic: "c", json: "state" } }, "ON", '{"state":"ON"}'],
    ["another word", { at, write: { topic: "c", map: new Map([["true", "on"]]) } }, true, "on"],
    ["bytes", { at: { topic: "c", offset: 0 }, type: "uint16" }, 0x4142, "AB"],
  ])("%s", (_, point, value, payload) => {
    expect(Buffer.from(encodeCommand(point, value, variables)).toString()).toBe(payload);
  });

  it("of the wrong kind is refused before anything is sent", () => {
    const point = mqttPoint("p", { at, type: "number", write: { topic: "c" } }, "rw");
    expect(fitValue(point, true)).toBe(1 as Scalar);
    expect(fitValue(point, "7")).toBe(7);
    expect(() => fitValue(point, "warm")).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
    expect(() => fitValue(point, Uint8Array.of(1))).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
    expect(() => encodeCommand({ at, write: { topic: "c", json: "a" } }, 2n ** 60n, variables)).toThrow("too large");
  });
});

describe("what the check says", () => {
  const at = { topic: "t" };
  it.each<[string, MqttPoint, "r" | "w" | "rw", RegExp | undefined]>([
    ["a good point", { at: { topic: "t/{id}", json: "$.a" } }, "r", undefined],
    ["a wildcard", { at: { topic: "t/+" } }, "r", /variables/],
    ["a broken path", { at: { topic: "t", json: "a[" } }, "r", /no path/],
    ["a broken expression", { at: { topic: "t", match: "(" } }, "r", /no regular expression/],
    ["an expression without a group", { at: { topic: "t", match: "\\d+" } }, "r", /needs a group/],
    ["bytes without a place", { at, type: "uint16" }, "r", /offset/],
    ["a place without bytes", { at: { topic: "t", offset: 1 } }, "r", /only numbers of bytes/],
    ["bytes in JSON", { at: { topic: "t", json: "a", offset: 1 }, type: "uint8" }, "r", /no 'json'/],
    ["too many bits", { at: { topic: "t", offset: 1 }, type: "uint8", bits: { at: 7, width: 2 } }, "r", /only 8 bits/],
    ["rw without a topic for commands", { at }, "rw", /needs 'write'/],
    ["w without a topic for commands", { at }, "w", undefined],
    ["a command that confirms itself", { at, write: { topic: "t" } }, "rw", /confirm itself/],
    ["two payloads", { at, write: { topic: "c", json: "a", payload: "{value}" } }, "rw", /either/],
    ["a payload without the value", { at, write: { topic: "c", payload: "on" } }, "rw", /no \{value\}/],
  ])("of %s", (_, point, access, complaint) => {
    const problem = pointProblem(point, {}, access);
    if (complaint === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(complaint);
  });

  it.each<[MqttLinkOptions, RegExp | undefined]>([
    [{ url: "mqtt://broker" }, undefined],
    [{ url: "mqtts://broker:8884/" }, undefined],
    [{ host: "broker", port: 1883 }, undefined],
    [{}, /missing/],
    [{ url: "broker:1883" }, /mqtt:\/\//],
    [{ url: "http://broker" }, /begins with/],
    [{ url: "mqtt://me:secret@broker" }, /'username'/],
    [{ url: "mqtt://broker/path" }, /no path/],
    [{ url: "mqtt://broker", port: 1 }, /already/],
    [{ host: "b", cert: "c" }, /go together/],
  ])("of the link %o", (options, complaint) => {
    const problem = linkProblem(options);
    if (complaint === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(complaint);
  });

  it("of a station without what the topics need", () => {
    const points = [mqttPoint("p", { at: { topic: "a/{room}/{id}" } })];
    const traits = { protocol: { availability: { topic: "{base}/x" } } };
    expect(stationProblem(new Map([["id", "1"]]), points, traits)).toBe(
      'the profile\'s topics need room, base, e.g. address: { room: "…" }',
    );
    const request = [{ topic: "get", payload: "{what}" }];
    expect(stationProblem(new Map(), [], { protocol: { request } })).toContain("need what");
    const command = { at, write: { topic: "c", payload: "{word} {value}" } };
    expect(stationProblem(new Map(), [mqttPoint("p", command, "rw")], {})).toContain("need word");
    expect(stationProblem(new Map([["id", ""]]), [mqttPoint("p", { at: { topic: "{id}" } })], {})).toContain(
      "at least",
    );
    const odd = mqttPoint("p", { at: { topic: "t", json: '"a+b"."#{id}"' } });
    expect(stationProblem(new Map([["id", "1"]]), [odd], {}), "a key is no topic").toBeUndefined();
    expect(stationProblem(new Map([["id", "a/#"]]), [mqttPoint("p", { at: { topic: "{id}" } })], {})).toContain("'#'");
    expect(stationProblem(new Map([["id", "1"]]), [mqttPoint("p", { at: { topic: "{id}" } })], {})).toBeUndefined();
  });

  it("of a profile's topics", () => {
    expect(traitsProblem({ protocol: { availability: [{ topic: "a/#" }] } })).toContain("'#'");
    expect(traitsProblem({ protocol: { request: [{ topic: "+" }] } })).toContain("'+'");
    expect(traitsProblem({ protocol: { availability: { topic: "a", json: "[" } } })).toContain("no path");
    expect(traitsProblem({})).toBeUndefined();
  });
});
