import { describe, expect, it } from "vitest";
import type { Scalar } from "../../src/field/reading.js";
import { valueFromText } from "../../src/field/text-value.js";

describe("a number that a device wrote as text", () => {
  it.each<[Scalar, Scalar]>([
    ["21.50", 21.5],
    [" +7 ", 7],
    ["-0012", -12],
    ["1e3", 1000],
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["-9007199254740993", -9007199254740993n],
    ["+18446744073709551615", 18446744073709551615n],
    [21, 21],
    [true, 1],
  ])("%o is %o", (text, value) => {
    expect(valueFromText(text, "number")).toEqual({ quality: "good", value });
  });

  it.each(["", "  ", "7 V", "1,5", "NaN", "Infinity", "1e999", "--1"])("%j is none", (text) => {
    expect(valueFromText(text, "number")).toEqual({ quality: "invalid", reason: `'${text.trim()}' is not a number` });
  });
});
