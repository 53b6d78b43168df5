import { beforeEach, describe, expect, it } from "vitest";
import { asciiContent, asciiFrame, asciiFraming, lrc } from "../../../adapters/modbus/ascii-framing.js";
import { SerialTransport } from "../../../adapters/modbus/serial-transport.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { fromHex, utf8Decode, utf8Encode } from "../../../src/base/bytes.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";
import { exchange, READ, TIMEOUT_MS } from "./exchange.js";

const REQUEST = ":010300000001FB\r\n";
const ANSWER = ":0103020005F5\r\n";
const OTHER_UNIT = ":0203020006F3\r\n";
const EXCEPTION = ":0183027A\r\n";
const WRITE = "0600010003";
const WRITE_ANSWER = ":010600010003F5\r\n";

describe("Modbus ASCII", () => {
  let clock: FakeClock;
  let line: MemoryLine;
  let transport: SerialTransport;

  beforeEach(() => {
    clock = new FakeClock();
    line = new MemoryLine();
    transport = new SerialTransport(line, asciiFraming, timingOf({ transport: "ascii", port: "p" }), clock);
  });

  async function send(pdu = READ, unit = 1): Promise<{ readonly outcome: Promise<string> }> {
    const begun = exchange(transport, pdu, { unit });
    await clock.advance(30);
    return begun;
  }

  // Read Holding Registers of unit 2, from the ASCII example of the serial line's specification, annex.
  it("frames as the specification says", () => {
    expect(lrc(fromHex("f7031389000a"))).toBe(0x60);
    expect(utf8Decode(asciiFrame(0xf7, fromHex("031389000a")))).toBe(":F7031389000A60\r\n");
    expect(asciiContent(utf8Encode(":F7031389000A60"))).toEqual(fromHex("f7031389000a"));
  });

  it.each([
    ["a wrong checksum", ":F7031389000A61"],
    ["small letters", ":f7031389000a60"],
    ["half a byte", ":F7031389000A6"],
    ["another sign", ":F7031389000G60"],
    ["nothing", ":"],
    ["no colon", "F7031389000A60"],
  ])("does not take %s for a frame", (_, text) => {
    expect(asciiContent(utf8Encode(text))).toBeUndefined();
  });

  const outcomes: readonly (readonly [string, readonly string[], string])[] = [
    ["whole", [ANSWER], "03020005"],
    ["byte by byte", [...ANSWER], "03020005"],
    ["behind noise", ["\u0000zz:01", ANSWER], "03020005"],
    ["behind another unit", [OTHER_UNIT, ANSWER], "03020005"],
    ["behind another unit, in one piece", [OTHER_UNIT + ANSWER], "03020005"],
    ["behind our own echo", [REQUEST, ANSWER], "03020005"],
    ["with bytes behind it", [`${ANSWER}U`], "03020005"],
    ["as an exception", [EXCEPTION], "8302"],
    ["never", [], "FIELD_TIMEOUT"],
    ["as an echo only", [REQUEST], "FIELD_TIMEOUT"],
    ["only of another unit", [OTHER_UNIT], "FIELD_TIMEOUT"],
    ["with a bad checksum", [ANSWER.replace("F5", "F6")], "FIELD_GARBLED"],
    ["without its end", [ANSWER.slice(0, -2)], "FIELD_GARBLED"],
    ["without a carriage return", [ANSWER.replace("\r", "")], "FIELD_GARBLED"],
    ["of another function", [":0104020005F4\r\n"], "FIELD_TIMEOUT"],
  ];
  it.each(outcomes)("takes an answer %s for what it is", async (_, pieces, result) => {
    const { outcome } = await send();
    expect(utf8Decode(line.written[0] ?? fromHex(""))).toBe(REQUEST);
    for (const piece of pieces) line.deliver(utf8Encode(piece));
    await clock.advance(TIMEOUT_MS + 60);
    expect(await outcome).toBe(result);
  });

  it("never takes a late answer for the next one", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 60);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    const second = await send();
    await clock.advance(400);
    line.deliver(utf8Encode(ANSWER));
    await clock.advance(TIMEOUT_MS);
    expect(line.written).toHaveLength(2);
    line.deliver(utf8Encode(":0103020009F1\r\n"));
    expect(await second.outcome).toBe("03020009");
  });

  it("waits a second for the rest of an interrupted frame, lest it complete the next one", async () => {
    const first = await send();
    line.deliver(utf8Encode(ANSWER.slice(0, 6)));
    await clock.advance(TIMEOUT_MS + 60);
    expect(await first.outcome).toBe("FIELD_GARBLED");
    line.deliver(utf8Encode(ANSWER.slice(6, 8)));
    const second = await send(READ, 2);
    await clock.advance(940);
    expect(line.written).toHaveLength(1);
    await clock.advance(100);
    expect(line.written).toHaveLength(2);
    line.deliver(utf8Encode(OTHER_UNIT));
    expect(await second.outcome).toBe("03020006");
  });

  it("takes the acknowledgement of a write, and broadcasts without one", async () => {
    const write = await send(WRITE);
    line.deliver(utf8Encode(WRITE_ANSWER));
    expect(await write.outcome).toBe(WRITE);
    const { outcome } = await send(WRITE, 0);
    await clock.advance(150);
    expect(await outcome).toBe(WRITE);
  });
});
