import { beforeEach, describe, expect, it } from "vitest";
import { rtuFraming } from "../../../adapters/modbus/rtu-framing.js";
import { SerialTransport } from "../../../adapters/modbus/serial-transport.js";
import { timingOf } from "../../../adapters/modbus/timing.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";
import { exchange, READ, TIMEOUT_MS } from "./exchange.js";

/** A write of register 1, and what answers them; checksums reckoned by pymodbus. */
const REQUEST = "010300000001840a";
const ANSWER = "01030200057847";
const OTHER_UNIT = "02030200067c46";
const EXCEPTION = "018302c0f1";
const WRITE = "0600010003";
const WRITE_ANSWER = "010600010003980b";

describe("Modbus RTU", () => {
  let clock: FakeClock;
  let line: MemoryLine;
  let transport: SerialTransport;

  beforeEach(() => {
    clock = new FakeClock();
    line = new MemoryLine();
    transport = new SerialTransport(line, rtuFraming, timingOf({ transport: "rtu", port: "p", baudRate: 9600 }), clock);
  });

  function start(pdu = READ, unit = 1): { readonly outcome: Promise<string> } {
    return exchange(transport, pdu, { unit });
  }

  async function send(pdu = READ, unit = 1): Promise<{ readonly outcome: Promise<string> }> {
    const started = start(pdu, unit);
    await clock.advance(20);
    return started;
  }

  it("sends a frame with its checksum and gives the PDU of the answer", async () => {
    const { outcome } = await send();
    expect(line.written.map(toHex)).toEqual([REQUEST]);
    line.deliver(fromHex(ANSWER));
    expect(await outcome).toBe("03020005");
    expect(transport.trace().map(({ direction, hex }) => `${direction} ${hex}`)).toEqual([
      `out ${REQUEST}`,
      `in ${ANSWER}`,
    ]);
  });

  const whole: readonly (readonly [string, readonly string[], string])[] = [
    ["byte by byte", [...(ANSWER.match(/../g) ?? [])], "03020005"],
    ["behind noise", ["ff00f3", ANSWER], "03020005"],
    ["behind noise in one piece", [`00${ANSWER}`], "03020005"],
    ["behind an answer of another unit", [OTHER_UNIT, ANSWER], "03020005"],
    ["behind our own echo", [REQUEST, ANSWER], "03020005"],
    ["behind our own echo, in one piece", [REQUEST + ANSWER], "03020005"],
    ["with bytes behind it", [`${ANSWER}00`], "03020005"],
    ["as an exception", [EXCEPTION], "8302"],
  ];
  it.each(whole)("finds the answer %s", async (_, pieces, pdu) => {
    const { outcome } = await send();
    for (const piece of pieces) {
      line.deliver(fromHex(piece));
      await clock.advance(40);
    }
    expect(await outcome).toBe(pdu);
  });

  const faults: readonly (readonly [string, readonly string[], string])[] = [
    ["silence", [], "FIELD_TIMEOUT"],
    ["only an echo", [REQUEST], "FIELD_TIMEOUT"],
    ["only another unit", [OTHER_UNIT], "FIELD_TIMEOUT"],
    ["a bad checksum", [ANSWER.replace("47", "48")], "FIELD_GARBLED"],
    ["a cut answer", [ANSWER.slice(0, 8)], "FIELD_GARBLED"],
    ["another function", ["01040200057933"], "FIELD_TIMEOUT"],
    ["more registers than asked", ["010304000500066a30"], "FIELD_TIMEOUT"],
    ["noise", ["deadbeefdeadbeefdeadbeef"], "FIELD_GARBLED"],
  ];
  it.each(faults)("reports %s", async (_, pieces, code) => {
    const { outcome } = await send();
    for (const piece of pieces) line.deliver(fromHex(piece));
    await clock.advance(TIMEOUT_MS + 50);
    expect(await outcome).toBe(code);
  });

  it("never takes a late answer for the next one", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 20);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    const second = start();
    await clock.advance(500);
    line.deliver(fromHex(ANSWER));
    await clock.advance(450);
    expect(line.written).toHaveLength(1);
    await clock.advance(100);
    expect(line.written).toHaveLength(2);
    line.deliver(fromHex("01030200097842"));
    expect(await second.outcome).toBe("03020009");
  });

  it("never takes an answer that is later still for one to another request that it would fit", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 20);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    const again = start();
    await clock.advance(TIMEOUT_MS + 100);
    expect(line.written).toHaveLength(2);
    // The answer to the first request, after which that to the second is still to come.
    line.deliver(fromHex(ANSWER));
    expect(await again.outcome).toBe("03020005");
    const other = start("0300010001");
    await clock.advance(2 * TIMEOUT_MS);
    expect(line.written).toHaveLength(2);
    line.deliver(fromHex(ANSWER));
    await clock.advance(TIMEOUT_MS);
    expect(line.written).toHaveLength(3);
    line.deliver(fromHex("01030200097842"));
    expect(await other.outcome).toBe("03020009");
  });

  it("does not wait for late answers that would not fit", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 20);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    void start("0300010002");
    await clock.advance(TIMEOUT_MS + 100);
    expect(line.written).toHaveLength(2);
  });

  it("lets other units go on soon after a silent one", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 20);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    const other = start(READ, 2);
    await clock.advance(120);
    expect(line.written).toHaveLength(2);
    line.deliver(fromHex(ANSWER + OTHER_UNIT));
    expect(await other.outcome).toBe("03020006");
  });

  it("keeps 3.5 characters of silence between frames", async () => {
    const first = await send();
    line.deliver(fromHex(ANSWER));
    await first.outcome;
    void start();
    await clock.advance(3);
    expect(line.written).toHaveLength(1);
    await clock.advance(1);
    expect(line.written).toHaveLength(2);
  });

  it("pauses before another unit where the link says so", async () => {
    const timing = timingOf({ transport: "rtu", port: "p", baudRate: 9600, unitPause: 200 });
    transport = new SerialTransport(line, rtuFraming, timing, clock);
    const first = await send();
    line.deliver(fromHex(ANSWER));
    await first.outcome;
    const same = await send();
    line.deliver(fromHex(ANSWER));
    await same.outcome;
    expect(line.written).toHaveLength(2);
    void start(READ, 2);
    await clock.advance(190);
    expect(line.written).toHaveLength(2);
    await clock.advance(20);
    expect(line.written).toHaveLength(3);
  });

  it("learns what answers take besides their characters", async () => {
    expect(transport.latencyMs).toBeUndefined();
    for (let poll = 0; poll < 20; poll++) {
      const { outcome } = await send();
      // Sent after 8.3 ms, and so 11.7 ms ago; the answer itself takes 7 of them.
      line.deliver(fromHex(ANSWER));
      await outcome;
      await clock.advance(20);
    }
    expect(transport.latencyMs).toBeGreaterThan(0);
    expect(transport.latencyMs).toBeLessThan(8);
  });

  it("asks for a real answer to a write once it knows that the line echoes", async () => {
    const read = await send();
    line.deliver(fromHex(REQUEST + ANSWER));
    expect(await read.outcome).toBe("03020005");
    const echoed = await send(WRITE);
    line.deliver(fromHex(WRITE_ANSWER));
    await clock.advance(TIMEOUT_MS + 50);
    expect(await echoed.outcome).toBe("FIELD_TIMEOUT");
    await clock.advance(2 * TIMEOUT_MS);
    const answered = await send(WRITE);
    line.deliver(fromHex(WRITE_ANSWER + WRITE_ANSWER));
    expect(await answered.outcome).toBe(WRITE);
  });

  it("takes the answer to a write for one when the line does not echo", async () => {
    const write = await send(WRITE);
    line.deliver(fromHex(WRITE_ANSWER));
    expect(await write.outcome).toBe(WRITE);
  });

  it("does not wait for an answer to a broadcast", async () => {
    const { outcome } = await send(WRITE, 0);
    await clock.advance(200);
    expect(await outcome).toBe(WRITE);
  });

  it("ends with the signal, and bars what may still come", async () => {
    const abort = new AbortController();
    const request = { unit: 1, pdu: fromHex(READ), responseTimeoutMs: TIMEOUT_MS, gapMs: 0 };
    const outcome = transport.exchange(request, abort.signal).catch((error) => error);
    await clock.advance(20);
    abort.abort(new Error("enough"));
    expect(await outcome).toEqual(new Error("enough"));
    const next = start();
    await clock.advance(500);
    expect(line.written).toHaveLength(1);
    await clock.advance(600);
    line.deliver(fromHex(ANSWER));
    expect(await next.outcome).toBe("03020005");
  });

  it("rejects what is in flight when the line breaks, and everything after", async () => {
    const { outcome } = await send();
    line.break();
    expect(await outcome).toBe("LINK_FAILED");
    await clock.advance(3 * TIMEOUT_MS);
    const next = await send();
    expect(await next.outcome).toBe("LINK_FAILED");
    expect(clock.pendingCount).toBe(0);
  });

  it("gives up on a line that is never quiet", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 20);
    await first.outcome;
    const { outcome } = start();
    for (let index = 0; index < 60; index++) {
      line.deliver(fromHex("55"));
      await clock.advance(50);
    }
    expect(await outcome).toBe("FIELD_GARBLED");
  });
});
