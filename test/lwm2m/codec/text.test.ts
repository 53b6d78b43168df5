import { describe, expect, it } from "vitest";
import { utf8Decode, utf8Encode } from "../../../src/base/bytes.js";
import { opaqueCodec } from "../../../src/lwm2m/codec/opaque.js";
import { textCodec } from "../../../src/lwm2m/codec/text.js";
import type { ResourceType, Value } from "../../../src/lwm2m/value.js";
import { context, entry, NOW_MS } from "./fixtures.js";

const AT = { target: [], nowMs: NOW_MS };

describe("text/plain", () => {
  it.each<[number, ResourceType, Value, string]>([
    [110, "string", "Open Mobile Alliance", "Open Mobile Alliance"],
    [110, "string", "", ""],
    [120, "integer", -86400, "-86400"],
    [120, "integer", 9223372036854775807n, "9223372036854775807"],
    [125, "unsigned", 18446744073709551615n, "18446744073709551615"],
    [130, "float", 22.4, "22.4"],
    [130, "float", -1e-7, "-0.0000001"],
    [130, "float", 1.5e21, "1500000000000000000000"],
    [130, "float", 1e300, `1${"0".repeat(300)}`],
    [140, "boolean", true, "1"],
    [140, "boolean", false, "0"],
    [150, "opaque", Uint8Array.of(0, 255), "AP8="],
    [160, "time", 1476186613, "1476186613"],
    [170, "objlnk", { objectId: 10, instanceId: 3 }, "10:3"],
    [180, "corelnk", "</3/0>", "</3/0>"],
  ])("/3442/0/%i is %s", (id, type, value, text) => {
    const path = `/3442/0/${id}`;
    expect(utf8Decode(textCodec.encode([entry(path, type, value)], AT))).toBe(text);
    expect(textCodec.decode(utf8Encode(text), context(path))).toEqual([{ path: [3442, 0, id], value }]);
  });

  it.each<[number, string, Value]>([
    [130, "+.5", 0.5],
    [130, "1e3", 1000],
    [130, "7", 7],
    [120, "+5", 5],
    [150, "AP8", Uint8Array.of(0, 255)],
  ])("takes for /3442/0/%i also %s", (id, text, value) => {
    expect(textCodec.decode(utf8Encode(text), context([3442, 0, id]))[0]?.value).toEqual(value);
  });

  it.each([
    [120, ""],
    [120, "1.5"],
    [120, "0x10"],
    [120, "9223372036854775808"],
    [120, "9".repeat(1000)],
    [125, "-1"],
    [130, ""],
    [130, "NaN"],
    [130, "1,5"],
    [140, "true"],
    [150, "*"],
    [160, "now"],
    [170, "10"],
    [170, "10:65536"],
    [170, "010:3"],
  ])("refuses for /3442/0/%i '%s'", (id, text) => {
    expect(() => textCodec.decode(utf8Encode(text), context([3442, 0, id]))).toThrow(
      expect.objectContaining({ code: "LWM2M_DECODE" }),
    );
  });

  it("carries exactly one value", () => {
    const two = [entry("/3/0/0", "string", "a"), entry("/3/0/1", "string", "b")];
    for (const entries of [[], two]) {
      expect(() => textCodec.encode(entries, AT)).toThrow(expect.objectContaining({ code: "LWM2M_NOT_ACCEPTABLE" }));
    }
    expect(() => textCodec.decode(utf8Encode("x"), context("/3/0"))).toThrow("not a resource");
    expect(() => textCodec.decode(utf8Encode("1"), context("/3/0/6"))).toThrow("multiple");
    expect(textCodec.decode(utf8Encode("7"), context("/3/0/6/1"))).toEqual([{ path: [3, 0, 6, 1], value: 7 }]);
    expect(textCodec.decode(utf8Encode("x"), context("/3/0/99"))).toEqual([]);
  });
});

describe("application/octet-stream", () => {
  it("carries the bytes of an opaque value", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(opaqueCodec.encode([entry("/3442/0/150", "opaque", bytes)], AT)).toEqual(bytes);
    expect(opaqueCodec.decode(bytes, context("/3442/0/150"))).toEqual([{ path: [3442, 0, 150], value: bytes }]);
  });

  it("carries nothing else", () => {
    const text = entry("/3/0/0", "string", "a");
    expect(() => opaqueCodec.encode([text], AT)).toThrow(expect.objectContaining({ code: "LWM2M_NOT_ACCEPTABLE" }));
    expect(() => opaqueCodec.decode(Uint8Array.of(1), context("/3/0/0"))).toThrow(
      expect.objectContaining({ code: "LWM2M_DECODE" }),
    );
  });
});
