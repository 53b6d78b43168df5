import { describe, expect, it } from "vitest";
import { toValue } from "../../src/mapping/transform.js";
import { goodProfile, readText } from "./read-profile.js";

/** A file with one point, which begins in column 6 of line 6. */
function file(keys: string, head = "addressBase: 0"): string {
  return `profile: d\ntitle: D\nadapter: modbus\n${head}\npoints:\n  p: { at: { table: holding, register: 0 }, ${keys} }\nobjects: []\n`;
}

describe("what a file says of raw values that the type of the point never has", () => {
  it.each<[string, string]>([
    ["type: int16, invalid: [0x8000]", "'invalid' names 32768, which the type of the point never has"],
    ["type: uint16, invalid: [65535, -1]", "'invalid' names -1, which the type of the point never has"],
    ["type: uint16, invalid: [0.5]", "'invalid' names 0.5, which the type of the point never has"],
    [
      "type: uint16, bits: { at: 0, width: 2 }, invalid: [4]",
      "'invalid' names 4, which the type of the point never has",
    ],
    ["type: string, length: 4, invalid: [0]", "'invalid' names 0, which the type of the point never has"],
    ["type: int16, map: { 65535: none }", "'65535' of the map is never met: the type of the point never has it"],
  ])("%s", (keys, what) => {
    expect(readText(file(keys)).problems).toEqual([`m.yaml:6:6 points.p: ${what}`]);
  });

  it("a probe that can never hold", () => {
    const probe = "probe: [{ at: { table: holding, register: 1 }, type: int16, equals: 65535 }]\naddressBase: 0";
    expect(readText(file("type: int16", probe)).problems).toEqual([
      "m.yaml:4:9 probe[0].equals: the type of the point never has this value",
    ]);
  });
});

describe("sentinels as the type of the point holds them", () => {
  it.each<[string, number | bigint]>([
    ["type: int16, invalid: [-32768]", -32768],
    ["type: float32, invalid: [9999.9]", Math.fround(9999.9)],
    ["type: float64, invalid: [9999.9]", 9999.9],
    ["type: uint64, invalid: [0xFFFFFFFFFFFFFFFF]", 2n ** 64n - 1n],
    ["type: int64, invalid: [-9223372036854775808]", -(2n ** 63n)],
  ])("%s is met", (keys, raw) => {
    const transform = goodProfile(file(keys)).points.get("p")?.transform;
    expect(transform && toValue(raw, transform, "float")).toMatchObject({ quality: "invalid" });
  });

  it("of a probe, too", () => {
    const probe = "probe: [{ at: { table: holding, register: 1 }, type: float32, equals: 1.1 }]\naddressBase: 0";
    expect(goodProfile(file("type: int16", probe)).probe[0]?.expected).toEqual({ equals: Math.fround(1.1) });
  });
});
