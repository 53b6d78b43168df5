import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import type { Entry } from "../../../src/lwm2m/codec/codec.js";
import { tlvCodec } from "../../../src/lwm2m/codec/tlv.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { context, DEVICE_ENTRIES, entry, NOW_MS } from "./fixtures.js";

const DEVICE = `
  C8 00 14 4F 70 65 6E 20 4D 6F 62 69 6C 65 20 41 6C 6C 69 61 6E 63 65
  C8 01 16 4C 69 67 68 74 77 65 69 67 68 74 20 4D 32 4D 20 43 6C 69 65 6E 74
  C8 02 09 33 34 35 30 30 30 31 32 33
  C3 03 31 2E 30
  86 06 41 00 01 41 01 05
  88 07 08 42 00 0E D8 42 01 13 88
  87 08 41 00 7D 42 01 03 84
  C1 09 64
  C1 0A 0F
  83 0B 41 00 00
  C4 0D 51 82 42 8F
  C6 0E 2B 30 32 3A 30 30
  C1 10 55`;

const SERVICE_ENTRIES = [0, 1].flatMap((instance) => [
  entry(`/66/${instance}/0`, "string", `myService ${instance + 1}`),
  entry(`/66/${instance}/1`, "string", `Internet.15.23${instance + 4}`),
  entry(
    `/66/${instance}/2`,
    "objlnk",
    instance === 0 ? { objectId: 67, instanceId: 0 } : { objectId: 65535, instanceId: 65535 },
  ),
]);

/** Examples of OMA LwM2M Core 1.2 §7.5.5, lengths and counts as its table of the format says. */
const EXAMPLES: readonly (readonly [string, string, readonly Entry[]])[] = [
  ["/3/0", DEVICE, DEVICE_ENTRIES],
  ["/3", `08 00 79 ${DEVICE}`, DEVICE_ENTRIES],
  [
    "/2",
    `08 00 0E C1 00 01 C1 01 00 83 02 41 7F 07 C1 03 7F
     08 02 12 C1 00 03 C1 01 00 87 02 41 7F 07 61 01 36 01 C1 03 7F`,
    [
      entry("/2/0/0", "integer", 1),
      entry("/2/0/1", "integer", 0),
      entry("/2/0/2/127", "integer", 7),
      entry("/2/0/3", "integer", 127),
      entry("/2/2/0", "integer", 3),
      entry("/2/2/1", "integer", 0),
      entry("/2/2/2/127", "integer", 7),
      entry("/2/2/2/310", "integer", 1),
      entry("/2/2/3", "integer", 127),
    ],
  ],
  [
    "/65/0",
    "88 00 0C 44 00 00 42 00 00 44 01 00 42 00 01 C8 01 0D 38 36 31 33 38 30 30 37 35 35 35 30 30 C4 02 12 34 56 78",
    [
      entry("/65/0/0/0", "objlnk", { objectId: 66, instanceId: 0 }),
      entry("/65/0/0/1", "objlnk", { objectId: 66, instanceId: 1 }),
      entry("/65/0/1", "string", "8613800755500"),
      entry("/65/0/2", "integer", 0x12345678),
    ],
  ],
  [
    "/66",
    `08 00 26 C8 00 0B 6D 79 53 65 72 76 69 63 65 20 31 C8 01 0F 49 6E 74 65 72 6E 65 74 2E 31 35 2E 32 33 34
       C4 02 00 43 00 00
     08 01 26 C8 00 0B 6D 79 53 65 72 76 69 63 65 20 32 C8 01 0F 49 6E 74 65 72 6E 65 74 2E 31 35 2E 32 33 35
       C4 02 FF FF FF FF`,
    SERVICE_ENTRIES,
  ],
  ["/3/0/9", "C1 09 64", [entry("/3/0/9", "integer", 100)]],
  ["/3/0/6", "86 06 41 00 01 41 01 05", [entry("/3/0/6/0", "integer", 1), entry("/3/0/6/1", "integer", 5)]],
  ["/3/0/6/1", "41 01 05", [entry("/3/0/6/1", "integer", 5)]],
  ["/3303/0/5700", "E4 16 44 41 B4 00 00", [entry("/3303/0/5700", "float", 22.5)]],
  ["/3303/0/5700", "E8 16 44 08 40 36 66 66 66 66 66 66", [entry("/3303/0/5700", "float", 22.4)]],
  ["/3442/0/120", "C1 78 80", [entry("/3442/0/120", "integer", -128)]],
  ["/3442/0/120", "C2 78 FF 7F", [entry("/3442/0/120", "integer", -129)]],
  ["/3442/0/120", "C2 78 00 80", [entry("/3442/0/120", "integer", 128)]],
  ["/3442/0/125", "C1 7D FF", [entry("/3442/0/125", "unsigned", 255)]],
  ["/3442/0/125", "C8 7D 08 FF FF FF FF FF FF FF FF", [entry("/3442/0/125", "unsigned", 2n ** 64n - 1n)]],
  ["/3/0", "", []],
];

describe("TLV", () => {
  it.each(EXAMPLES)("writes and reads %s", (target, hex, entries) => {
    const bytes = tlvCodec.encode(entries, { target: parsePath(target), nowMs: NOW_MS });
    expect(toHex(bytes)).toBe(toHex(fromHex(hex)));
    const decoded = tlvCodec.decode(bytes, context(target));
    expect(decoded).toEqual(entries.map(({ path, value }) => ({ path, value })));
  });

  it.each([
    ["an instance header that the request does not need", "/3/0", "08 00 03 C1 09 64", [[3, 0, 9]]],
    [
      "instances without their resource",
      "/3/0/6",
      "41 00 01 41 01 05",
      [
        [3, 0, 6, 0],
        [3, 0, 6, 1],
      ],
    ],
    ["a resource instance within its resource", "/3/0/6/1", "83 06 41 01 05", [[3, 0, 6, 1]]],
    ["a Create that leaves the instance to the client", "/3", "C1 09 64", [[3, 65535, 9]]],
    ["unknown resources by dropping them", "/3/0", "C1 63 64", []],
    ["length bits that are to be ignored", "/3/0", "CF 00 01 55", [[3, 0, 0]]],
    [
      "16 and 24 bit lengths",
      "/3/0",
      "D0 00 00 01 55 D8 01 00 00 01 55",
      [
        [3, 0, 0],
        [3, 0, 1],
      ],
    ],
  ])("takes %s", (_, target, hex, paths) => {
    expect(tlvCodec.decode(fromHex(hex), context(target)).map(({ path }) => path)).toEqual(paths);
  });

  it.each([
    ["cut short", "/3/0", "C8 00 14 4F"],
    ["a header cut short", "/3/0", "C8"],
    ["3 bytes for an integer", "/3/0", "C3 09 01 02 03"],
    ["no bytes for an integer", "/3/0", "C0 09"],
    ["a boolean of 2", "/3442/0", "C1 8C 02"],
    ["text that is not UTF-8", "/3/0", "C1 00 FF"],
    ["another instance", "/3/0", "08 01 03 C1 09 64"],
    ["another resource", "/3/0/9", "C1 0A 64"],
    ["a single resource as a multiple one", "/3/0", "83 09 41 00 64"],
    ["a multiple resource as a single one", "/3/0", "C1 06 01"],
    ["a resource instance without a resource", "/3/0", "41 00 01"],
    ["an instance in an instance", "/3", "08 00 05 08 00 02 C0 00"],
    ["a resource in a resource", "/3/0", "83 06 C1 00 01"],
    ["the root", "/", "C1 00 01"],
  ])("refuses %s", (_, target, hex) => {
    expect(() => tlvCodec.decode(fromHex(hex), context(target))).toThrow(
      expect.objectContaining({ code: "LWM2M_DECODE" }),
    );
  });
});
