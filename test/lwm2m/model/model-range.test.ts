import { describe, expect, it } from "vitest";
import { parseRange } from "../../../src/lwm2m/model/model-range.js";
import type { ResourceType } from "../../../src/lwm2m/value.js";

describe("parseRange", () => {
  it.each<[string, ResourceType, ReturnType<typeof parseRange>]>([
    ["", "integer", {}],
    ["0..255", "integer", { range: { min: 0, max: 255 } }],
    ["-20.5..85", "float", { range: { min: -20.5, max: 85 } }],
    ["1...15", "integer", { range: { min: 1, max: 15 } }],
    ["0-7", "integer", { range: { min: 0, max: 7 } }],
    ["[1:4]", "integer", { range: { min: 1, max: 4 } }],
    ["255", "integer", { range: { min: 0, max: 255 } }],
    ["8-Bits", "integer", { range: { min: 0, max: 255 } }],
    ["16-bit", "unsigned", { range: { min: 0, max: 65535 } }],
    ["8 bit", "integer", { range: { min: 0, max: 255 } }],
    ["0,1,2", "integer", { allowed: [0, 1, 2] }],
    ["5, 10, 15, 20", "integer", { allowed: [5, 10, 15, 20] }],
    ["0..3, 255", "integer", { allowed: [0, 1, 2, 3, 255] }],
    ["0: RELEASED\r\n\t1: PRESSED\r\n\t255: FAULT", "unsigned", { allowed: [0, 1, 255] }],
    ["0; 3.8..20.5", "float", {}],
    ["1 bytes", "integer", {}],
    ["<7 to >12.5", "integer", {}],
    ["7..3", "integer", {}],
    ["0..255", "string", { range: { min: 0, max: 255 } }],
    ["1..64 bytes", "string", { range: { min: 1, max: 64 } }],
    ["0-255 bytes", "string", { range: { min: 0, max: 255 } }],
    ["32 bytes", "string", { range: { min: 0, max: 32 } }],
    ["6", "opaque", { range: { min: 0, max: 6 } }],
    ["16-32-48 bytes", "opaque", {}],
    ["10,26", "string", {}],
    ["ON;OFF", "string", { allowed: ["ON", "OFF"] }],
    ["ON;OFF", "float", {}],
    ["The possible values are those listed in the Core Specification", "string", {}],
    ["0..1", "boolean", {}],
    ["0..4294967295", "integer", { range: { min: 0, max: 4294967295 } }],
    ["0..999999999", "time", { range: { min: 0, max: 999999999 } }],
  ])("reads '%s' of %s", (text, type, limits) => expect(parseRange(text, type)).toEqual(limits));

  it("does not spell out endless lists", () => {
    expect(parseRange("0..99999999999, 5", "integer")).toEqual({});
  });
});
