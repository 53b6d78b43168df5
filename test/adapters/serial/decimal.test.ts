import { describe, expect, it } from "vitest";
import { decodeDecimal, encodeDecimal } from "../../../adapters/serial/decimal.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";

describe("a decimal of Kamstrup's KMP", () => {
  // The examples of the protocol's description §4.2, and of meters.
  it.each<[string, number]>([
    ["04 C2 00003039", -123.45],
    ["04 03 05397FB1", 87_654_321_000],
    ["01 03 FF", 255_000],
    ["04 43 0004CB13", 314.131],
    ["04 11 012AF024", 19_591_204e17],
    ["08 00 0000000100000000", 4_294_967_296],
  ])("%s is %d", (hex, value) => {
    expect(decodeDecimal(fromHex(hex), 0)).toBe(value);
  });

  it.each(["", "04", "04 00 000001", "00 00"])("'%s' is none", (hex) => {
    expect(() => decodeDecimal(fromHex(hex), 0)).toThrow(RangeError);
  });

  it.each<[number, string]>([
    [-123.45, "04c200003039"],
    [314.131, "04430004cb13"],
    [0, "040000000000"],
    [4_294_967_295, "0400ffffffff"],
  ])("%d is written as %s", (value, hex) => {
    expect(toHex(encodeDecimal(value))).toBe(hex);
  });

  it.each([4_294_967_296, 1 / 3, Number.NaN, "x"])("%s cannot be written", (value) => {
    expect(() => encodeDecimal(value)).toThrowError(expect.objectContaining({ code: "VALUE_INVALID" }));
  });
});
