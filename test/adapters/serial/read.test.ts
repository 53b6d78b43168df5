import { beforeEach, expect, it } from "vitest";
import type { SerialLinkOptions } from "../../../adapters/serial/options.js";
import { readTool } from "../../../adapters/serial/read.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import { silentLog } from "../../../src/base/log.js";
import type { Finding } from "../../../src/field/tool.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";

let clock: FakeClock;
let line: MemoryLine;
let found: Finding[];
let opened: SerialLinkOptions | undefined;
beforeEach(() => {
  clock = new FakeClock();
  line = new MemoryLine();
  found = [];
  opened = undefined;
});

function read(values: Readonly<Record<string, string>>, signal = new AbortController().signal): Promise<void> {
  const tool = readTool(async (options) => {
    opened = options;
    return line;
  });
  const context = {
    clock,
    log: silentLog,
    profiles: [],
    found: (...some: readonly Finding[]) => void found.push(...some),
    progress: () => undefined,
  };
  return tool.run({ values, positionals: [] }, context, signal);
}

const latin = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

it("shows what comes in pieces between which the line is silent", async () => {
  const reading = read({ port: "p", baud: "4800", seconds: "3" });
  await clock.advance(1000);
  line.deliver(latin("T=2"));
  await clock.advance(20);
  line.deliver(latin("1.4\r\nH=4"));
  await clock.advance(500);
  line.deliver(fromHex("AA C0 00"));
  await clock.advance(3000);
  await reading;
  expect(found).toEqual([
    { atS: "1.00", text: "T=21.4\\r\\n", hex: undefined },
    { atS: "1.00", text: "H=4", hex: undefined },
    { atS: "1.52", text: undefined, hex: "aa c0 00" },
  ]);
  expect(opened).toEqual({ port: "p", baudRate: 4800, dataBits: 8, parity: "none", stopBits: 1 });
  expect(clock.pendingCount).toBe(0);
});

it("shows a device that never rests, in pieces of a bounded length", async () => {
  const reading = read({ port: "p", seconds: "1" });
  await clock.advance(1);
  for (let count = 0; count < 60; count++) {
    line.deliver(latin("0123456789"));
    await clock.advance(10);
  }
  await clock.advance(1000);
  await reading;
  expect(found.map(({ text }) => String(text).length)).toEqual([260, 260, 80]);
});

it.each([
  ["SI\\r\\n", "53490d0a"],
  ["hex:FF 01 86", "ff0186"],
])("asks with %s", async (send, hex) => {
  const reading = read({ port: "p", send, seconds: "1" });
  await clock.advance(2000);
  await reading;
  expect(line.written.map(toHex)).toEqual([hex]);
});

it.each([
  [{}, /needs --port/],
  [{ port: "p", baud: "fast" }, /--baud is a whole number/],
  [{ port: "p", parity: "mark" }, /--parity is none, even or odd/],
  [{ port: "p", send: "hex:F" }, /not hexadecimal/],
  [{ port: "p", host: "h" }, /--port is a whole number/],
])("refuses %j", async (values: Readonly<Record<string, string>>, message) => {
  await expect(read(values)).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
});

it("says that the port went away, and ends with the signal, which is no error", async () => {
  const reading = read({ port: "p" });
  reading.catch(() => undefined);
  await clock.advance(10);
  line.break();
  await expect(reading).rejects.toMatchObject({ code: "LINK_FAILED" });
  line = new MemoryLine();
  const stop = new AbortController();
  const stopped = read({ port: "p" }, stop.signal);
  await clock.advance(10);
  stop.abort(new Error("enough"));
  await stopped;
  expect(clock.pendingCount).toBe(0);
});
