import { describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, utf8Decode, utf8Encode } from "../../src/base/bytes.js";
import { CausewayError } from "../../src/base/errors.js";
import { Code } from "../../src/coap/code.js";
import { OptionNumber } from "../../src/coap/options.js";
import type { CoapResponse } from "../../src/coap/request.js";
import { settle } from "../fakes/clock.js";
import { CoapPeerFake, content, encode, summary } from "../fakes/coap-peer.js";

const HELLO = content(utf8Encode("hello"));
const UNKNOWN_CRITICAL = { number: 9, value: NO_BYTES };
const token = fromHex("c0ffee");

/** A handler that answers when the test says. */
function deferred() {
  const answers: ((response: CoapResponse | undefined) => void)[] = [];
  const handler = (): Promise<CoapResponse | undefined> => new Promise((resolve) => answers.push(resolve));
  return { answers, handler };
}

describe("what the server side answers", () => {
  it.each([
    ["confirmable request", { messageId: 0 }, ["ACK 2.05 #0"]],
    ["non-confirmable request", { type: "NON", messageId: 7 }, ["NON 2.05 #1"]],
    ["ping", { code: Code.Empty, messageId: 9 }, ["RST 0.00 #9"]],
    ["empty non-confirmable message", { type: "NON", code: Code.Empty }, []],
    ["request in an acknowledgement", { type: "ACK" }, []],
    ["unknown critical option", { options: [UNKNOWN_CRITICAL] }, ["ACK 4.02 #1"]],
    ["the same, non-confirmable", { type: "NON", options: [UNKNOWN_CRITICAL] }, []],
    ["unknown method", { code: 0x1e }, ["ACK 4.05 #1"]],
    ["request to a proxy", { options: [{ number: OptionNumber.ProxyScheme, value: "http" }] }, ["ACK 5.05 #1"]],
    ["request that wants no 2.xx", { options: [{ number: OptionNumber.NoResponse, value: 2 }] }, ["ACK 0.00 #1"]],
    ["the same, non-confirmable", { type: "NON", options: [{ number: OptionNumber.NoResponse, value: 2 }] }, []],
    ["response to nobody", { code: Code.Content, token }, ["RST 0.00 #1"]],
    ["the same, non-confirmable", { type: "NON", code: Code.Content, token }, []],
    ["response to nobody in an acknowledgement", { type: "ACK", code: Code.Content, token }, []],
  ] as const)("%s", (_, message, expected) => {
    const peer = new CoapPeerFake(() => HELLO);
    expect(peer.tell(message).map(summary)).toEqual(expected);
  });

  it.each([
    ["confirmable", "40010007ff", ["RST 0.00 #7"]],
    ["non-confirmable", "50010007ff", []],
    ["of another version", "80010007", []],
  ])("malformed message, %s", (_, hex, expected) => {
    const peer = new CoapPeerFake(() => HELLO);
    peer.transport.receive(fromHex(hex));
    expect(peer.summary()).toEqual(expected);
  });

  it("carries token, options and payload of the response", () => {
    const peer = new CoapPeerFake(() => ({
      code: Code.Created,
      locationPath: ["rd", "5"],
      contentFormat: 60,
      maxAgeS: 0,
      observe: 3,
      payload: utf8Encode("x"),
    }));
    const [response] = peer.tell({ token });
    expect(response).toMatchObject({ code: Code.Created, token, payload: utf8Encode("x") });
    expect(response?.options.map(({ number, value }) => [number, Buffer.from(value).toString("hex")])).toEqual([
      [OptionNumber.Observe, "03"],
      [OptionNumber.LocationPath, "7264"],
      [OptionNumber.LocationPath, "35"],
      [OptionNumber.ContentFormat, "3c"],
      [OptionNumber.MaxAge, ""],
    ]);
  });
});

describe("a handler that fails", () => {
  const fail = (error: unknown) => (): never => {
    throw error;
  };

  it("answers with the code of a CausewayError and its message", () => {
    const peer = new CoapPeerFake(fail(new CausewayError("LWM2M_NOT_FOUND", "/9/9 does not exist")));
    const [response] = peer.tell({});
    expect(response?.code).toBe(Code.NotFound);
    expect(utf8Decode(response?.payload ?? NO_BYTES)).toBe("/9/9 does not exist");
    expect(peer.logged).toEqual([]);
  });

  it("answers 5.00 to a defect, and logs it once", async () => {
    for (const handler of [fail(new TypeError("defect")), async () => fail(new TypeError("defect"))()]) {
      const peer = new CoapPeerFake(handler);
      peer.tell({});
      await settle();
      peer.tell({});
      expect(peer.logged).toHaveLength(1);
      expect(peer.logged[0]).toContain("defect");
    }
  });

  it("answers 5.00 to a response that cannot be written", () => {
    const peer = new CoapPeerFake(() => ({ code: Code.Content, maxAgeS: 2 ** 40, payload: NO_BYTES }));
    expect(peer.tell({}).map(summary)).toEqual(["ACK 5.00 #1"]);
  });
});

describe("duplicates", () => {
  it("get the same answer while the handler runs once", () => {
    let calls = 0;
    const peer = new CoapPeerFake(() => content(utf8Encode(String(++calls))));
    const [first] = peer.tell({ messageId: 0, token });
    const [second] = peer.tell({ messageId: 0, token });
    expect(second).toEqual(first);
    expect(calls).toBe(1);
  });

  it("are dropped when non-confirmable", () => {
    const peer = new CoapPeerFake(() => HELLO);
    expect(peer.tell({ type: "NON", messageId: 3 })).toHaveLength(1);
    expect(peer.tell({ type: "NON", messageId: 3 })).toHaveLength(0);
  });

  it("are not other requests that use the id again, nor the same after EXCHANGE_LIFETIME", async () => {
    let calls = 0;
    const peer = new CoapPeerFake(() => content(utf8Encode(String(++calls))));
    peer.tell({ messageId: 5, token: fromHex("01") });
    peer.tell({ messageId: 5, token: fromHex("02") });
    expect(calls).toBe(2);
    await peer.clock.advance(247_000);
    peer.tell({ messageId: 5, token: fromHex("02") });
    expect(calls).toBe(3);
  });

  it("are served anew when the request was ignored", async () => {
    let isReady = false;
    const peer = new CoapPeerFake(() => (isReady ? HELLO : undefined));
    expect(peer.tell({})).toEqual([]);
    isReady = true;
    expect(peer.tell({}).map(summary)).toEqual(["ACK 2.05 #1"]);
  });
});

describe("a handler that takes its time", () => {
  it("answers in the acknowledgement when it is quick enough", async () => {
    const { answers, handler } = deferred();
    const peer = new CoapPeerFake(handler);
    expect(peer.tell({})).toEqual([]);
    await peer.clock.advance(999);
    expect(peer.tell({})).toEqual([]);
    answers[0]?.(HELLO);
    await settle();
    expect(peer.summary()).toEqual(["ACK 2.05 #1"]);
    expect(answers).toHaveLength(1);
  });

  it("answers separately and confirmably otherwise, until that is acknowledged", async () => {
    const { answers, handler } = deferred();
    const peer = new CoapPeerFake(handler);
    peer.tell({ messageId: 40, token });
    await peer.clock.advance(1_000);
    expect(peer.summary()).toEqual(["ACK 0.00 #40"]);
    expect(peer.tell({ messageId: 40, token }).map(summary)).toEqual(["ACK 0.00 #40"]);
    answers[0]?.(HELLO);
    await settle();
    expect(peer.summary()).toEqual(["CON 2.05 #1"]);
    await peer.clock.advance(2_000);
    expect(peer.summary()).toEqual(["CON 2.05 #1"]);
    peer.tell({ type: "ACK", code: Code.Empty, messageId: 1 });
    await peer.clock.advance(100_000);
    expect(peer.summary()).toEqual([]);
  });

  it("acknowledges each of many requests in time", async () => {
    const { handler } = deferred();
    const peer = new CoapPeerFake(handler);
    peer.tell({ messageId: 1 });
    await peer.clock.advance(400);
    peer.tell({ messageId: 2 });
    await peer.clock.advance(600);
    expect(peer.summary()).toEqual(["ACK 0.00 #1"]);
    await peer.clock.advance(400);
    expect(peer.summary()).toEqual(["ACK 0.00 #2"]);
  });

  it("answers a non-confirmable request without an acknowledgement", async () => {
    const { answers, handler } = deferred();
    const peer = new CoapPeerFake(handler);
    peer.tell({ type: "NON", messageId: 8 });
    await peer.clock.advance(5_000);
    expect(peer.summary()).toEqual([]);
    answers[0]?.(HELLO);
    await settle();
    expect(peer.summary()).toEqual(["NON 2.05 #1"]);
  });

  it("says nothing more after the end of the endpoint", async () => {
    const { answers, handler } = deferred();
    const peer = new CoapPeerFake(handler);
    peer.tell({});
    await peer.endpoint[Symbol.asyncDispose]();
    answers[0]?.(HELLO);
    peer.transport.receive(encode({ messageId: 2 }));
    await peer.clock.advance(10_000);
    expect(peer.heard()).toEqual([]);
    expect(peer.clock.pendingCount).toBe(0);
  });
});
