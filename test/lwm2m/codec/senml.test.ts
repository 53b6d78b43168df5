import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8Decode, utf8Encode } from "../../../src/base/bytes.js";
import { type CborMap, decodeCbor } from "../../../src/lwm2m/codec/cbor-reader.js";
import type { EncodeContext, Entry, TimesPolicy } from "../../../src/lwm2m/codec/codec.js";
import { senmlCborCodec, senmlEtchCborCodec } from "../../../src/lwm2m/codec/senml-cbor.js";
import { senmlEtchJsonCodec, senmlJsonCodec } from "../../../src/lwm2m/codec/senml-json.js";
import { context, DEVICE_ENTRIES, entry, NOW_MS } from "./fixtures.js";

/** OMA LwM2M Core 1.2 Appendix M. */
const DEVICE_CBOR = `90 a3 21 65 2f332f302f 00 61 30 03 74 4f70656e204d6f62696c6520416c6c69616e6365
  a2 00 61 31 03 76 4c69676874776569676874204d324d20436c69656e74 a2 00 61 32 03 69 333435303030313233
  a2 00 61 33 03 63 312e30 a2 00 63 362f30 02 01 a2 00 63 362f31 02 05 a2 00 63 372f30 02 19 0ed8
  a2 00 63 372f31 02 19 1388 a2 00 63 382f30 02 18 7d a2 00 63 382f31 02 19 0384 a2 00 61 39 02 18 64
  a2 00 62 3130 02 0f a2 00 64 31312f30 02 00 a2 00 62 3133 02 1a 5182428f a2 00 62 3134 03 66 2b30323a3030
  a2 00 62 3136 03 61 55`;

/** OMA LwM2M Core 1.2 §7.5.6. */
const DEVICE_JSON =
  '[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"1","vs":"Lightweight M2M Client"},' +
  '{"n":"2","vs":"345000123"},{"n":"3","vs":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"7/0","v":3800},' +
  '{"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},{"n":"10","v":15},' +
  '{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","vs":"+02:00"},{"n":"16","vs":"U"}]';

const VALUES = DEVICE_ENTRIES.map(({ path, value }) => ({ path, value }));
const AT: EncodeContext = { target: [], nowMs: NOW_MS };

function json(entries: readonly Entry[], times?: TimesPolicy): string | undefined {
  return utf8Decode(senmlJsonCodec.encode(entries, times === undefined ? AT : { ...AT, times }));
}

describe("SenML", () => {
  it("writes and reads the standard's Device object", () => {
    expect(toHex(senmlCborCodec.encode(DEVICE_ENTRIES, AT))).toBe(toHex(fromHex(DEVICE_CBOR)));
    expect(senmlCborCodec.decode(fromHex(DEVICE_CBOR), context("/3/0"))).toEqual(VALUES);
    expect(json(DEVICE_ENTRIES)).toBe(DEVICE_JSON);
    expect(senmlJsonCodec.decode(utf8Encode(DEVICE_JSON), context("/3/0"))).toEqual(VALUES);
  });

  it.each<[string, readonly Entry[], string]>([
    ["one value", [entry("/3/0/0", "string", "x")], '[{"bn":"/3/0/0","vs":"x"}]'],
    ["no value", [], "[]"],
    [
      "values of several objects",
      [entry("/3/0/0", "string", "x"), entry("/3/0/9", "integer", 95), entry("/1/0/1", "integer", 86400)],
      '[{"bn":"/3/0/","n":"0","vs":"x"},{"n":"9","v":95},{"bn":"/1/0/1","v":86400}]',
    ],
    [
      "a device behind the gateway",
      [
        { ...entry("/3303/0/5700", "float", 22.1), prefix: "d01" },
        { ...entry("/3303/0/5701", "string", "Cel"), prefix: "d01" },
      ],
      '[{"bn":"/d01/3303/0/","n":"5700","v":22.1},{"n":"5701","vs":"Cel"}]',
    ],
    [
      "two devices behind the gateway",
      [
        { ...entry("/3/0/0", "string", "A"), prefix: "d01" },
        { ...entry("/3/0/0", "string", "B"), prefix: "d02" },
      ],
      '[{"n":"/d01/3/0/0","vs":"A"},{"n":"/d02/3/0/0","vs":"B"}]',
    ],
    [
      "several instances of one object",
      [entry("/3303/0/5700", "float", 1), entry("/3303/1/5700", "float", 2)],
      '[{"bn":"/3303/","n":"0/5700","v":1},{"n":"1/5700","v":2}]',
    ],
  ])("names %s", (_, entries, text) => expect(json(entries)).toBe(text));

  it("names a series of samples once", () => {
    const series = (path: string) => [0, 1, 2].map((s) => entry(path, "float", s, NOW_MS - 5000 + s * 1000));
    expect(json([...series("/3303/0/5700"), ...series("/3442/0/130")], "all")).toBe(
      '[{"bn":"/3303/0/5700","bt":1699999995,"v":0},{"t":1,"v":1},{"t":2,"v":2},' +
        '{"bn":"/3442/0/130","v":0},{"t":1,"v":1},{"t":2,"v":2}]',
    );
  });
});

it("names a series within an instance once too", () => {
  const atMs = NOW_MS - 5000;
  const series = [5700, 5700, 5700].map((id, index) => entry(`/3303/0/${id}`, "float", index, atMs + index));
  const text = json([...series, entry("/3303/0/5701", "string", "Cel", atMs)], "all");
  expect(text).toContain('{"bn":"/3303/0/5701","vs":"Cel"}');
});

describe("SenML times", () => {
  const fresh = entry("/3303/0/5700", "float", 1, NOW_MS - 900);
  const old = entry("/3303/0/5701", "string", "Cel", NOW_MS - 90_500);
  const timeless = entry("/3303/0/5701", "string", "Cel");

  it.each<[string, readonly Entry[], TimesPolicy | undefined, string]>([
    [
      "nothing when all is fresh",
      [fresh, timeless],
      undefined,
      '[{"bn":"/3303/0/","n":"5700","v":1},{"n":"5701","vs":"Cel"}]',
    ],
    ["nothing when told so", [old], "none", '[{"bn":"/3303/0/5701","vs":"Cel"}]'],
    ["an old value's time", [old], "historical", '[{"bn":"/3303/0/5701","bt":1699999909.5,"vs":"Cel"}]'],
    [
      "all times with an old value",
      [fresh, old],
      undefined,
      '[{"bn":"/3303/0/","bt":1699999999.1,"n":"5700","v":1},{"n":"5701","t":-89.6,"vs":"Cel"}]',
    ],
    [
      "now for what has no time",
      [fresh, timeless],
      "all",
      '[{"bn":"/3303/0/","bt":1699999999.1,"n":"5700","v":1},{"n":"5701","t":0.9,"vs":"Cel"}]',
    ],
    [
      "no time before the clock was set",
      [entry("/3/0/0", "string", "x", 5000)],
      "all",
      '[{"bn":"/3/0/0","bt":268435456,"vs":"x"}]',
    ],
  ])("gives %s", (_, entries, times, text) => expect(json(entries, times)).toBe(text));

  it("gives ages while the clock is not set", () => {
    const entries = [entry("/3/0/0", "string", "x", 2000), entry("/3/0/1", "string", "y", 4500)];
    const text = utf8Decode(senmlJsonCodec.encode(entries, { target: [], nowMs: 5000, times: "all" }));
    expect(text).toBe('[{"bn":"/3/0/","bt":-3,"n":"0","vs":"x"},{"n":"1","t":2.5,"vs":"y"}]');
  });

  it("writes CBOR times as short as they are exact", () => {
    const entries = [0, 1000, 1250, 1123].map((ms) => entry("/3303/0/5700", "float", 1, NOW_MS + ms));
    const bytes = senmlCborCodec.encode(entries, { ...AT, times: "all" });
    expect(toHex(bytes)).toBe(
      `84a3216c${toHex(utf8Encode("/3303/0/5700"))}221a6553f10002f93c00a2060102f93c00a206f93d0002f93c00a206fb3ff1f7ced916872b02f93c00`,
    );
    expect(senmlCborCodec.decode(bytes, context("/")).map(({ atMs }) => atMs)).toEqual(entries.map(({ atMs }) => atMs));
  });

  it.each<[string, number | undefined]>([
    ['[{"n":"/3303/0/5700","v":1}]', undefined],
    ['[{"n":"/3303/0/5700","v":1,"t":0}]', NOW_MS],
    ['[{"n":"/3303/0/5700","v":1,"t":-5.25}]', NOW_MS - 5250],
    ['[{"bt":1700000000,"n":"/3303/0/5700","v":1,"t":-5.001}]', 1_699_999_994_999],
    ['[{"bt":1.700000001e9,"n":"/3303/0/5700","v":1}]', 1_700_000_001_000],
    ['[{"bt":268435456,"n":"/3303/0/5700","v":1}]', 268_435_456_000],
    ['[{"bt":268435455,"n":"/3303/0/5700","v":1}]', NOW_MS + 268_435_455_000],
  ])("reads %s", (text, atMs) => {
    expect(senmlJsonCodec.decode(utf8Encode(text), context("/"))[0]?.atMs).toBe(atMs);
  });

  it("reads the decimal fractions that some servers write", () => {
    // [{-2: "/3303/0/5700", -3: 4([-3, 1700000000001]), 2: 1}]
    const hex = `81a3216c${toHex(utf8Encode("/3303/0/5700"))}22c482221b0000018bcfe568010201`;
    expect(senmlCborCodec.decode(fromHex(hex), context("/"))).toEqual([
      { path: [3303, 0, 5700], value: 1, atMs: NOW_MS + 1 },
    ]);
  });
});

describe("SenML reading", () => {
  it("keeps every digit of 64-bit integers", () => {
    const text = '[{"n":"/3442/0/120","v":-9223372036854775808},{"n":"/3442/0/125","v":18446744073709551615}]';
    const decoded = senmlJsonCodec.decode(utf8Encode(text), context("/3442/0"));
    expect(decoded.map(({ value }) => value)).toEqual([-9223372036854775808n, 18446744073709551615n]);
    const entries = decoded.map(({ path, value }) => ({ path, type: "integer" as const, value: value ?? "" }));
    expect(json(entries)).toContain('"v":18446744073709551615');
    const cbor = senmlCborCodec.encode(entries, AT);
    expect(senmlCborCodec.decode(cbor, context("/3442/0"))).toEqual(decoded);
  });

  it("takes names with a base, prefixes and unknown fields", () => {
    const text =
      '[{"bn":"/d01/","bver":10,"u":"Cel","n":"3303/0/5700","v":22.5},{"n":"3303/0/9","v":1},{"n":"3303/0/5701","vs":"Cel"}]';
    expect(senmlJsonCodec.decode(utf8Encode(text), context("/"))).toEqual([
      { path: [3303, 0, 5700], value: 22.5, prefix: "d01" },
      { path: [3303, 0, 5701], value: "Cel", prefix: "d01" },
    ]);
    const inDevice = { ...context("/3303/0"), prefix: "d01" };
    expect(senmlJsonCodec.decode(utf8Encode(text), inDevice)).toHaveLength(2);
    expect(() => senmlJsonCodec.decode(utf8Encode(text), { ...inDevice, prefix: "d02" })).toThrow("not behind /d02");
  });

  it.each([
    ['[{"n":"/3442/0/150","vd":"AP8B"}]'],
    ['[{"n":"/3442/0/150","vd":"AP8B="}]'],
    ['[{"n":"/3442/0/150","vd":"AP8B=="}]'],
  ])("takes base64 as %s", (text) => {
    const [decoded] = senmlJsonCodec.decode(utf8Encode(text), context("/3442/0/150"));
    expect(decoded?.value).toEqual(Uint8Array.of(0, 255, 1));
  });

  it("takes indefinite arrays and maps, and half floats", () => {
    const hex = `9fbf006c${toHex(utf8Encode("/3303/0/5700"))}02f94da0ffff`;
    expect(senmlCborCodec.decode(fromHex(hex), context("/3303/0"))).toEqual([{ path: [3303, 0, 5700], value: 22.5 }]);
  });

  it.each([
    ["not an array", "{}"],
    ["a record that is no object", "[1]"],
    ["no value", '[{"n":"/3303/0/5700"}]'],
    ["two values", '[{"n":"/3303/0/5700","v":1,"vs":"x"}]'],
    ["the same twice", '[{"n":"/3303/0/5700","v":1},{"n":"/3303/0/5700","v":2}]'],
    ["another type", '[{"n":"/3303/0/5700","vs":"hot"}]'],
    ["a fraction for an integer", '[{"n":"/3442/0/120","v":1.5}]'],
    ["more than 64 bits", '[{"n":"/3442/0/120","v":9223372036854775808}]'],
    ["bad base64", '[{"n":"/3442/0/150","vd":"A"}]'],
    ["a bad link", '[{"n":"/3442/0/170","vlo":"1:2:3"}]'],
    ["a path outside of the target", '[{"n":"/3/0/0","vs":"x"}]', "/3303/0"],
    ["no path", '[{"n":"/x/y","v":1}]'],
    ["an id too big", '[{"n":"/65536/0/0","v":1}]'],
    ["an instance", '[{"n":"/3303/0","v":1}]'],
    ["five ids", '[{"n":"/3/0/6/0/1","v":1}]'],
    ["a multiple resource without instance", '[{"n":"/3/0/6","v":1}]'],
    ["a single resource with instance", '[{"n":"/3/0/9/0","v":1}]'],
    ["a null", '[{"n":"/3/0/6/0","v":null}]'],
    ["a field that must be understood", '[{"n":"/3303/0/5700","v":1,"x_":1}]'],
    ["a base value", '[{"bv":20,"n":"/3303/0/5700","v":1}]'],
    ["a later version", '[{"bver":11,"n":"/3303/0/5700","v":1}]'],
    ["a key twice", '[{"n":"/3303/0/5700","v":1,"v":2}]'],
    ["text after the end", '[{"n":"/3303/0/5700","v":1}] x'],
    ["an endless time", '[{"bt":1e999,"n":"/3303/0/5700","v":1}]'],
    ["a leading zero", '[{"n":"/3303/0/5700","v":01}]'],
    ["a raw line break", '[{"n":"/3303/0/5701","vs":"a\nb"}]'],
    ["deep nesting", "[".repeat(100)],
    ["nothing", ""],
  ])("refuses %s", (_, text, target = "/") => {
    expect(() => senmlJsonCodec.decode(utf8Encode(text), context(target))).toThrow(
      expect.objectContaining({ code: "LWM2M_DECODE" }),
    );
  });

  it.each([
    ["a label twice", "81a3006c2f333330332f302f3537303002010202"],
    ["two values", "81a3006c2f333330332f302f3537303002010304"],
    ["a base value", "81a324186400 6c2f333330332f302f353730300201"],
    ["a map", "a0"],
  ])("refuses CBOR with %s", (_, hex) => {
    expect(() => senmlCborCodec.decode(fromHex(hex), context("/"))).toThrow(
      expect.objectContaining({ code: "LWM2M_DECODE" }),
    );
  });

  it("says that JSON has no NaN; CBOR has", () => {
    const nan = [entry("/3303/0/5700", "float", Number.NaN)];
    expect(() => json(nan)).toThrow(expect.objectContaining({ code: "LWM2M_NOT_ACCEPTABLE" }));
    expect(senmlCborCodec.decode(senmlCborCodec.encode(nan, AT), context("/"))[0]?.value).toBeNaN();
  });
});

describe("SenML-ETCH", () => {
  it("removes a resource instance with null", () => {
    const text = utf8Encode('[{"bn":"/3/0/6/","n":"0","v":null},{"n":"1","v":7}]');
    const decoded = [
      { path: [3, 0, 6, 0], value: null },
      { path: [3, 0, 6, 1], value: 7 },
    ];
    expect(senmlEtchJsonCodec.decode(text, context("/"))).toEqual(decoded);
    const hex = "82a3216 7 2f332f302f362f 006130 02f6 a2006131 0207".replaceAll(" ", "");
    expect(senmlEtchCborCodec.decode(fromHex(hex), context("/"))).toEqual(decoded);
  });

  it.each([senmlJsonCodec, senmlEtchJsonCodec])("reads the targets of a composite read in $name", (codec) => {
    const text = '[{"bn":"/4/0/","n":"0"},{"n":"1"},{"bn":"/6/","n":"0"},{"bn":"/d01/","n":"3/0"},{"bn":"/","n":""}]';
    expect(codec.decodePaths?.(utf8Encode(text))).toEqual([
      { path: [4, 0, 0] },
      { path: [4, 0, 1] },
      { path: [6, 0] },
      { path: [3, 0], prefix: "d01" },
      { path: [] },
    ]);
  });

  it("reads the targets of a composite read in CBOR", () => {
    expect(senmlEtchCborCodec.decodePaths?.(fromHex("82a100662f332f302f30a100642f312f30"))).toEqual([
      { path: [3, 0, 0] },
      { path: [1, 0] },
    ]);
  });

  it.each(['[{"n":"/3/0/0","vs":"x"}]', '[{"n":"/3/0/0"},{"n":"/3/0/0"}]', '[{"n":"/3/x"}]'])(
    "refuses %s as targets",
    (text) => {
      expect(() => senmlJsonCodec.decodePaths?.(utf8Encode(text))).toThrow(
        expect.objectContaining({ code: "LWM2M_DECODE" }),
      );
    },
  );
});

describe("SenML CBOR size", () => {
  it("is small for one value", () => {
    const bytes = senmlCborCodec.encode([entry("/3303/0/5700", "float", 22.5)], AT);
    expect(toHex(bytes)).toBe(`81a2216c${toHex(utf8Encode("/3303/0/5700"))}02f94da0`);
    const records = decodeCbor(bytes) as readonly CborMap[];
    expect(records).toHaveLength(1);
  });
});
