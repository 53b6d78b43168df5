import { expect, it } from "vitest";
import { FrameTrace, printableText } from "../../src/field/trace.js";
import { FakeClock } from "../fakes/clock.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

it("reads as text where the bytes are text", () => {
  const trace = new FrameTrace(new FakeClock(), 3, printableText);
  trace.add("out", bytes("gone"));
  trace.add("out", bytes("SI\r\n"));
  trace.add("in", Uint8Array.of(0xff, 0x86));
  trace.add("in", Uint8Array.of(0x01), "own words");
  expect(trace.frames()).toMatchObject([
    { direction: "out", hex: "53490d0a", text: "SI\\r\\n" },
    { direction: "in", hex: "ff86" },
    { direction: "in", hex: "01", text: "own words" },
  ]);
  expect(trace.frames()[1]).not.toHaveProperty("text");
});
