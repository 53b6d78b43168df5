import { describe, expect, it } from "vitest";
import { decodeAngle, encodeAngle } from "../../../adapters/serial/angle.js";
import { fitValue } from "../../../adapters/serial/fit.js";
import type { SerialPoint } from "../../../adapters/serial/options.js";
import type { Scalar } from "../../../src/field/reading.js";
import { serialPoint } from "./serial-rig.js";

describe("what a read-back must equal", () => {
  it.each<[SerialPoint, Scalar, Scalar]>([
    [{ type: "uint16" }, 3.4, 3],
    [{ type: "uint8", bits: { at: 4, width: 2 } }, 3, 3],
    [{ type: "float32" }, 0.1, Math.fround(0.1)],
    [{ type: "int64" }, 2n ** 60n, 2n ** 60n],
    [{ type: "number" }, "12.5", 12.5],
    [{ type: "number" }, 2n ** 60n, 2n ** 60n],
    [{ type: "boolean" }, 1, true],
    [{ type: "boolean" }, "false", false],
    [{}, 12.5, "12.5"],
    [{}, 5n, "5"],
    [{ type: "angle" }, -33.5, -33.5],
  ])("of %o and %s", (address, value, fitted) => {
    expect(fitValue(serialPoint("p", address), value)).toEqual(fitted);
  });

  it.each<[SerialPoint, Scalar, string]>([
    [{ type: "uint8" }, 256, "256 does not fit uint8"],
    [{ type: "int8" }, "a", "a does not fit int8"],
    [{ type: "number" }, "a", "p takes a number: 'a' is not a number"],
    [{ type: "boolean" }, 2, "p takes a boolean: '2' is neither true nor false"],
    [{ type: "angle" }, Number.NaN, "p is an angle in degrees, not NaN"],
  ])("of %o is never %s", (address, value, message) => {
    expect(() => fitValue(serialPoint("p", address), value)).toThrow(
      expect.objectContaining({ code: "VALUE_INVALID", message }),
    );
  });
});

it.each([
  [48.1173, "latitude", "4807.0380000", "N"],
  [-0.5, "latitude", "0030.0000000", "S"],
  [11.9999999999, "longitude", "01200.0000000", "E"],
  [-179.999, "longitude", "17959.9400000", "W"],
] as const)("the angle %d is a %s of %s %s", (value, kind, text, hemisphere) => {
  expect(encodeAngle(value, kind)).toEqual([text, hemisphere]);
  expect(decodeAngle(text, hemisphere)).toBeCloseTo(value, 8);
});
