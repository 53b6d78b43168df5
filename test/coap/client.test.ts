import { describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, toHex, utf8Encode } from "../../src/base/bytes.js";
import { Code } from "../../src/coap/code.js";
import type { Message } from "../../src/coap/message.js";
import { OptionNumber } from "../../src/coap/options.js";
import type { Notification } from "../../src/coap/request.js";
import { settle } from "../fakes/clock.js";
import { CoapPeerFake, content, get, NEVER, summary } from "../fakes/coap-peer.js";

const HELLO = utf8Encode("hello");

/** Starts a request; the message that went out, and how it ended once it has. */
function ask(peer: CoapPeerFake, signal: AbortSignal = NEVER) {
  const ended: unknown[] = [];
  peer.endpoint.request(get("a"), signal).then(
    (response) => ended.push(Buffer.from(response.payload).toString()),
    (error: unknown) => ended.push(error instanceof Error && "code" in error ? error.code : error),
  );
  const [message] = peer.heard();
  return { ended, message, token: message?.token ?? NO_BYTES, messageId: message?.messageId ?? -1 };
}

describe("a request of ours", () => {
  it("takes a piggybacked response", async () => {
    const peer = new CoapPeerFake();
    const { ended, message, token, messageId } = ask(peer);
    expect(message).toMatchObject({ type: "CON", code: Code.Get });
    expect(peer.tell({ type: "ACK", code: Code.Content, messageId, token, payload: HELLO })).toEqual([]);
    await peer.clock.advance(300_000);
    expect(ended).toEqual(["hello"]);
    expect(peer.heard()).toEqual([]);
  });

  it("takes a separate confirmable response and acknowledges each copy of it", async () => {
    const peer = new CoapPeerFake();
    const { ended, token, messageId } = ask(peer);
    peer.tell({ type: "ACK", code: Code.Empty, messageId });
    await peer.clock.advance(120_000);
    const response = { type: "CON", code: Code.Content, messageId: 77, token, payload: HELLO } as const;
    expect(peer.tell(response).map(summary)).toEqual(["ACK 0.00 #77"]);
    expect(peer.tell(response).map(summary)).toEqual(["ACK 0.00 #77"]);
    await settle();
    expect(ended).toEqual(["hello"]);
  });

  it("takes a response that overtook the acknowledgement, under an id that we use too", async () => {
    const peer = new CoapPeerFake();
    const { ended, token, messageId } = ask(peer);
    const response = { type: "CON", code: Code.Content, messageId, token, payload: HELLO } as const;
    expect(peer.tell(response).map(summary)).toEqual([`ACK 0.00 #${messageId}`]);
    await peer.clock.advance(100_000);
    expect(ended).toEqual(["hello"]);
    expect(peer.heard()).toEqual([]);
  });

  it("takes a non-confirmable response", async () => {
    const peer = new CoapPeerFake();
    const { ended, token } = ask(peer);
    expect(peer.tell({ type: "NON", code: Code.Content, messageId: 5, token, payload: HELLO })).toEqual([]);
    await settle();
    expect(ended).toEqual(["hello"]);
  });

  it("ignores an acknowledgement with another token or id", async () => {
    const peer = new CoapPeerFake();
    const { ended, token, messageId } = ask(peer);
    peer.tell({ type: "ACK", code: Code.Content, messageId, token: fromHex("010203040506"), payload: HELLO });
    peer.tell({ type: "ACK", code: Code.Content, messageId: messageId + 1, token, payload: HELLO });
    await settle();
    expect(ended).toEqual([]);
  });

  it("is sent again and given up after MAX_TRANSMIT_WAIT", async () => {
    const peer = new CoapPeerFake();
    const { ended, message } = ask(peer);
    const sent: Message[] = [];
    for (const waitMs of [2_000, 4_000, 8_000, 16_000]) {
      await peer.clock.advance(waitMs - 1);
      expect(peer.heard()).toEqual([]);
      await peer.clock.advance(1);
      sent.push(...peer.heard());
    }
    expect(sent).toEqual([message, message, message, message]);
    await peer.clock.advance(31_999);
    expect(ended).toEqual([]);
    await peer.clock.advance(1);
    expect(ended).toEqual(["COAP_TIMEOUT"]);
    expect(peer.clock.pendingCount).toBe(0);
  });

  it("ends when its separate response does not come", async () => {
    const peer = new CoapPeerFake();
    const { ended, messageId } = ask(peer);
    peer.tell({ type: "ACK", code: Code.Empty, messageId });
    await peer.clock.advance(246_999);
    expect(ended).toEqual([]);
    await peer.clock.advance(1);
    expect(ended).toEqual(["COAP_TIMEOUT"]);
  });

  it("ends with a reset, an unreachable peer, the end of the transport or of the endpoint", async () => {
    const ways: [string, (peer: CoapPeerFake, messageId: number) => unknown][] = [
      ["COAP_RESET", (peer, messageId) => peer.tell({ type: "RST", code: Code.Empty, messageId })],
      ["COAP_UNREACHABLE", (peer) => peer.transport.unreachable()],
      ["COAP_CLOSED", (peer) => peer.transport.close(new Error("gone"))],
      ["COAP_CLOSED", (peer) => peer.endpoint[Symbol.asyncDispose]()],
    ];
    for (const [code, end] of ways) {
      const peer = new CoapPeerFake();
      const { ended, messageId } = ask(peer);
      await end(peer, messageId);
      await settle();
      expect(ended).toEqual([code]);
      expect(peer.clock.pendingCount).toBe(0);
    }
  });

  it("ends with the signal's reason, on its way or in the queue", async () => {
    const peer = new CoapPeerFake();
    const first = new AbortController();
    const second = new AbortController();
    const one = ask(peer, first.signal);
    const two = ask(peer, second.signal);
    expect(two.message).toBeUndefined();
    second.abort("second");
    first.abort("first");
    await peer.clock.advance(100_000);
    expect([one.ended, two.ended]).toEqual([["first"], ["second"]]);
    expect(peer.heard()).toEqual([]);
    const late = { type: "CON", code: Code.Content, messageId: 9, token: one.token } as const;
    expect(peer.tell(late).map(summary)).toEqual(["RST 0.00 #9"]);
    expect(ask(peer, AbortSignal.abort("at once")).message).toBeUndefined();
  });

  it("is refused after the end, and beyond the queue", async () => {
    const peer = new CoapPeerFake(undefined, { parameters: { queueLimit: 1 } });
    const [, , third] = [ask(peer), ask(peer), ask(peer)];
    await settle();
    expect(third.ended).toEqual(["COAP_QUEUE_FULL"]);
    await peer.endpoint[Symbol.asyncDispose]();
    await expect(peer.endpoint.request(get(), NEVER)).rejects.toMatchObject({ code: "COAP_CLOSED" });
    await expect(peer.endpoint.closed).resolves.toMatchObject({ code: "COAP_CLOSED" });
    expect(peer.transport.isDisposed).toBe(true);
  });

  it("waits for the one before to be acknowledged, not answered (NSTART)", () => {
    const peer = new CoapPeerFake();
    const first = ask(peer);
    expect(ask(peer).message).toBeUndefined();
    const next = peer.tell({ type: "ACK", code: Code.Empty, messageId: first.messageId });
    expect(next).toHaveLength(1);
  });

  it("fails on a critical option that is unknown", async () => {
    const peer = new CoapPeerFake();
    const { ended, token, messageId } = ask(peer);
    const options = [{ number: 9, value: NO_BYTES }];
    peer.tell({ type: "ACK", code: Code.Content, messageId, token, options });
    await settle();
    expect(ended).toEqual(["COAP_MALFORMED"]);
  });

  it("repeats what the server asks to have echoed", async () => {
    const peer = new CoapPeerFake();
    const { ended, token, messageId } = ask(peer);
    const options = [{ number: OptionNumber.Echo, value: fromHex("beef") }];
    peer.tell({ type: "ACK", code: Code.Unauthorized, messageId, token, options });
    await settle();
    const [again] = peer.heard();
    expect(again?.options.at(-1)).toMatchObject({ number: OptionNumber.Echo, value: fromHex("beef") });
    peer.tell({ ...again, type: "ACK", code: Code.Content, options: [], payload: HELLO });
    await settle();
    expect(ended).toEqual(["hello"]);
  });
});

describe("a notification", () => {
  const token = fromHex("0b5e");
  const notification = (delivery: Notification["delivery"]): Notification => ({
    token,
    request: get("3303", "0"),
    response: { ...content(HELLO), observe: 12 },
    delivery,
  });

  it("tells that it was acknowledged, reset or neither", async () => {
    for (const [type, expected] of [
      ["ACK", "acknowledged"],
      ["RST", "reset"],
    ] as const) {
      const peer = new CoapPeerFake();
      const result = peer.endpoint.notify(notification("CON"));
      expect(peer.summary()).toEqual(["CON 2.05 #1"]);
      peer.tell({ type, code: Code.Empty, messageId: 1 });
      expect(await result).toBe(expected);
    }
    const peer = new CoapPeerFake();
    const result = peer.endpoint.notify(notification("CON"));
    await peer.clock.advance(93_000);
    expect(await result).toBe("timeout");
    expect(peer.heard()).toHaveLength(5);
  });

  it("queues in order behind what is not acknowledged", async () => {
    const peer = new CoapPeerFake();
    const results = [1, 2, 3].map(() => peer.endpoint.notify(notification("CON")));
    expect(peer.summary()).toEqual(["CON 2.05 #1"]);
    expect(peer.tell({ type: "ACK", code: Code.Empty, messageId: 1 }).map(summary)).toEqual(["CON 2.05 #2"]);
    expect(peer.tell({ type: "RST", code: Code.Empty, messageId: 2 }).map(summary)).toEqual(["CON 2.05 #3"]);
    peer.transport.unreachable();
    expect(await Promise.all(results)).toEqual(["acknowledged", "reset", "timeout"]);
  });

  it("goes out at once when non-confirmable, and a reset to it ends the observation", async () => {
    const ended: string[] = [];
    const peer = new CoapPeerFake();
    peer.endpoint.onObservationReset((reset) => ended.push(toHex(reset)));
    expect(await peer.endpoint.notify(notification("NON"))).toBe("sent");
    expect(peer.summary()).toEqual(["NON 2.05 #1"]);
    peer.tell({ type: "RST", code: Code.Empty, messageId: 1 });
    peer.tell({ type: "RST", code: Code.Empty, messageId: 1 });
    expect(ended).toEqual(["0b5e"]);
  });

  it("is not delivered by an endpoint that is closed", async () => {
    const peer = new CoapPeerFake();
    const pending = peer.endpoint.notify(notification("CON"));
    await peer.endpoint[Symbol.asyncDispose]();
    expect(await pending).toBe("timeout");
    expect(await peer.endpoint.notify(notification("NON"))).toBe("timeout");
  });
});
