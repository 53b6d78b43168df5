import { describe, expect, it } from "vitest";
import type { Codec } from "../../../src/lwm2m/codec/codec.js";
import {
  ADVERTISED_FORMATS,
  ContentFormat,
  codecFor,
  codecOf,
  type FormatUse,
  formatsFor,
} from "../../../src/lwm2m/codec/formats.js";
import { random } from "../../fakes/random.js";
import { context, DEVICE_ENTRIES, EDGES, entry, NOW_MS, TYPES } from "./fixtures.js";

const NUMBERS = [0, 42, 60, 110, 112, 320, 322, 11542, 11543, 11544];
const CODECS = NUMBERS.map((number) => codecOf(number)).filter((codec) => codec !== undefined);

describe("formats", () => {
  it.each<[FormatUse, readonly number[]]>([
    ["value", [112, 110, 11544, 11542, 0, 60, 42, 11543]],
    ["values", [112, 110, 11544, 11542, 11543]],
    ["paths", [112, 110, 322, 320]],
    ["composite", [112, 110, 11544]],
    ["patch", [112, 110, 11544, 322, 320]],
    ["send", [112, 110]],
  ])("for %s are %j", (use, numbers) => {
    expect(formatsFor(use)).toEqual(numbers);
    for (const { contentFormat } of CODECS) {
      expect(codecFor(contentFormat, use) !== undefined).toBe(numbers.includes(contentFormat));
    }
  });

  it("are all there, and only those that are", () => {
    expect(CODECS.map(({ contentFormat }) => contentFormat)).toEqual(NUMBERS);
    expect(codecOf(9)).toBeUndefined();
    expect(ADVERTISED_FORMATS.every((number) => codecOf(number) !== undefined)).toBe(true);
    expect(formatsFor("paths").every((number) => codecOf(number)?.decodePaths !== undefined)).toBe(true);
  });
});

describe.each(CODECS.map((codec): [string, Codec] => [codec.name, codec]))("%s", (_, codec) => {
  const cases = TYPES.flatMap(([type, id]) => EDGES[type].map((value) => [type, id, value] as const)).filter(
    ([type]) => codec.contentFormat !== ContentFormat.opaque || type === "opaque",
  );

  it("gives back every value of every type", () => {
    for (const [type, id, value] of cases) {
      const path = [3442, 0, id];
      const at = { target: path, nowMs: NOW_MS };
      const [decoded] = codec.decode(codec.encode([{ path, type, value }], at), context(path));
      // JSON and text write -0 as 0.
      const expected = Object.is(value, -0) && ![60, 112, 322, 11542, 11544].includes(codec.contentFormat) ? 0 : value;
      expect(decoded, `${type} ${String(value)}`).toEqual({ path, value: expected });
      const multiple = [3442, 0, id + 1000, 7];
      const encoded = codec.encode([{ path: multiple, type, value }], { target: multiple, nowMs: NOW_MS });
      expect(codec.decode(encoded, context(multiple)).map((result) => result.path)).toEqual([multiple]);
    }
  });

  it("gives values or LWM2M_DECODE for any bytes", () => {
    const { seed, below, bytes } = random();
    const single =
      codec.contentFormat === 42 ? entry("/3442/0/150", "opaque", bytes(20)) : entry("/3442/0/120", "integer", 5);
    const several = codecFor(codec.contentFormat, "values") ?? codecFor(codec.contentFormat, "patch");
    const good = codec.encode(several === undefined ? [single] : DEVICE_ENTRIES, { target: [3, 0], nowMs: NOW_MS });
    for (let round = 0; round < 1500; round++) {
      const payload = round % 3 === 0 ? bytes(below(40)) : damaged(good, below, bytes);
      for (const target of ["/", "/3/0", "/3442/0/120", "/3442/0/150", "/3/0/6"]) {
        try {
          codec.decode(payload, context(target));
          codec.decodePaths?.(payload);
        } catch (error) {
          expect(error, `seed ${seed}, target ${target}`).toMatchObject({ code: "LWM2M_DECODE" });
        }
      }
    }
  });
});

function damaged(
  good: Uint8Array,
  below: (limit: number) => number,
  bytes: (length: number) => Uint8Array,
): Uint8Array {
  const at = below(good.length);
  return Buffer.concat([good.subarray(0, at), bytes(below(3)), good.subarray(at + below(3))]);
}
