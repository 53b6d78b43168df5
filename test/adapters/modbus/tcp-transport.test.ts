import { beforeEach, describe, expect, it } from "vitest";
import { MbapTransport } from "../../../adapters/modbus/mbap-transport.js";
import { fromHex, toHex } from "../../../src/base/bytes.js";
import { FakeClock } from "../../fakes/clock.js";
import { MemoryLine } from "../../field/memory-line.js";
import { exchange, READ, TIMEOUT_MS } from "./exchange.js";

describe("Modbus TCP", () => {
  let clock: FakeClock;
  let line: MemoryLine;
  let transport: MbapTransport;
  const forever = new AbortController().signal;

  beforeEach(() => {
    clock = new FakeClock();
    line = new MemoryLine();
    transport = new MbapTransport(line, "stream", clock);
  });

  async function send(signal = forever): Promise<{ readonly outcome: Promise<string> }> {
    const begun = exchange(transport, READ, {}, signal);
    await clock.advance(0);
    return begun;
  }

  it("numbers its requests and gives the answer with the same number", async () => {
    const first = await send();
    line.deliver(fromHex("000100000005 01 03020005"));
    expect(await first.outcome).toBe("03020005");
    const second = await send();
    line.deliver(fromHex("000200000005 01 03020006"));
    expect(await second.outcome).toBe("03020006");
    expect(line.written.map(toHex)).toEqual(["000100000006010300000001", "000200000006010300000001"]);
  });

  const answers: readonly (readonly [string, readonly string[], string])[] = [
    ["in pieces", ["0001", "00000005", "010302", "0005"], "03020005"],
    ["behind a late one", ["000000000005 01 03020009 000100000005 01 03020005"], "03020005"],
    ["as an exception", ["000100000003 01 8302"], "8302"],
    ["never", [], "FIELD_TIMEOUT"],
    ["with another number", ["000700000005 01 03020005"], "FIELD_TIMEOUT"],
    ["of another unit", ["000100000005 02 03020005"], "FIELD_GARBLED"],
    ["of another function", ["000100000005 01 04020005"], "FIELD_GARBLED"],
    ["of another length", ["000100000007 01 030400050006"], "FIELD_GARBLED"],
    ["with a wrong byte count", ["000100000005 01 03040005"], "FIELD_GARBLED"],
    ["that is no Modbus", ["485454502f312e3120343030"], "LINK_FAILED"],
    ["of an impossible length", ["0001000001ff01"], "LINK_FAILED"],
  ];
  it.each(answers)("takes an answer %s for what it is", async (_, pieces, result) => {
    const { outcome } = await send();
    for (const piece of pieces) line.deliver(fromHex(piece));
    await clock.advance(TIMEOUT_MS + 1);
    expect(await outcome).toBe(result);
    expect(clock.pendingCount).toBe(0);
  });

  it("drops a late answer", async () => {
    const first = await send();
    await clock.advance(TIMEOUT_MS + 1);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    const second = await send();
    line.deliver(fromHex("000100000005 01 03020005"));
    line.deliver(fromHex("000200000005 01 03020006"));
    expect(await second.outcome).toBe("03020006");
  });

  it.each([
    [fromHex("ffffffffffffffff"), "ffffffffffffffff"],
    [Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n"), "SSH-2.0-OpenSSH_"],
  ])("closes a session whose frames cannot be told apart any more", async (bytes, shown) => {
    const { outcome } = await send();
    line.deliver(bytes);
    expect(await outcome).toBe("LINK_FAILED");
    const message = `what came is not Modbus TCP: ${shown}`;
    expect(await transport.closed).toMatchObject({ code: "LINK_FAILED", message });
  });

  it("begins a new session after half a frame, lest this take the next one's beginning", async () => {
    const first = await send();
    line.deliver(fromHex("000100000005 01 03"));
    await clock.advance(TIMEOUT_MS + 1);
    expect(await first.outcome).toBe("FIELD_TIMEOUT");
    const second = await send();
    expect(await second.outcome).toBe("LINK_FAILED");
    expect(line.written).toHaveLength(1);
    expect(await transport.closed).toMatchObject({ code: "LINK_FAILED" });
  });

  it("ends with the signal", async () => {
    const abort = new AbortController();
    const { outcome } = await send(abort.signal);
    abort.abort(new Error("enough"));
    expect(await outcome).toBe("enough");
    expect(clock.pendingCount).toBe(0);
  });
});

describe("Modbus over UDP", () => {
  const forever = new AbortController().signal;

  const answers: readonly (readonly [string, readonly string[], string])[] = [
    ["alone", ["000100000005 01 03020005"], "03020005"],
    ["behind a late one", ["000000000005 01 03020009", "000100000005 01 03020005"], "03020005"],
    ["behind noise", ["485454502f312e3120343030", "00", "000100000005 01 03020005"], "03020005"],
    ["behind one of a wrong length", ["000100000006 01 03020009", "000100000005 01 03020005"], "03020005"],
    ["in pieces", ["0001", "00000005", "010302", "0005"], "FIELD_TIMEOUT"],
    ["two in one", ["000100000005 01 03020005 000100000005 01 03020005"], "FIELD_TIMEOUT"],
    ["of another unit", ["000100000005 02 03020005"], "FIELD_GARBLED"],
    ["as an exception", ["000100000003 01 8302"], "8302"],
    ["never", [], "FIELD_TIMEOUT"],
  ];
  it.each(answers)("takes an answer %s for what it is", async (_, datagrams, result) => {
    const clock = new FakeClock();
    const line = new MemoryLine();
    const transport = new MbapTransport(line, "datagrams", clock);
    const request = { unit: 1, pdu: fromHex(READ), responseTimeoutMs: TIMEOUT_MS, gapMs: 0 };
    const outcome = transport.exchange(request, forever).then(toHex, (error) => String(error.code ?? error.message));
    await clock.advance(0);
    for (const datagram of datagrams) line.deliver(fromHex(datagram));
    await clock.advance(TIMEOUT_MS + 1);
    expect(await outcome).toBe(result);
    expect(clock.pendingCount).toBe(0);
  });
});
