import { describe, expect, it } from "vitest";
import type { Checksum } from "../../../adapters/serial/checksum.js";
import { Framer, type Framing } from "../../../adapters/serial/framer.js";
import { concatBytes, fromHex, toHex } from "../../../src/base/bytes.js";
import { FakeClock } from "../../fakes/clock.js";
import { random } from "../../fakes/random.js";

const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const LINES: Framing = { end: latin("\r\n") };
const NMEA: Framing = { start: latin("$"), end: latin("\r\n"), maxLength: 20 };
const SDS: Framing = { start: fromHex("AA C0"), end: fromHex("AB"), length: 10 };
const SDS_SUM: Checksum = { type: "sum8", from: 2, to: 8, at: 8 };
const GOOD = "AA C0 D4 04 3A 0A A1 60 1D AB";
const COUNTED: Framing = { start: fromHex("42 4D"), lengthField: { offset: 2, type: "uint16", add: 4 }, maxLength: 16 };
const TELEGRAM: Framing = { start: latin("/"), end: latin("!"), tail: 2 };

function framed(framing: Framing, pieces: readonly Uint8Array[], checksum?: Checksum): string[] {
  const frames: string[] = [];
  const framer = new Framer(framing, checksum, new FakeClock(), ({ bytes, state }) => {
    frames.push(`${state === "intact" ? "" : "damaged "}${printable(bytes)}`);
  });
  for (const piece of pieces) framer.push(piece);
  return frames;
}

function printable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  return /^[\x20-\x7e\r\n]*$/.test(text) ? text.trimEnd() : toHex(bytes);
}

const CASES: readonly (readonly [string, Framing, Checksum | undefined, string | Uint8Array, readonly string[]])[] = [
  ["lines", LINES, undefined, "one\r\ntwo\r\nthr", ["one", "two"]],
  ["a start mark after garbage", NMEA, undefined, "xx\r\ny$A,1\r\n", ["$A,1"]],
  ["half a line before a whole one", NMEA, undefined, "$A,1$B,2\r\n$C\r\n", ["$B,2", "$C"]],
  ["a line without an end", NMEA, undefined, `$${"x".repeat(50)}\r\n$A\r\n`, ["$A"]],
  ["a fixed length", SDS, SDS_SUM, fromHex(`00 ${GOOD} AA ${GOOD}`), [toHex(fromHex(GOOD)), toHex(fromHex(GOOD))]],
  [
    "half a frame before a whole one",
    SDS,
    SDS_SUM,
    fromHex(`AA C0 D4 04 ${GOOD}`),
    [`damaged ${toHex(fromHex("AA C0 D4 04 AA C0 D4 04 3A 0A"))}`, toHex(fromHex(GOOD))],
  ],
  [
    "a length field",
    COUNTED,
    undefined,
    fromHex("FF 42 4D 00 02 AA BB 42 4D 00 01 CC 42"),
    ["424d0002aabb", "424d0001cc"],
  ],
  ["a length field that says too much", COUNTED, undefined, fromHex("42 4D FF FF 42 4D 00 01 CC"), ["424d0001cc"]],
  ["bytes behind the end mark", TELEGRAM, undefined, "x/a\r\nb!12\r\n/c!34", ["/a\r\nb!12", "/c!34"]],
  [
    "inverted bytes behind an escape",
    { start: fromHex("80"), end: fromHex("0D"), escape: 0x1b },
    undefined,
    fromHex("80 1B F2 05 0D"),
    ["800d050d"],
  ],
];

describe("frames", () => {
  it.each(CASES)("with %s", (_, framing, checksum, stream, frames) => {
    const bytes = typeof stream === "string" ? latin(stream) : stream;
    expect(framed(framing, [bytes], checksum)).toEqual(frames);
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(framed(framing, single, checksum)).toEqual(frames);
  });

  it("end with silence where nothing else ends them", async () => {
    const clock = new FakeClock();
    const frames: string[] = [];
    const framer = new Framer({ gapMs: 20 }, undefined, clock, ({ bytes }) => frames.push(toHex(bytes)));
    framer.push(fromHex("01 02"));
    await clock.advance(19);
    framer.push(fromHex("03"));
    await clock.advance(20);
    framer.push(fromHex("04"));
    framer.clear();
    await clock.advance(100);
    expect(frames).toEqual(["010203"]);
  });

  it("are found again after any garbage, and nothing grows", () => {
    const { seed, bytes, below } = random();
    const whole = fromHex(GOOD);
    for (let round = 0; round < 300; round++) {
      const noise = bytes(below(40));
      const cut = whole.slice(0, below(whole.length));
      const stream = concatBytes([noise, cut, whole, whole]);
      const at = below(stream.length);
      const frames = framed(SDS, [stream.subarray(0, at), stream.subarray(at)], SDS_SUM);
      expect(frames.filter((frame) => frame === toHex(whole)).length, `seed ${seed}`).toBeGreaterThanOrEqual(2);
    }
  });
});
