import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.js";
import { type ByteFormat, decodeByteValue, encodeByteValue, putByteValue } from "../../src/field/byte-value.js";
import type { Scalar } from "../../src/field/reading.js";

const VALUES: readonly (readonly [hex: string, format: ByteFormat, value: number | bigint])[] = [
  ["fe", { type: "int8" }, -2],
  ["fffffe", { type: "int24" }, -2],
  ["feffff", { type: "int24", order: "little" }, -2],
  ["8002", { type: "int16", sign: "magnitude" }, -2],
  ["ffffffffffffffff", { type: "uint64" }, 2n ** 64n - 1n],
  ["fffffffffffffffe", { type: "int64" }, -2],
  ["8000000000000002", { type: "int64", sign: "magnitude" }, -2],
  ["41c80000", { type: "float32" }, 25],
  ["4039000000000000", { type: "float64" }, 25],
  ["0060", { type: "uint16", bits: { at: 5, width: 2 } }, 3],
  ["f000000000000000", { type: "uint64", bits: { at: 60, width: 4 } }, 15],
];

describe("a number in bytes", () => {
  it.each(VALUES)("%s as %j is %s", (hex, format, value) => {
    expect(decodeByteValue(fromHex(`ff${hex}`), 1, format)).toBe(value);
    expect(toHex(encodeByteValue(value, format))).toBe(hex);
  });

  it("leaves the bits beside it as they are", () => {
    const bytes = fromHex("ffffff");
    putByteValue(bytes, 1, 0, { type: "uint16", bits: { at: 4, width: 5 } });
    expect(toHex(bytes)).toBe("fffe0f");
  });

  const misfits: readonly (readonly [value: Scalar, format: ByteFormat])[] = [
    [256, { type: "uint8" }],
    [-1, { type: "uint32" }],
    [-128, { type: "int8", sign: "magnitude" }],
    [2, { type: "uint8", bits: { at: 3 } }],
    [2n ** 64n, { type: "uint64" }],
    [1e39, { type: "float32" }],
    [Number.NaN, { type: "int16" }],
    ["1", { type: "int16" }],
  ];
  it.each(misfits)("%s does not fit %j", (value, format) => {
    expect(() => encodeByteValue(value, format)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
  });
});
