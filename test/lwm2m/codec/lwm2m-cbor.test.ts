import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import type { Entry } from "../../../src/lwm2m/codec/codec.js";
import { lwm2mCborCodec } from "../../../src/lwm2m/codec/lwm2m-cbor.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { context, DEVICE_ENTRIES, entry, NOW_MS } from "./fixtures.js";

const encode = (target: string, ...entries: Entry[]): string =>
  toHex(lwm2mCborCodec.encode(entries, { target: parsePath(target), nowMs: NOW_MS }));
const decode = (hex: string, target = "/") => lwm2mCborCodec.decode(fromHex(hex), context(target));
const behind = (prefix: string, one: Entry): Entry => ({ ...one, prefix });

const OMA = entry("/3/0/0", "string", "Open Mobile Alliance");
const OMA_HEX = "744f70656e204d6f62696c6520416c6c69616e6365";

describe("LwM2M CBOR output", () => {
  it("Core 1.2 §7.5.4.1: one resource", () => {
    expect(encode("/3/0/0", OMA)).toBe(`a183030000${OMA_HEX}`);
  });

  it("Core 1.2 §7.5.4.2: a multiple resource", () => {
    const voltages = [entry("/3/0/6/0", "integer", 1), entry("/3/0/6/1", "integer", 5)];
    expect(encode("/3/0/6", ...voltages)).toBe("a183030006a200010105");
  });

  it("Core 1.2 §7.5.4.3: the Device object in 118 bytes", () => {
    const expected =
      `a1820300ad00${OMA_HEX}01764c69676874776569676874204d324d20436c69656e7402693334353030303132330363312e3006a2` +
      "0001010507a200190ed8011913880 8a200187d011903840918640a0f0ba100000d1a5182428f0e662b30323a3030106155";
    const bytes = encode("/3/0", ...DEVICE_ENTRIES);
    expect(bytes).toBe(expected.replaceAll(" ", ""));
    expect(bytes.length / 2).toBe(118);
  });

  it("Core 1.2 §7.5.4.4: an object with its instances", () => {
    const lifetimes = [entry("/1/0/1", "integer", 86400), entry("/1/1/1", "integer", 86400)];
    expect(encode("/1", ...lifetimes)).toBe("a101a200a1011a0001518001a1011a00015180");
  });

  it("Core 1.2 §7.5.4.5: a composite answer, whatever the order of its parts", () => {
    const expected = `a2820300a200${OMA_HEX}0918648301000 11a00015180`.replaceAll(" ", "");
    const [battery, lifetime] = [entry("/3/0/9", "integer", 100), entry("/1/0/1", "integer", 86400)];
    expect(encode("/", OMA, battery, lifetime)).toBe(expected);
    expect(encode("/", OMA, lifetime, battery)).toBe(expected);
  });

  it("Gateway 1.1.1 §10: devices behind the gateway", () => {
    const [one, two] = [entry("/3/0/9", "integer", 100), entry("/3/0/9", "integer", 65)];
    expect(encode("/", behind("d01", one), behind("d02", two))).toBe(
      "a284636430310300091864 8463643032030009 1841".replaceAll(" ", ""),
    );
    expect(encode("/3/0", behind("d01", one))).toBe("a183636430310300a1091864");
    expect(encode("/", behind("d01", one), behind("d01", entry("/1/0/1", "integer", 9)))).toBe(
      "a163643031a203a100a109186401a100a10109",
    );
  });

  it("is an empty map of nothing", () => expect(encode("/5")).toBe("a0"));
});

describe("LwM2M CBOR input", () => {
  it.each([
    ["an array key", `a183030000${OMA_HEX}`],
    ["nested maps", `a103a100a100${OMA_HEX}`],
    ["both", `a1820300a100${OMA_HEX}`],
    ["keys of one id in arrays", `a18103a18100a18100${OMA_HEX}`],
    ["indefinite maps", `bf03bf00bf00${OMA_HEX}ffffff`],
    ["an indefinite key and indefinite text", "bf9f030000ff7f644f70656e70204d6f62696c6520416c6c69616e6365ffff"],
    ["ids wider than needed", `a1831803190000 1a00000000${OMA_HEX}`.replaceAll(" ", "")],
  ])("takes %s", (_, hex) => {
    expect(decode(hex)).toEqual([{ path: [3, 0, 0], value: "Open Mobile Alliance" }]);
    expect(decode(hex, "/3/0/0")).toHaveLength(1);
  });

  it("takes keys of different depth, the inner ones relative", () => {
    expect(decode("a1820300a2090a820600 05".replaceAll(" ", ""))).toEqual([
      { path: [3, 0, 9], value: 10 },
      { path: [3, 0, 6, 0], value: 5 },
    ]);
  });

  it.each([
    ["integer", 120, "3b7fffffffffffffff", -(2n ** 63n)],
    ["unsigned", 125, "1bffffffffffffffff", 2n ** 64n - 1n],
    ["integer beyond 2^53", 120, "1b0020000000000001", 2n ** 53n + 1n],
    ["float in half precision", 130, "f94da0", 22.5],
    ["float as a whole number", 130, "16", 22],
    ["tagged time", 160, "c11a5182428f", 1367491215],
    ["time as text", 160, "c074323031332d30352d30325431303a34303a31355a", 1367491215],
    ["link", 170, "64333a3132", { objectId: 3, instanceId: 12 }],
    ["opaque", 150, "4201ff", Uint8Array.of(1, 255)],
  ])("takes %s exactly", (_, resourceId, item, value) => {
    const id = resourceId.toString(16).padStart(2, "0");
    expect(decode(`a183190d720018${id}${item}`)).toEqual([{ path: [3442, 0, resourceId], value }]);
  });

  it("removes a resource instance with null", () => {
    expect(decode("a183030006a200f60107")).toEqual([
      { path: [3, 0, 6, 0], value: null },
      { path: [3, 0, 6, 1], value: 7 },
    ]);
  });

  it("takes a prefix as the first text, alone or in the key", () => {
    const decoded = [{ path: [3, 0, 9], value: 100, prefix: "d01" }];
    expect(decode("a18463643031030009 1864".replaceAll(" ", ""))).toEqual(decoded);
    expect(decode("a163643031a1830300091864")).toEqual(decoded);
    const d02 = { ...context("/3/0"), prefix: "d02" };
    expect(() => lwm2mCborCodec.decode(fromHex("a163643031a1830300091864"), d02)).toThrow();
  });

  it("takes 65535 for an instance that the client numbers (Core 1.2.1 §6.3.6)", () => {
    expect(decode("a182190d7219ffffa118780 1".replaceAll(" ", ""), "/3442")).toEqual([
      { path: [3442, 65535, 120], value: 1 },
    ]);
  });

  it("drops unknown resources, and an empty multiple resource is nothing", () => {
    expect(decode("a183030019 03e701".replaceAll(" ", ""))).toEqual([]);
    expect(decode("a183030006a0")).toEqual([]);
    expect(decode("a0", "/3/0/6")).toEqual([]);
  });

  it.each([
    ["no map", "83030000"],
    ["nothing", ""],
    ["a path twice", "a28303000901820300a10902"],
    ["an unknown path twice", "a2831903e7000001831903e7000002"],
    ["a path outside of the target", "a18303000901", "/1/0"],
    ["a path relative to the target", "a10901", "/3/0"],
    ["a path above resources", "a182030001"],
    ["five ids", "a1850300060001 01".replaceAll(" ", "")],
    ["an empty key", "a18001"],
    ["a negative id", "a1832003 0001".replaceAll(" ", "")],
    ["an id too big", "a1831a00010000000001"],
    ["a text among ids", "a183036131 0901".replaceAll(" ", "")],
    ["two prefixes", "a1616 1a1616 2a18303000901".replaceAll(" ", "")],
    ["a prefix without ids", "a1816161a18303000901"],
    ["a number as prefix", "a16133a18303000901"],
    ["a multiple resource with one value", "a183030006 01".replaceAll(" ", "")],
    ["a single resource with instances", "a183030009a10001"],
    ["a wrong type", "a1830300096131"],
    ["more than 64 bits", "a183190d72001878 1bffffffffffffffff".replaceAll(" ", "")],
    ["undefined", "a183030009f7"],
    ["bytes after the end", "a1830300090100"],
  ])("refuses %s", (_, hex, target = "/") => {
    expect(() => decode(hex, target)).toThrow(expect.objectContaining({ code: "LWM2M_DECODE" }));
  });
});
