import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { CHECKSUM_TYPES } from "../../../adapters/serial/checksum.js";
import { serial } from "../../../adapters/serial/index.js";
import type { SerialLinkOptions } from "../../../adapters/serial/options.js";
import { NO_BYTES } from "../../../src/base/bytes.js";
import { silentLog } from "../../../src/base/log.js";
import type { SimulatedField } from "../../../src/field/adapter.js";
import type { Scalar } from "../../../src/field/reading.js";
import { FakeClock } from "../../fakes/clock.js";
import { latin } from "./serial-rig.js";
import { type SerialStation, SimulatorRig, stationOf } from "./simulator-rig.js";

let line: SimulatorRig | undefined;
afterEach(async () => {
  await line?.[Symbol.asyncDispose]();
  line = undefined;
});

async function open(...stations: readonly SerialStation[]): Promise<SimulatorRig> {
  line = await new SimulatorRig(...stations).open();
  return line;
}

type Values = Readonly<Record<string, Scalar>>;

/** What is simulated, the text of its profile, what its points hold, and what then is on the wire. */
const FORMATS: readonly (readonly [what: string, text: string, values: Values, wire: string])[] = [
  [
    "fields between commas",
    String.raw`protocol: { framing: { start: "#", end: "\r\n" }, frames: { all: {} } }
points: { t: { at: { csv: 1 }, type: number }, state: { at: { csv: 3 } }, on: { at: { csv: 4 }, type: boolean } }`,
    { t: -1.25, state: "ok", on: true },
    "#,-1.25,,ok,1\r\n",
  ],
  [
    "angles with their hemisphere, and a checksum behind *",
    String.raw`protocol:
  framing: { start: "$", end: "\r\n" }
  checksum: { type: xor, from: 1, to: -5, at: -4, format: hex }
  frames: { gll: { match: '^\$..GLL,' } }
points: { lat: { at: { csv: 1 }, type: angle }, lon: { at: { csv: 3 }, type: angle } }`,
    { lat: -33.5, lon: -70.75 },
    "$AAGLL,3330.0000000,S,07045.0000000,W*76\r\n",
  ],
  [
    "several regular expressions of one frame",
    String.raw`protocol: { framing: { end: "\r\n" }, frames: { all: { match: '^S [SD] ' } } }
points:
  weight: { at: { match: '^S [SD]\s+(-?[\d.]+) g$' }, type: number }
  state: { at: { match: '^S ([SD])' } }`,
    { weight: -12.5, state: "S" },
    "S S -12.5 g\r\n",
  ],
  [
    "expressions that look for their part each",
    String.raw`protocol: { framing: { end: "\n" }, frames: { all: {} } }
points: { t: { at: { match: 'T=([+-]\d+\.\d)' }, type: number }, u: { at: { match: 'U:(\d{3})%' }, type: number } }`,
    { t: 5, u: 7 },
    "T=+5.0 U:007%\n",
  ],
  [
    "an expression with the marks of the frame",
    String.raw`protocol: { framing: { start: "<", end: ">" }, frames: { all: {} } }
points: { t: { at: { match: '^<T(\d+)>$' }, type: number } }`,
    { t: 42 },
    "<T42>",
  ],
  [
    "JSON, of one kind among others",
    String.raw`protocol: { framing: { end: "\n" }, frames: { env: { match: '"type":"env"' }, door: { match: '^\{"id":7,' } } }
points:
  t: { at: { frame: env, json: "$.env[1].t" }, type: number }
  open: { at: { frame: door, json: open }, type: boolean }`,
    { t: 21.5, open: false },
    '{"id":7,"":0,"open":false}\n',
  ],
  [
    "data lines with several values, and an expression within one",
    String.raw`protocol: { framing: { end: "!" }, frames: { all: {} } }
points:
  at: { at: { obis: "0-1:24.2.1", group: 1 } }
  gas: { at: { obis: "0-1:24.2.1" }, type: number }
  fw: { at: { obis: C.1.0, match: '^v(\d+)$' }, type: number }`,
    { at: "261120140000W", gas: 12.5, fw: 3 },
    "0-1:24.2.1(261120140000W)(12.5)\r\nC.1.0(v3)\r\n!",
  ],
  [
    "a whole text",
    String.raw`protocol: { framing: { end: "\r" }, frames: { all: {} } }
points: { code: { at: {} } }`,
    { code: "4006381333931" },
    "4006381333931\r",
  ],
  [
    "numbers of bytes in a frame of fixed length",
    `protocol:
  framing: { start: { hex: AA C0 }, end: { hex: AB }, length: 10 }
  checksum: { type: sum8, from: 2, to: 8, at: 8 }
  frames: { all: {} }
points: { a: { at: { offset: 2 }, type: int16, order: little }, b: { at: { offset: 5 }, type: uint8 } }`,
    { a: -2, b: 7 },
    "\xaa\xc0\xfe\xff\x00\x07\x00\x00\x04\xab",
  ],
  [
    "bits of a byte beside each other",
    `protocol: { framing: { start: { hex: "55" }, lengthField: { offset: 1, type: uint8, add: 2 } }, frames: { all: {} } }
points:
  low: { at: { offset: 2 }, type: uint16, bits: { at: 0, width: 3 } }
  high: { at: { offset: 2 }, type: uint16, bits: { at: 15 } }
  float: { at: { offset: 4 }, type: float32 }`,
    { low: 5, high: 1, float: 0.5 },
    "\x55\x06\x80\x05\x3f\x00\x00\x00",
  ],
  [
    "bytes that are marks elsewhere",
    `protocol:
  framing: { start: { hex: "40" }, end: { hex: "0D" }, escape: 27 }
  checksum: { type: crc16-xmodem, from: 1, to: -3, at: -3 }
  frames: { all: {} }
points: { a: { at: { offset: 1 }, type: uint32 } }`,
    { a: 0x40_0d_1b_06 },
    "\x40\x1b\xbf\x1b\xf2\x1b\xe4\x06\x93\x82\x0d",
  ],
  [
    "expressions of neighbours, with what must stand beside them",
    String.raw`protocol: { framing: { end: "\r\n" }, frames: { all: { request: "0R0\r\n", match: '^0R0,' } } }
points:
  dir: { at: { match: 'Dx=(\d{3})D' }, type: number }
  t: { at: { match: '(?<=Ta=)(-?[\d.]+)(?=C)' }, type: number }
  on: { at: { match: '(?:^|,)on=([^,]*)' }, type: boolean }`,
    { dir: 36, t: -3.25, on: true },
    "0R0,Dx=036D,Ta=-3.25C,on=1\r\n",
  ],
  [
    "fields of fixed width between STX and ETX, with a block check character",
    String.raw`protocol:
  framing: { start: { hex: "02" }, end: { hex: "03" }, tail: 1 }
  checksum: { type: xor, from: 1 }
  frames: { all: {} }
points: { w: { at: { match: '^.([ \d.-]{8})(?:kg|g )' }, type: number }, u: { at: { match: '^.{9}(kg|g )' } } }`,
    { w: -12.5, u: "kg" },
    "\x02-12.5000kg\x03\x0a",
  ],
  [
    "a text of fixed length",
    String.raw`protocol: { framing: { start: "=", length: 16, end: "\r" }, frames: { all: {} } }
points: { w: { at: { match: '^=([ \d.-]+)' }, type: number } }`,
    { w: -12.5 },
    "=-12.5         \r",
  ],
  [
    "several kinds of frames that are asked for, in bytes",
    `protocol:
  framing: { start: { hex: "40" }, end: { hex: "0D" }, escape: 27 }
  checksum: { type: crc16-xmodem, from: 1, to: -3, at: -3 }
  frames:
    energy: { request: { hex: "80 3F 10 01 00 3C {checksum} 0D" }, match: { hex: 40 3F 10 00 3C } }
    flow: { request: { hex: "80 3F 10 01 00 4A {checksum} 0D" }, match: { hex: 40 3F 10 00 4A } }
points:
  energy: { at: { frame: energy, offset: 8 }, type: uint32 }
  flow: { at: { frame: flow, offset: 8 }, type: uint32 }`,
    { energy: 0x0d_1b_40_80, flow: 6 },
    "\x40\x3f\x10\x00\x4a\x00\x00\x00\x00\x00\x00\x06\xe7\x88\x0d",
  ],
  [
    "frames that end with silence",
    `protocol: { framing: { gap: 20ms }, checksum: { type: crc16-modbus }, frames: { a: { match: { hex: "01" } }, b: { match: { hex: "02" } } } }
points: { x: { at: { frame: a, offset: 1 }, type: uint8 }, y: { at: { frame: b, offset: 1 }, type: uint8 } }`,
    { x: 1, y: 2 },
    "\x02\x02\x81\x11",
  ],
];

describe("a simulated device speaks", () => {
  it.each(FORMATS)("%s", async (_, text, values, wire) => {
    line = new SimulatorRig(stationOf(text));
    const { simulator } = line;
    for (const [point, value] of Object.entries(values)) simulator.set("a", point, value);
    await line.open();
    expect(await line?.read()).toEqual(values);
    expect(line?.lastHeard).toBe(wire);
    for (const [point, value] of Object.entries(values)) expect(simulator.get("a", point)).toBe(value);
  });

  it.each(CHECKSUM_TYPES.flatMap((type) => [`${type}, format: bytes`, `${type}, format: hex`]))(
    "with the checksum %s behind an end mark",
    async (type) => {
      const tail = (/hex/.test(type) ? 2 : 1) * (/16/.test(type) ? 2 : 1);
      const { simulator } = await open(
        stationOf(`protocol:
  framing: { start: { hex: "02" }, end: { hex: "03" }, tail: ${tail} }
  checksum: { type: ${type}, from: 1 }
  frames: { all: {} }
points: { n: { at: { match: '=(\\d+);' }, type: number } }`),
      );
      simulator.set("a", "n", 4711);
      expect(await line?.read()).toEqual({ n: 4711 });
    },
  );

  it("once it has something to say, then each second, and at once when it has something new", async () => {
    const { simulator, clock } = await open(
      stationOf(String.raw`protocol: { framing: { end: "\n" }, frames: { all: {} } }
points: { n: { at: { csv: 0 }, type: number } }`),
    );
    const heard: string[] = [];
    const socket = connect(Number(simulator.link.port), "127.0.0.1");
    socket.on("data", (bytes) => heard.push(...bytes.toString().trim().split("\n")));
    await new Promise((resolve) => socket.once("connect", resolve));
    // Whom the server has taken hears what is said from then on.
    for (let n = 1; heard.length === 0; n++) {
      await clock.advance(0);
      simulator.set("a", "n", n);
    }
    simulator.set("a", "n", -1);
    await line?.until(() => heard.at(-1) === "-1");
    const before = heard.length;
    await clock.advance(3000);
    await line?.until(() => heard.length === before + 3);
    expect(heard.slice(before)).toEqual(["-1", "-1", "-1"]);
    socket.destroy();
  });
});

const POLLED = String.raw`protocol:
  framing: { end: "\r\n" }
  frames:
    state: { request: "{unit}?\r\n", match: '^[A-Z]+,', refusals: { '^ERR': no } }
points:
  level: { at: { csv: 1 }, type: number, write: { request: "{unit}L{value}\r\n", reply: '^OK ' } }
  mode: { at: { csv: 2 }, write: { request: "{unit}M {value}\r\n", map: { auto: A, hand: H }, reply: '^OK$' } }
  reset: { type: boolean, write: { request: "{unit}R{value}", map: { "true": "!" } } }`;

describe("a simulated device that is asked", () => {
  it.each(["1", "2"])("answers only what is for it, which is not all that ends with its number %s", async (unit) => {
    const { simulator } = await open(stationOf(POLLED, { unit }, "a"), stationOf(POLLED, { unit: "12" }, "b"));
    simulator.set("a", "level", 1);
    simulator.set("a", "mode", "auto");
    expect(await line?.read("a")).toEqual({ level: 1, mode: "auto" });
    expect(await line?.read("b")).toEqual({
      level: "timeout: b did not answer within 1000 ms",
      mode: "timeout: b did not answer within 1000 ms",
    });
    simulator.set("b", "level", 2);
    expect(await line?.read("a")).toMatchObject({ level: 1 });
    expect(await line?.read("b")).toMatchObject({ level: 2 });
  });

  it("takes what is written to it, acknowledges and shows it", async () => {
    const { simulator } = await open(stationOf(POLLED, { unit: "1" }, "a"), stationOf(POLLED, { unit: "12" }, "b"));
    simulator.set("b", "level", 5);
    for (const [point, value] of [
      ["level", -2.5],
      ["mode", "hand"],
      ["mode", "auto"],
      ["level", 40],
    ] as const) {
      await line?.write(point, value);
      expect(simulator.get("a", point)).toBe(value);
    }
    expect(await line?.read("a")).toEqual({ level: 40, mode: "auto" });
    expect(simulator.get("b", "level")).toBe(5);
    await line?.write("reset", true, "b");
    await line?.read("b");
    expect(simulator.get("b", "reset")).toBe(true);
    expect(() => simulator.get("a", "reset")).toThrow("a.reset has no value yet");
  });

  it("takes numbers in bytes, with a checksum, and acknowledges in bytes", async () => {
    const { simulator } = await open(
      stationOf(
        `protocol:
  framing: { start: { hex: "68" }, length: 7 }
  checksum: { type: crc16-modbus }
  frames: { all: { request: { hex: "68 {unit} 03 {checksum}" }, match: { hex: "68 07 03" } } }
points:
  level:
    at: { offset: 3 }
    type: uint16
    write: { request: { hex: "68 {unit} 06 {value} {checksum}" }, reply: { hex: "68 07 06" } }`,
        { unit: "7" },
      ),
    );
    await line?.write("level", 0x6868);
    expect(line?.lastHeard.slice(0, 5)).toBe("\x68\x07\x06\x00\x00");
    expect(await line?.read()).toEqual({ level: 0x6868 });
    await line?.write("level", 3.4);
    expect(simulator.get("a", "level")).toBe(3);
  });

  it("hears requests in pieces, behind noise and behind each other", async () => {
    const { simulator } = await open(stationOf(POLLED, { unit: "1" }));
    simulator.set("a", "level", 7);
    const socket = connect(Number(simulator.link.port), "127.0.0.1");
    let heard = "";
    socket.on("data", (bytes) => {
      heard += bytes.toString();
    });
    for (const piece of ["\x00\xff1", "?\r", "\n1?\r\n1L8\r", "\n1M X\r\n1?\r\n"]) {
      await new Promise((resolve) => socket.write(latin(piece), resolve));
    }
    await line?.until(() => heard.split("\r\n").length > 4);
    expect(heard.split("\r\n")).toEqual(["A,7", "A,7", "OK 0", "A,8", ""]);
    socket.destroy();
  });

  it("says what a test tells it to, and carries nothing out then", async () => {
    const { simulator } = await open(stationOf(POLLED, { unit: "1" }));
    simulator.set("a", "level", 1);
    const asked: string[] = [];
    simulator.misbehave((station, request) => {
      asked.push(`${station} ${Buffer.from(request)}`);
      return latin("ERR\r\n");
    });
    await expect(line?.write("level", 2)).rejects.toMatchObject({ code: "FIELD_EXCEPTION", message: "a.level: no" });
    simulator.misbehave(() => NO_BYTES);
    await expect(line?.write("level", 2)).rejects.toMatchObject({ code: "FIELD_TIMEOUT" });
    simulator.misbehave(() => undefined);
    expect(await line?.read()).toMatchObject({ level: 1 });
    expect(asked).toEqual(["a 1L2\r\n"]);
  });
});

describe("where simulated devices are", () => {
  const station = stationOf(POLLED, { unit: "1" });
  const secret = (text: string): Promise<string> => Promise.resolve(text);
  const context = { name: "line", clock: new FakeClock(), log: silentLog, secret };
  const simulate = async (options: SerialLinkOptions): Promise<SimulatedField<SerialLinkOptions>> => {
    const simulated = await serial.simulate?.(options, [station], context);
    if (simulated === undefined) throw new Error("the adapter cannot simulate");
    return simulated;
  };

  it("is at a port of their own, or at the one that is wanted and free", async () => {
    const link = await (async () => {
      await using free = await simulate({ host: "127.0.0.1", port: 0 });
      await expect(simulate(free.link)).rejects.toMatchObject({ code: "LINK_FAILED" });
      return free.link;
    })();
    await using again = await simulate(link);
    expect(again.link).toEqual(link);
    expect(serial.linkProblem?.(link)).toBeUndefined();
  });

  it("is at a serial port that is there", async () => {
    await expect(simulate({ port: "/nowhere/tty0" })).rejects.toMatchObject({ code: "LINK_NOT_FOUND" });
  });
});

describe("a simulated meter with IEC 62056-21", () => {
  const METER = "protocol: { session: iec62056-21 }\npoints: { energy: { at: { obis: 1.8.0 }, type: number } }";

  it("is read out by its number, beside others, or alone without one", async () => {
    const { simulator } = await open(
      stationOf(METER, { id: "0815" }, "a"),
      stationOf(METER, { id: "4711" }, "b"),
      stationOf(METER, { id: "9" }, "silent"),
    );
    simulator.set("a", "energy", 123.456);
    simulator.set("b", "energy", 7);
    expect(await line?.read("a")).toEqual({ energy: 123.456 });
    expect(await line?.read("b")).toEqual({ energy: 7 });
    expect(line?.lastHeard).toBe("\x021.8.0(7)\r\n!\r\n\x03\x2d");
    expect(await line?.read("silent")).toEqual({ energy: "timeout: no data block" });
    await line?.[Symbol.asyncDispose]();
    const alone = await open(stationOf(METER));
    alone.simulator.set("a", "energy", 1);
    expect(await line?.read("a")).toEqual({ energy: 1 });
  });

  it("does not answer to another's number", async () => {
    const { simulator } = await open(stationOf(METER, { id: "1" }, "a"));
    simulator.set("a", "energy", 1);
    const socket = connect(Number(simulator.link.port), "127.0.0.1");
    const heard: string[] = [];
    socket.on("data", (bytes) => heard.push(bytes.toString()));
    socket.write("/?2!\r\n\x06000\r\n/?!\r\n");
    await line?.until(() => heard.length > 0);
    expect(heard).toEqual(["/CWY0CAUSEWAY\r\n"]);
    socket.destroy();
  });
});

describe("what cannot be simulated", () => {
  const line = (points: string): string =>
    String.raw`protocol: { framing: { end: "\r\n", maxLength: 20 }, frames: { all: { refusals: { '^-': minus } } } }` +
    `\npoints: ${points}`;

  it.each<[what: string, points: string, point: string, value: Scalar, message: string]>([
    ["a text with an end mark", "{ n: { at: { csv: 0 } } }", "n", "a\r\nb", "a.n: no frame can say 'a\r\nb'"],
    ["a text with a comma", "{ n: { at: { csv: 0 } } }", "n", "a,b", "a.n: no frame can say 'a,b'"],
    ["a text that is too long", "{ n: { at: { csv: 0 } } }", "n", "12345678901234567890", "a.n: no frame can say"],
    ["a character that no byte is", "{ n: { at: {} } }", "n", "€", "a.n: no frame can say '€'"],
    [
      "what the expression does not match",
      `{ n: { at: { match: '(\\d)C' }, type: number } }`,
      "n",
      12,
      "no frame can say '12'",
    ],
    ["what is too large", "{ n: { at: { offset: 0 }, type: uint8 } }", "n", 256, "256 does not fit uint8"],
    [
      "more than its bits",
      "{ n: { at: { offset: 0 }, type: uint8, bits: { at: 0 } } }",
      "n",
      2,
      "2 does not fit 1 bits of uint8",
    ],
    ["a text for a number", "{ n: { at: { csv: 0 }, type: number } }", "n", "x", "n takes a number"],
    ["no number", "{ n: { at: { json: n }, type: number } }", "n", Number.NaN, "no frame can say 'NaN'"],
    ["an angle beyond all", "{ n: { at: { csv: 0 }, type: angle } }", "n", 1000, "n is an angle in degrees, not 1000"],
    ["what is a refusal", "{ n: { at: { csv: 0 }, type: number } }", "n", -1, "a: the frame would say 'minus'"],
    ["no word of the map", `{ n: { write: { request: "{value}", map: { "1": A } } } }`, "n", "2", "2 is not one of 1"],
  ])("%s does not fit", (_, points, point, value, message) => {
    const { simulator } = new SimulatorRig(stationOf(line(points)));
    const attempt = (): void => simulator.set("a", point, value);
    expect(attempt).toThrow(expect.objectContaining({ code: "VALUE_INVALID" }));
    expect(attempt).toThrow(message);
    expect(() => simulator.get("a", point)).toThrow("has no value yet");
  });

  it("does not matter in a kind of frame that no point is in", () => {
    const text = String.raw`protocol: { framing: { end: "\r\n" }, frames: { a: {}, b: { match: '^(.)\1$' } } }
points: { n: { at: { frame: a, csv: 0 }, type: number } }`;
    const { simulator } = new SimulatorRig(stationOf(text));
    simulator.set("a", "n", 5);
    expect(simulator.get("a", "n")).toBe(5);
  });

  it("leaves what is held as it is", async () => {
    const { simulator } = await open(stationOf(line("{ n: { at: { csv: 0 }, type: number } }")));
    simulator.set("a", "n", 5);
    expect(() => simulator.set("a", "n", -5)).toThrow("minus");
    expect(simulator.get("a", "n")).toBe(5);
    expect(() => simulator.set("a", "m", 5)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    expect(() => simulator.get("b", "n")).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });

  it.each([
    ["{ n: { at: { match: '(.)\\1' } } }", "a.n cannot be simulated: no text is known for '(.)\\1'"],
    ["{ n: { at: { match: '^(a)$' } }, m: { at: { match: '^(b)$' } } }", "no frame is known for n, m"],
    ["{ n: { write: { request: '{value}', reply: '(.)\\1' } } }", "a.n cannot be simulated: no text is known"],
  ])("is said of %s", (points, message) => {
    const attempt = (): unknown => new SimulatorRig(stationOf(line(points)));
    expect(attempt).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(attempt).toThrow(message);
  });
});
