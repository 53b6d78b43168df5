import { describe, expect, it } from "vitest";
import type { ScalarKind } from "../../src/field/adapter.js";
import type { Scalar } from "../../src/field/reading.js";
import type { ResourceType, Value } from "../../src/lwm2m/value.js";
import { passes } from "../../src/mapping/report.js";
import { PLAIN, type Transform, toScalar, toValue } from "../../src/mapping/transform.js";

const onOff = new Map<string, string | number | boolean>([
  ["0", "off"],
  ["1", "on"],
]);

describe("from the device to the resource", () => {
  it.each<[string, Scalar, Partial<Transform>, ResourceType, Value]>([
    ["plain float", 230.5, {}, "float", 230.5],
    ["tenths without noise", 235, { scale: 0.1 }, "float", 23.5],
    ["hundredths without noise", 5001, { scale: 0.01 }, "float", 50.01],
    ["kWh to Wh", 1.5, { scale: 1000 }, "float", 1500],
    ["divided by 3200", 6400, { scale: 1 / 3200 }, "float", 2],
    ["offset", 65, { offset: -40 }, "float", 25],
    ["rounded", 1.23456, { decimals: 2 }, "float", 1.23],
    ["whole number", 7.4, {}, "integer", 7],
    ["64 bit stays exact", 9007199254740993n, {}, "integer", 9007199254740993n],
    ["64 bit scaled", 150n, { scale: 10 }, "float", 1500],
    ["switch", true, {}, "boolean", true],
    ["0 and 1 as switch", 1, {}, "boolean", true],
    ["switch as number", true, {}, "integer", 1],
    ["enum to text", 1, { map: onOff }, "string", "on"],
    ["enum to switch", 4, { map: new Map([["4", true]]) }, "boolean", true],
    ["enum to number", 2, { map: new Map([["2", 20]]) }, "integer", 20],
    ["text", "abc", {}, "string", "abc"],
    ["bytes", new Uint8Array([1]), {}, "opaque", new Uint8Array([1])],
  ])("%s", (_, raw, transform, type, value) => {
    expect(toValue(raw, { ...PLAIN, ...transform }, type)).toEqual({ quality: "good", value });
  });

  it.each<[string, Scalar, Partial<Transform>, ResourceType, string, RegExp]>([
    ["NaN", Number.NaN, {}, "float", "invalid", /not a number/],
    ["a sentinel", 0x7fff, { invalid: [0x7fff] }, "float", "invalid", /no value/],
    ["a sentinel of 64 bit", 5n, { invalid: [5] }, "integer", "invalid", /no value/],
    ["infinity", Number.POSITIVE_INFINITY, {}, "float", "invalid", /finite/],
    ["above the range", 301, { valid: [0, 300] }, "float", "out-of-range", /301 is not within 0 to 300/],
    ["scaled below the range", -5, { scale: 10, valid: [0, 300] }, "float", "out-of-range", /-50/],
    ["an unknown enum value", 9, { map: onOff }, "string", "invalid", /9 is not in the map/],
    ["a negative unsigned", -1, {}, "unsigned", "invalid", /negative/],
    ["infinity as a whole number", Number.POSITIVE_INFINITY, {}, "integer", "invalid", /64 bits/],
    ["a float too big for a whole number", 1e300, {}, "unsigned", "invalid", /64 bits/],
    ["a uint64 too big for an integer", 2n ** 64n - 1n, {}, "integer", "invalid", /64 bits/],
    ["a number as switch", 2, {}, "boolean", "invalid", /neither 0 nor 1/],
    ["text as number", "1", {}, "float", "invalid", /text/],
    ["bytes as text", new Uint8Array(), {}, "string", "invalid", /bytes/],
  ])("%s is a fault, never a value", (_, raw, transform, type, quality, reason) => {
    expect(toValue(raw, { ...PLAIN, ...transform }, type)).toEqual({ quality, reason: expect.stringMatching(reason) });
  });
});

describe("from the resource to the device", () => {
  it.each<[string, Value, Partial<Transform>, ScalarKind | undefined, Scalar]>([
    ["plain", 21.5, {}, "number", 21.5],
    ["tenths without noise", 23.4, { scale: 0.1 }, "number", 234],
    ["offset", 25, { offset: -40 }, "number", 65],
    ["switch to coil", true, {}, "boolean", true],
    ["switch to register", true, {}, "number", 1],
    ["0 to coil", 0, {}, "boolean", false],
    ["word to raw", "on", { map: onOff }, "number", 1],
    ["switch to raw", true, { map: new Map([["4", true]]) }, "number", 4],
    ["64 bit", 9007199254740993n, {}, "number", 9007199254740993n],
  ])("%s", (_, value, transform, kind, scalar) => {
    expect(toScalar(value, { ...PLAIN, ...transform }, kind)).toEqual(scalar);
  });

  it.each<[string, Value, Partial<Transform>, ScalarKind, RegExp]>([
    ["beyond the range", 31, { valid: [5, 30] }, "number", /31 is not within 5 to 30/],
    ["an unknown word", "open", { map: onOff }, "number", /off \| on/],
    ["a number for a coil", 2, {}, "boolean", /neither 0 nor 1/],
  ])("%s is refused with the limits", (_, value, transform, kind, message) => {
    expect(() => toScalar(value, { ...PLAIN, ...transform }, kind)).toThrow(message);
  });
});

describe("report filter", () => {
  it.each<[string, Parameters<typeof passes>, boolean]>([
    ["no filter", [undefined, { value: 1, atMs: 0 }, 1, 1], true],
    ["the first value", [{ deadband: 1 }, undefined, 1, 0], true],
    ["within the deadband", [{ deadband: 1 }, { value: 10, atMs: 0 }, 11, 1], false],
    ["beyond the deadband", [{ deadband: 1 }, { value: 10, atMs: 0 }, 11.1, 1], true],
    ["unchanged before the heartbeat", [{ heartbeatMs: 100 }, { value: 10, atMs: 0 }, 10, 99], false],
    ["unchanged at the heartbeat", [{ heartbeatMs: 100 }, { value: 10, atMs: 0 }, 10, 100], true],
    ["changed text", [{ deadband: 5 }, { value: "a", atMs: 0 }, "b", 1], true],
  ])("%s", (_, args, expected) => {
    expect(passes(...args)).toBe(expected);
  });
});
