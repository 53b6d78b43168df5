import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.js";
import type { Scalar } from "../../src/field/reading.js";
import {
  decodeRegisters,
  encodeRegisters,
  mergeBits,
  REGISTER_ORDERS,
  REGISTER_TYPES,
  type RegisterFormat,
  registerCount,
  registerFormatProblem,
} from "../../src/field/registers.js";

const vectors: readonly (readonly [RegisterFormat, string, Scalar])[] = [
  [{ type: "int16" }, "ff38", -200],
  [{ type: "uint16" }, "ff38", 65336],
  [{ type: "uint16", order: "BADC" }, "38ff", 65336],
  [{ type: "uint16", order: "CDAB" }, "ff38", 65336],
  [{ type: "int32" }, "fffe1dc0", -123456],
  [{ type: "uint32", order: "ABCD" }, "12345678", 0x12345678],
  [{ type: "uint32", order: "CDAB" }, "56781234", 0x12345678],
  [{ type: "uint32", order: "BADC" }, "34127856", 0x12345678],
  [{ type: "uint32", order: "DCBA" }, "78563412", 0x12345678],
  // Vaisala HMD60, test registers 7938 and 7940.
  [{ type: "float32" }, "c2f6e666", Math.fround(-123.45)],
  [{ type: "float32", order: "CDAB" }, "e666c2f6", Math.fround(-123.45)],
  [{ type: "string", length: 4 }, "2d3132332e343500", "-123.45"],
  [{ type: "string", length: 2, order: "BADC" }, "62616463", "abcd"],
  [{ type: "string", length: 2, order: "CDAB" }, "61626364", "abcd"],
  [{ type: "float64" }, "400921fb54442d18", Math.PI],
  [{ type: "float64", order: "CDAB" }, "2d18544421fb4009", Math.PI],
  [{ type: "float64", order: "BADC" }, "0940fb214454182d", Math.PI],
  [{ type: "float64", order: "DCBA" }, "182d4454fb210940", Math.PI],
  [{ type: "int64" }, "ffffffffffffffff", -1],
  [{ type: "uint64" }, "ffffffffffffffff", 0xffff_ffff_ffff_ffffn],
  [{ type: "uint64" }, "0020000000000001", 9007199254740993n],
  [{ type: "uint64", order: "CDAB" }, "0001000000000020", 9007199254740993n],
  [{ type: "int64", order: "DCBA" }, "0000000000000080", -(2n ** 63n)],
  [{ type: "bool" }, "0001", true],
  [{ type: "bool" }, "0000", false],
  [{ type: "bool", bits: { at: 9 } }, "0200", true],
  [{ type: "uint16", bits: { at: 4, width: 2 } }, "0030", 3],
  [{ type: "uint32", order: "CDAB", bits: { at: 16, width: 8 } }, "000000ab", 0xab],
];

describe("registers", () => {
  it.each(vectors)("%o %s ↔ %s", (format, hex, value) => {
    expect(decodeRegisters(fromHex(hex), 0, format)).toEqual(value);
    expect(toHex(encodeRegisters(value, format))).toBe(hex);
  });

  it("round-trips every type in every order", () => {
    const samples: Partial<Record<(typeof REGISTER_TYPES)[number], Scalar>> = {
      bool: true,
      int16: -2,
      uint16: 65000,
      int32: -70000,
      uint32: 4_000_000_000,
      int64: -(2n ** 60n),
      uint64: 2n ** 63n + 5n,
      float32: 0.5,
      float64: -1e300,
      string: "Zähler",
    };
    for (const type of REGISTER_TYPES) {
      for (const order of REGISTER_ORDERS) {
        const format: RegisterFormat = type === "string" ? { type, order, length: 4 } : { type, order };
        const bytes = encodeRegisters(samples[type] ?? 0, format);
        expect(bytes.length).toBe(2 * registerCount(format));
        expect(decodeRegisters(bytes, 0, format)).toEqual(samples[type]);
      }
    }
  });

  it("keeps text that is not UTF-8, and trims padding", () => {
    expect(decodeRegisters(fromHex("b0432020"), 0, { type: "string", length: 2 })).toBe("°C");
  });

  const misfits: readonly (readonly [Scalar, RegisterFormat])[] = [
    [65536, { type: "uint16" }],
    [-1, { type: "uint16" }],
    [32768, { type: "int16" }],
    [2n ** 64n, { type: "uint64" }],
    [Number.NaN, { type: "float32" }],
    [1e39, { type: "float32" }],
    ["12", { type: "uint16" }],
    [4, { type: "uint16", bits: { at: 0, width: 2 } }],
    ["too long", { type: "string", length: 2 }],
    [new Uint8Array(2), { type: "string", length: 2 }],
  ];
  it.each(misfits)("refuses %s for %o", (value, format) => {
    expect(() => encodeRegisters(value, format)).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
  });

  it("puts a field of bits into what the register holds", () => {
    const format: RegisterFormat = { type: "uint16", bits: { at: 4, width: 3 } };
    expect(toHex(mergeBits(fromHex("ffff"), encodeRegisters(2, format), format))).toBe("ffaf");
    const low: RegisterFormat = { type: "uint32", order: "CDAB", bits: { at: 0, width: 4 } };
    expect(toHex(mergeBits(fromHex("12345678"), encodeRegisters(9, low), low))).toBe("12395678");
  });

  it("rounds fractions", () => {
    expect(toHex(encodeRegisters(213.00000000000003, { type: "int16" }))).toBe("00d5");
  });

  const problems: readonly (readonly [RegisterFormat, string | undefined])[] = [
    [{ type: "string" }, "a string needs 'length' (in registers)"],
    [{ type: "uint16", length: 2 }, "only a string has 'length'"],
    [{ type: "float32", bits: { at: 0 } }, "float32 has no bits"],
    [{ type: "uint16", bits: { at: 15, width: 2 } }, "uint16 has only 16 bits"],
    [{ type: "bool", bits: { at: 3, width: 2 } }, "a bool is one bit wide"],
    [{ type: "uint32", bits: { at: 24, width: 8 } }, undefined],
  ];
  it.each(problems)("%o: %s", (format, problem) => {
    expect(registerFormatProblem(format)).toBe(problem);
  });
});
