import { describe, expect, it } from "vitest";
import type { ScalarKind } from "../../src/field/adapter.js";
import type { Scalar } from "../../src/field/reading.js";
import type { ResourceType, Value } from "../../src/lwm2m/value.js";
import { type Report, type Reported, reportWaitMs } from "../../src/mapping/report.js";
import { PLAIN, type Transform, toScalar, toValue } from "../../src/mapping/transform.js";
import { type ValueMap, valueMapOf, type Word } from "../../src/mapping/value-map.js";

function mapOf(...entries: readonly (readonly [string, Word])[]): ValueMap {
  const result = valueMapOf(new Map(entries));
  if ("what" in result) throw new Error(result.what);
  return result;
}

const onOff = mapOf(["0", "off"], ["1", "on"]);
const levels = mapOf(["0", "empty"], ["1..49", "low"], ["50..100", "full"], ["default", "odd"]);
/** A thermistor: 10 bits to degrees, falling. */
const curve = [
  [100, 90],
  [500, 25],
  [900, -10],
] as const;

describe("from the device to the resource", () => {
  it.each<[string, Scalar, Partial<Transform>, ResourceType, Value]>([
    ["plain float", 230.5, {}, "float", 230.5],
    ["tenths without noise", 235, { scale: 0.1 }, "float", 23.5],
    ["hundredths without noise", 5001, { scale: 0.01 }, "float", 50.01],
    ["kWh to Wh", 1.5, { scale: 1000 }, "float", 1500],
    ["divided by 3200", 6400, { scale: 1 / 3200 }, "float", 2],
    ["offset", 65, { offset: -40 }, "float", 25],
    ["offset without noise", 633, { scale: 0.1, offset: -40 }, "float", 23.3],
    ["offset to nearly nothing without noise", 27320, { scale: 0.01, offset: -273.15 }, "float", 0.05],
    ["a factor that is no fraction, without noise", 3, { scale: 1.1 }, "float", 3.3],
    ["a factor that is no fraction, of 15 digits", 123_456_789_012_342, { scale: 1.5 }, "float", 185_185_183_518_513],
    ["a very small number stays", 1.5e-19, { scale: 2, offset: 1e-19 }, "float", 4e-19],
    ["rounded", 1.23456, { decimals: 2 }, "float", 1.23],
    ["whole number", 7.4, {}, "integer", 7],
    ["64 bit stays exact", 9007199254740993n, {}, "integer", 9007199254740993n],
    ["64 bit scaled", 150n, { scale: 10 }, "float", 1500],
    ["switch", true, {}, "boolean", true],
    ["0 and 1 as switch", 1, {}, "boolean", true],
    ["switch as number", true, {}, "integer", 1],
    ["enum to text", 1, { map: onOff }, "string", "on"],
    ["enum to switch", 4, { map: mapOf(["4", true]) }, "boolean", true],
    ["enum to number", 2, { map: mapOf(["2", 20]) }, "integer", 20],
    ["the text of an enum", "ON", { map: mapOf(["ON", true]) }, "boolean", true],
    ["a range", 49, { map: levels }, "string", "low"],
    ["one value of a range", 0, { map: levels }, "string", "empty"],
    ["what no range has", 101, { map: levels }, "string", "odd"],
    ["a point of a curve", 500, { curve }, "float", 25],
    ["between points of a curve", 300, { curve }, "float", 57.5],
    ["the end of a curve", 900, { curve }, "float", -10],
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
    ["beyond a curve", 99, { curve }, "float", "out-of-range", /99 is not within 100 to 900/],
    ["a curve out of range", 100, { curve, valid: [-20, 60] }, "float", "out-of-range", /90 is not within/],
    ["a sentinel of a curve", 500, { curve, invalid: [500] }, "float", "invalid", /no value/],
    ["a negative unsigned", -1, {}, "unsigned", "invalid", /negative/],
    ["infinity as a whole number", Number.POSITIVE_INFINITY, {}, "integer", "invalid", /finite/],
    ["a float too big for a whole number", 1e300, {}, "unsigned", "invalid", /64 bits/],
    ["a uint64 too big for an integer", 2n ** 64n - 1n, {}, "integer", "invalid", /64 bits/],
    ["a sentinel of a map", 255, { map: levels, invalid: [255] }, "string", "invalid", /no value/],
    ["NaN of a map", Number.NaN, { map: levels }, "string", "invalid", /not a number/],
    ["infinity as text", Number.NEGATIVE_INFINITY, {}, "string", "invalid", /finite/],
    ["infinity on a curve", Number.POSITIVE_INFINITY, { curve }, "float", "invalid", /finite/],
    ["a word out of range", 2, { map: mapOf(["2", 20]), valid: [0, 10] }, "float", "out-of-range", /20 is not within/],
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
    ["offset without noise", 23.3, { scale: 0.1, offset: -40 }, "number", 633],
    ["what is smaller than a count of others", 4e-7, { scale: 10 }, "number", 4e-8],
    ["switch to raw", true, { map: mapOf(["4", true]) }, "number", 4],
    ["a switch that its resource holds as number", 1, { map: mapOf(["4", true]) }, "number", 4],
    ["a number that its resource holds as text", "20", { map: mapOf(["2", 20]) }, "number", 2],
    ["a 64-bit number", 20n, { map: mapOf(["1", "odd"], ["2", 20]) }, "number", 2],
    ["64 bit", 9007199254740993n, {}, "number", 9007199254740993n],
    ["rounded to a step", 21.3, { step: 0.5, scale: 0.1 }, "number", 215],
    ["rounded to a step without noise", 0.31, { step: 0.1 }, "number", 0.3],
    ["a word that also is in a range", "empty", { map: levels }, "number", 0],
    ["on a curve", 57.5, { curve }, "number", 300],
    ["text of an enum", true, { map: mapOf(["ON", true]) }, "string", "ON"],
  ])("%s", (_, value, transform, kind, scalar) => {
    expect(toScalar(value, { ...PLAIN, ...transform }, kind)).toEqual(scalar);
  });

  it.each<[string, Value, Partial<Transform>, ScalarKind, RegExp]>([
    ["beyond the range", 31, { valid: [5, 30] }, "number", /31 is not within 5 to 30/],
    ["a step beyond the range", 30.3, { valid: [5, 30], step: 0.5 }, "number", /30.3 is not within 5 to 30/],
    ["beyond a curve", 91, { curve }, "number", /91 does not lie on the curve/],
    ["the word of a range", "low", { map: levels }, "number", /low is not one of empty$/],
    ["a 64-bit number where words are", 3n, { map: onOff }, "number", /3 is not one of/],
    ["a fraction among 64-bit numbers", 3n, { map: mapOf(["2", 2.5]) }, "number", /3 is not one of/],
    ["an unknown word", "open", { map: onOff }, "number", /off \| on/],
    ["a number for a coil", 2, {}, "boolean", /neither 0 nor 1/],
  ])("%s is refused with the limits", (_, value, transform, kind, message) => {
    expect(() => toScalar(value, { ...PLAIN, ...transform }, kind)).toThrow(message);
  });
});

describe("a map with mistakes", () => {
  it.each<[string, string, string]>([
    ["5..1", "2", "the lower bound 5 is above the upper bound 1"],
    ["1..5", "5..9", "overlaps with 1..5"],
  ])("%s and %s", (first, second, what) => {
    const result = valueMapOf(
      new Map<string, Word>([
        [first, "a"],
        [second, "b"],
      ]),
    );
    expect(result).toMatchObject({ what });
  });
});

describe("report filter", () => {
  const last: Reported = { value: 10, atMs: 1000 };
  it.each<[string, Report, Reported | undefined, unknown, number, number | undefined]>([
    ["the first value", { deadband: 1 }, undefined, 1, 0, 0],
    ["within the deadband", { deadband: 1 }, last, 11, 1001, undefined],
    ["beyond the deadband", { deadband: 1 }, last, 11.1, 1001, 0],
    ["unchanged before the heartbeat", { heartbeatMs: 100 }, last, 10, 1099, undefined],
    ["unchanged at the heartbeat", { heartbeatMs: 100 }, last, 10, 1100, 0],
    ["changed text", { deadband: 5 }, { value: "a", atMs: 1000 }, "b", 1001, 0],
    ["changed too soon", { minIntervalMs: 100 }, last, 11, 1030, 70],
    ["changed later", { minIntervalMs: 100 }, last, 11, 1100, 0],
    ["unchanged", { minIntervalMs: 100 }, last, 10, 1100, undefined],
    ["a heartbeat that is shorter than the interval", { minIntervalMs: 100, heartbeatMs: 10 }, last, 10, 1020, 80],
    ["after the clock was set back", { minIntervalMs: 100, deadband: 5 }, last, 10, 900, 0],
  ])("%s", (_, report, before, value, atMs, waitMs) => {
    expect(reportWaitMs(report, before, value, atMs)).toBe(waitMs);
  });
});
