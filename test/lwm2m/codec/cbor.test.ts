import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import { cborCodec } from "../../../src/lwm2m/codec/cbor.js";
import { CborMap, CborTag, type CborValue, decodeCbor } from "../../../src/lwm2m/codec/cbor-reader.js";
import { CborWriter } from "../../../src/lwm2m/codec/cbor-writer.js";
import type { ResourceType, Value } from "../../../src/lwm2m/value.js";
import { context, entry, NOW_MS } from "./fixtures.js";

/** RFC 8949 Appendix A; the third column says when our writer, which is definite and shortest, writes it too. */
const VECTORS: readonly (readonly [string, CborValue, "written"?])[] = [
  ["00", 0, "written"],
  ["17", 23, "written"],
  ["1818", 24, "written"],
  ["1864", 100, "written"],
  ["1903e8", 1000, "written"],
  ["1a000f4240", 1000000, "written"],
  ["1b000000e8d4a51000", 1000000000000, "written"],
  ["1bffffffffffffffff", 18446744073709551615n, "written"],
  ["3bffffffffffffffff", -18446744073709551616n, "written"],
  ["20", -1, "written"],
  ["29", -10, "written"],
  ["3863", -100, "written"],
  ["3903e7", -1000, "written"],
  ["f90000", 0],
  ["f98000", -0],
  ["f93c00", 1],
  ["fb3ff199999999999a", 1.1],
  ["f93e00", 1.5],
  ["f97bff", 65504],
  ["fa47c35000", 100000],
  ["fa7f7fffff", (2 - 2 ** -23) * 2 ** 127],
  ["fb7e37e43c8800759c", 1.0e300],
  ["f90001", 2 ** -24],
  ["f90400", 0.00006103515625],
  ["f9c400", -4],
  ["fbc010666666666666", -4.1],
  ["f97c00", Number.POSITIVE_INFINITY],
  ["f97e00", Number.NaN],
  ["f9fc00", Number.NEGATIVE_INFINITY],
  ["fa7f800000", Number.POSITIVE_INFINITY],
  ["fb7ff8000000000000", Number.NaN],
  ["f4", false, "written"],
  ["f5", true, "written"],
  ["f6", null, "written"],
  ["f7", undefined],
  ["c074323031332d30332d32315432303a30343a30305a", new CborTag(0, "2013-03-21T20:04:00Z")],
  ["c11a514b67b0", new CborTag(1, 1363896240)],
  ["c1fb41d452d9ec200000", new CborTag(1, 1363896240.5)],
  ["40", Uint8Array.of(), "written"],
  ["4401020304", Uint8Array.of(1, 2, 3, 4), "written"],
  ["60", "", "written"],
  ["6449455446", "IETF", "written"],
  ["62225c", '"\\', "written"],
  ["62c3bc", "ü", "written"],
  ["63e6b0b4", "水", "written"],
  ["64f0908591", "\u{10151}", "written"],
  ["80", []],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a0", new CborMap([])],
  [
    "a201020304",
    new CborMap([
      [1, 2],
      [3, 4],
    ]),
  ],
  [
    "a26161016162820203",
    new CborMap([
      ["a", 1],
      ["b", [2, 3]],
    ]),
  ],
  ["5f42010243030405ff", Uint8Array.of(1, 2, 3, 4, 5)],
  ["7f657374726561646d696e67ff", "streaming"],
  ["9fff", []],
  ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
  [
    "bf61610161629f0203ffff",
    new CborMap([
      ["a", 1],
      ["b", [2, 3]],
    ]),
  ],
];

function row([hex, value]: (typeof VECTORS)[number]): [string, CborValue] {
  return [hex, value];
}

describe("CBOR", () => {
  it.each(VECTORS.map(row))("reads %s", (hex, value) => expect(decodeCbor(fromHex(hex))).toEqual(value));

  it.each(VECTORS.filter(([, , written]) => written !== undefined).map(row))("writes %s", (hex, value) => {
    const writer = new CborWriter();
    if (typeof value === "number" || typeof value === "bigint") writer.integer(value);
    else if (typeof value === "boolean") writer.boolean(value);
    else if (typeof value === "string") writer.text(value);
    else if (value instanceof Uint8Array) writer.bytes(value);
    else writer.null();
    expect(toHex(writer.finish())).toBe(hex);
  });

  it.each<[number, string]>([
    [0, "f90000"],
    [-0, "f98000"],
    [1, "f93c00"],
    [1.1, "fb3ff199999999999a"],
    [1.5, "f93e00"],
    [65504, "f97bff"],
    [65505, "fa477fe100"],
    [100000, "fa47c35000"],
    [(2 - 2 ** -23) * 2 ** 127, "fa7f7fffff"],
    [1e300, "fb7e37e43c8800759c"],
    [2 ** -24, "f90001"],
    [2 ** -25, "fa33000000"],
    [0.00006103515625, "f90400"],
    [1023 * 2 ** -24, "f903ff"],
    [-4, "f9c400"],
    [-4.1, "fbc010666666666666"],
    [Number.POSITIVE_INFINITY, "f97c00"],
    [Number.NEGATIVE_INFINITY, "f9fc00"],
    [Number.NaN, "f97e00"],
    [8191, "fa45fff800"],
    [2047, "f967ff"],
    [2049, "fa45001000"],
  ])("writes the float %d in the shortest exact form", (value, hex) => {
    expect(toHex(new CborWriter().float(value).finish())).toBe(hex);
    expect(decodeCbor(fromHex(hex))).toBe(value);
  });

  it.each([
    ["", "cut short"],
    ["18", "cut short"],
    ["1c", "reserved"],
    ["1f", "indefinite"],
    ["ff", "break"],
    ["0000", "after the end"],
    ["81ff", "break in a definite array"],
    ["a1ff00", "break in a definite map"],
    ["bf00ff", "break outside"],
    ["61ff", "UTF-8"],
    ["9bffffffffffffffff", "cut short"],
    ["5bffffffffffffffff00", "cut short"],
    ["5f6161ff", "not a chunk"],
    ["5f5f4101ffff", "not a chunk"],
    ["5f4101", "cut short"],
    ["f8ff", "unassigned"],
    ["81".repeat(40), "too deeply"],
    ["c1".repeat(40), "too deeply"],
  ])("refuses %s: %s", (hex, message) => {
    expect(() => decodeCbor(fromHex(hex))).toThrow(expect.objectContaining({ code: "LWM2M_DECODE" }));
    expect(() => decodeCbor(fromHex(hex))).toThrow(message);
  });
});

describe("application/cbor", () => {
  it.each<[number, ResourceType, Value, string]>([
    [110, "string", "U", "6155"],
    [120, "integer", -129, "3880"],
    [125, "unsigned", 18446744073709551615n, "1bffffffffffffffff"],
    [130, "float", 22.5, "f94da0"],
    [140, "boolean", true, "f5"],
    [150, "opaque", Uint8Array.of(1, 2), "420102"],
    [160, "time", 1367491215, "1a5182428f"],
    [170, "objlnk", { objectId: 66, instanceId: 0 }, "6436363a30"],
  ])("/3442/0/%i is %s", (id, type, value, hex) => {
    const path = `/3442/0/${id}`;
    const bytes = cborCodec.encode([entry(path, type, value)], { target: [], nowMs: NOW_MS });
    expect(toHex(bytes)).toBe(hex);
    expect(cborCodec.decode(bytes, context(path))).toEqual([{ path: [3442, 0, id], value }]);
  });

  it.each<[string, number, Value]>([
    ["c11a514b67b0", 160, 1363896240],
    ["c074323031332d30332d32315432303a30343a30305a", 160, 1363896240],
    ["c075323031332d30332d32315432303a30343a30305a00", 160, 1363896240],
    ["6531303a3132", 170, { objectId: 10, instanceId: 12 }],
    ["6631303a313200", 170, { objectId: 10, instanceId: 12 }],
    ["05", 130, 5],
    ["f94500", 120, 5],
    ["c48221196ab3", 130, 273.15],
  ])("takes %s for /3442/0/%i", (hex, id, value) => {
    expect(cborCodec.decode(fromHex(hex), context([3442, 0, id]))).toEqual([{ path: [3442, 0, id], value }]);
  });

  it.each([
    ["f93e00", 120],
    ["20", 125],
    ["6155", 120],
    ["01", 140],
    ["01", 110],
    ["6155", 150],
    ["63313a78", 170],
    ["c06178", 160],
  ])("refuses %s for /3442/0/%i", (hex, id) => {
    expect(() => cborCodec.decode(fromHex(hex), context([3442, 0, id]))).toThrow(
      expect.objectContaining({ code: "LWM2M_DECODE" }),
    );
  });
});
