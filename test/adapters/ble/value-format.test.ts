import { describe, expect, it } from "vitest";
import {
  fitToFormat,
  readValue,
  VALUE_TYPES,
  type ValueFormat,
  writeValue,
} from "../../../adapters/ble/value-format.js";
import { fromHex } from "../../../src/base/bytes.js";
import { type Scalar, sameScalar } from "../../../src/field/reading.js";
import { random } from "../../fakes/random.js";

const READ: readonly (readonly [hex: string, format: ValueFormat, value: Scalar | undefined])[] = [
  ["ff", { type: "uint8" }, 255],
  ["ff", { type: "int8" }, -1],
  ["0180", { type: "uint16" }, 0x8001],
  ["0180", { type: "int16" }, -32_767],
  ["0180", { type: "uint16", order: "big" }, 0x0180],
  ["0180", { type: "int16", sign: "magnitude" }, -1],
  ["0080", { type: "int16", sign: "magnitude" }, 0],
  ["010203", { type: "uint24" }, 0x030201],
  ["010203", { type: "uint24", order: "big" }, 0x010203],
  ["ffffff", { type: "int24" }, -1],
  ["ffffffff", { type: "uint32" }, 4_294_967_295],
  ["00000080", { type: "int32" }, -2_147_483_648],
  ["0000c841", { type: "float32" }, 25],
  ["41c80000", { type: "float32", order: "big" }, 25],
  ["02", { type: "bool" }, true],
  ["00", { type: "bool" }, false],
  ["ac36", { type: "uint16", order: "big", bits: { at: 5, width: 11 } }, 1377],
  ["ac36", { type: "uint16", order: "big", bits: { at: 0, width: 5 } }, 22],
  ["80", { type: "uint8", bits: { at: 7 } }, 1],
  ["ffffffffffffffff", { type: "int64" }, -1],
  ["ffffffffffffffff", { type: "uint64" }, 2n ** 64n - 1n],
  ["0100000000000080", { type: "int64", sign: "magnitude" }, -1],
  ["00000000000000f0", { type: "uint64", bits: { at: 60, width: 4 } }, 15],
  ["0000000000003940", { type: "float64" }, 25],
  ["68690000", { type: "string" }, "hi"],
  ["ff", { type: "string" }, undefined],
  ["0102", { type: "bytes" }, fromHex("0102")],
  ["01", { type: "uint16" }, undefined],
  ["", { type: "bool" }, undefined],
];

describe("a value in bytes", () => {
  it.each(READ)("%s as %j is %s", (hex, format, value) => {
    expect(readValue(fromHex(hex), 0, format)).toEqual(value);
    // Wherever it stands.
    expect(readValue(fromHex(`ffff${hex}`), 2, format)).toEqual(value);
  });

  it("is not beyond the end", () => {
    expect(readValue(fromHex("01"), 2, { type: "bytes" })).toBeUndefined();
    expect(readValue(fromHex("01"), 1, { type: "bytes" })).toEqual(new Uint8Array());
  });

  it("is read as it was written, whatever it is", () => {
    const dice = random();
    for (let round = 0; round < 5000; round++) {
      const type = dice.pick(VALUE_TYPES);
      const order = dice.pick(["little", "big"] as const);
      const isSigned = type.startsWith("int");
      const format: ValueFormat = { type, order, ...(isSigned && dice.below(2) === 1 ? { sign: "magnitude" } : {}) };
      const bytes = dice.bytes(dice.below(12));
      const value = readValue(bytes, 0, format);
      if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) continue;
      const again = readValue(writeValue(value, format, "x"), 0, format);
      expect(again !== undefined && sameScalar(again, value), `seed ${dice.seed}: ${JSON.stringify(format)}`).toBe(
        true,
      );
    }
  });

  it("is written only where it fits", () => {
    const fitted = (value: Scalar, format: ValueFormat) => fitToFormat(value, format, "x");
    expect(fitted(12.6, { type: "uint8" })).toBe(13);
    expect(fitted(7n, { type: "uint8" })).toBe(7);
    expect(fitted(0.1, { type: "float32" })).toBe(Math.fround(0.1));
    const cases: readonly (readonly [Scalar, ValueFormat])[] = [
      [256, { type: "uint8" }],
      [4, { type: "uint8", bits: { at: 3, width: 2 } }],
      [1e39, { type: "float32" }],
      [-1, { type: "uint8" }],
      [-128, { type: "int8", sign: "magnitude" }],
      [128, { type: "int8" }],
      [Number.NaN, { type: "int8" }],
      ["1", { type: "int8" }],
      [1, { type: "bool" }],
      [true, { type: "string" }],
    ];
    for (const [value, format] of cases) {
      expect(() => fitted(value, format), `${String(value)} as ${format.type}`).toThrow(
        expect.objectContaining({ code: "VALUE_INVALID" }),
      );
    }
  });
});
