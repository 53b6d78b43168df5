import { describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, utf8Encode } from "../../src/base/bytes.js";
import { type Block, type BlockSize, cutBlock, decodeBlock, encodeBlock } from "../../src/coap/block.js";
import { Code, METHOD_CODE } from "../../src/coap/code.js";
import type { CoapEndpointOptions } from "../../src/coap/endpoint.js";
import type { Message, OutgoingMessage } from "../../src/coap/message.js";
import { OptionNumber, type OutgoingOption } from "../../src/coap/options.js";
import type { CoapRequest, Method, RequestHandler } from "../../src/coap/request.js";
import { settle } from "../fakes/clock.js";
import { blockOf, CoapPeerFake, content, get, NEVER, optionOf, summary } from "../fakes/coap-peer.js";

const BODY = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) & 0xff);

/** A peer that speaks in blocks, with a new id for each message and, unless told otherwise, a new token. */
class BlockPeer extends CoapPeerFake {
  #messageId = 100;

  constructor(handler: RequestHandler, options: Partial<CoapEndpointOptions> = {}) {
    super(handler, options);
  }

  ask(method: Method, path: string, options: readonly OutgoingOption[], rest: Partial<OutgoingMessage> = {}): Message {
    const messageId = this.#messageId++;
    const [answer] = this.tell({
      code: METHOD_CODE[method],
      messageId,
      token: Uint8Array.of(messageId >> 8, messageId & 0xff),
      options: [{ number: OptionNumber.UriPath, value: path }, ...options],
      ...rest,
    });
    if (answer === undefined) throw new Error("no answer");
    return answer;
  }

  put(offset: number, size: BlockSize, options: readonly OutgoingOption[] = [], path = "a", body = BODY): Message {
    const { block, payload } = cutBlock(body, offset, size);
    return this.ask("PUT", path, [{ number: OptionNumber.Block1, value: encodeBlock(block) }, ...options], { payload });
  }

  get(number: number, size: BlockSize, path = "a", rest: Partial<OutgoingMessage> = {}): Message {
    const block2 = encodeBlock({ number, more: false, size });
    return this.ask("GET", path, [{ number: OptionNumber.Block2, value: block2 }], rest);
  }
}

/** Keeps the bodies that came. */
function store() {
  const bodies: Uint8Array[] = [];
  const handler: RequestHandler = (request) => {
    bodies.push(request.payload);
    return { code: Code.Changed, payload: NO_BYTES };
  };
  return { bodies, handler };
}

describe("block options", () => {
  it.each<[number, Block]>([
    [0x00, { number: 0, more: false, size: 16 }],
    [0x0e, { number: 0, more: true, size: 1024 }],
    [0x12, { number: 1, more: false, size: 64 }],
    [0xfffffe, { number: 0xfffff, more: true, size: 1024 }],
  ])("%i", (value, block) => {
    expect(decodeBlock(value)).toEqual(block);
    expect(encodeBlock(block)).toBe(value);
  });

  it("has no SZX 7 and no number of 21 bits", () => {
    expect(decodeBlock(7)).toBeUndefined();
    expect(() => encodeBlock({ number: 0x100000, more: false, size: 16 })).toThrow(RangeError);
  });
});

describe("receiving an upload", () => {
  it("joins blocks of any token and answers 2.31 until the last", () => {
    const { bodies, handler } = store();
    const peer = new BlockPeer(handler);
    for (const offset of [0, 128]) {
      const answer = peer.put(offset, 128);
      expect(answer.code).toBe(Code.Continue);
      expect(blockOf(answer, OptionNumber.Block1)).toEqual({ number: offset / 128, more: true, size: 128 });
    }
    const last = peer.put(256, 128);
    expect(last.code).toBe(Code.Changed);
    expect(blockOf(last, OptionNumber.Block1)).toEqual({ number: 2, more: false, size: 128 });
    expect(bodies).toEqual([BODY]);
  });

  it("takes a repeated block once, also under a new id, and other requests in between", () => {
    const { bodies, handler } = store();
    const peer = new BlockPeer(handler);
    for (const offset of [0, 0, 128, 128]) expect(peer.put(offset, 128).code).toBe(Code.Continue);
    expect(peer.ask("PUT", "a", [{ number: OptionNumber.UriQuery, value: "x=1" }]).code).toBe(Code.Changed);
    expect(peer.ask("GET", "b", []).code).toBe(Code.Changed);
    expect(peer.put(256, 128).code).toBe(Code.Changed);
    expect(bodies).toEqual([NO_BYTES, NO_BYTES, BODY]);
  });

  it("keeps uploads to other paths and of other Request-Tags apart", () => {
    const { bodies, handler } = store();
    const peer = new BlockPeer(handler);
    const other = BODY.map((byte) => byte ^ 0xff);
    const tag = [{ number: OptionNumber.RequestTag, value: fromHex("01") }];
    for (const offset of [0, 128, 256]) {
      peer.put(offset, 128);
      peer.put(offset, 128, tag, "a", other);
      peer.put(offset, 128, [], "b", other);
    }
    expect(bodies).toEqual([BODY, other, other]);
  });

  it("negotiates the size down", () => {
    const { bodies, handler } = store();
    const peer = new BlockPeer(handler, { parameters: { blockSize: 32 } });
    const first = peer.put(0, 128);
    expect(blockOf(first, OptionNumber.Block1)).toEqual({ number: 0, more: true, size: 32 });
    for (let offset = 128; offset < BODY.length; offset += 32) peer.put(offset, 32);
    expect(bodies).toEqual([BODY]);
  });

  it.each<[string, (peer: BlockPeer) => Message, number]>([
    ["begins in the middle", (peer) => peer.put(128, 128), Code.RequestEntityIncomplete],
    ["has a gap", (peer) => [peer.put(0, 64), peer.put(128, 64)][1] as Message, Code.RequestEntityIncomplete],
    [
      "changes its format",
      (peer) =>
        [peer.put(0, 128), peer.put(128, 128, [{ number: OptionNumber.ContentFormat, value: 42 }])][1] as Message,
      Code.RequestEntityIncomplete,
    ],
    [
      "has a short block in the middle",
      (peer) => peer.ask("PUT", "a", [{ number: OptionNumber.Block1, value: 0x0a }], { payload: utf8Encode("short") }),
      Code.BadRequest,
    ],
    [
      "announces too much",
      (peer) => peer.put(0, 128, [{ number: OptionNumber.Size1, value: 301 }]),
      Code.RequestEntityTooLarge,
    ],
  ])("refuses one that %s", (_, upload, code) => {
    const { bodies, handler } = store();
    const answer = upload(new BlockPeer(handler, { parameters: { maxBodyBytes: 300 } }));
    expect(answer.code).toBe(code);
    if (code === Code.RequestEntityTooLarge) expect(optionOf(answer, OptionNumber.Size1)).toBe(300);
    expect(bodies).toEqual([]);
  });

  it("refuses one that grows too large, and forgets it", () => {
    const { handler } = store();
    const peer = new BlockPeer(handler, { parameters: { maxBodyBytes: 299 } });
    const codes = [0, 128, 256, 256].map((offset) => peer.put(offset, 128).code);
    expect(codes).toEqual([Code.Continue, Code.Continue, Code.RequestEntityTooLarge, Code.RequestEntityTooLarge]);
    expect(peer.put(128, 128).code).toBe(Code.RequestEntityIncomplete);
  });

  it("forgets one that does not go on, and the oldest of too many", async () => {
    const { handler } = store();
    const peer = new BlockPeer(handler, { parameters: { transferLimit: 2 } });
    for (const path of ["a", "b", "c"]) peer.put(0, 128, [], path);
    expect(peer.put(128, 128, [], "a").code).toBe(Code.RequestEntityIncomplete);
    expect(peer.put(128, 128, [], "c").code).toBe(Code.Continue);
    await peer.clock.advance(247_000);
    expect(peer.put(256, 128, [], "c").code).toBe(Code.RequestEntityIncomplete);
    expect(peer.clock.pendingCount).toBe(0);
  });
});

describe("sending a large response", () => {
  it("gives block after block of one snapshot, with one ETag, and runs the handler once", () => {
    let calls = 0;
    const peer = new BlockPeer(() => content(BODY.map((byte) => byte ^ (calls++ % 2))), {
      parameters: { blockSize: 128 },
    });
    const answers = [peer.ask("GET", "a", []), peer.get(1, 128), peer.get(2, 128)];
    expect(answers.map((answer) => blockOf(answer, OptionNumber.Block2))).toEqual([
      { number: 0, more: true, size: 128 },
      { number: 1, more: true, size: 128 },
      { number: 2, more: false, size: 128 },
    ]);
    expect(optionOf(answers[0], OptionNumber.Size2)).toBe(300);
    expect(new Set(answers.map((answer) => optionOf(answer, OptionNumber.ETag))).size).toBe(1);
  });

  it("follows the size that the peer asks for, from the first block on", () => {
    const peer = new BlockPeer(() => content(BODY));
    expect(blockOf(peer.get(0, 64), OptionNumber.Block2)).toEqual({ number: 0, more: true, size: 64 });
    expect(blockOf(peer.get(2, 32), OptionNumber.Block2)).toEqual({ number: 2, more: true, size: 32 });
    expect(peer.get(4, 64).payload).toEqual(BODY.slice(256));
  });

  it("names the block of a small response to early negotiation, and none otherwise", () => {
    const peer = new BlockPeer(() => content(BODY.slice(0, 40)));
    expect(blockOf(peer.get(0, 64), OptionNumber.Block2)).toEqual({ number: 0, more: false, size: 64 });
    expect(blockOf(peer.ask("GET", "a", []), OptionNumber.Block2)).toBeUndefined();
  });

  it("runs the handler again when the snapshot is gone, but only of safe methods", async () => {
    let calls = 0;
    const peer = new BlockPeer(() => content(BODY.slice(0, 300 - calls++)), { parameters: { blockSize: 128 } });
    peer.get(0, 128);
    await peer.clock.advance(247_000);
    expect(peer.get(1, 128).payload).toEqual(BODY.slice(128, 256));
    expect(calls).toBe(2);
    const block2 = { number: OptionNumber.Block2, value: encodeBlock({ number: 1, more: false, size: 128 }) };
    expect(peer.ask("POST", "a", [block2]).code).toBe(Code.RequestEntityIncomplete);
    expect(calls).toBe(2);
  });

  it("refuses a block behind the end", () => {
    const peer = new BlockPeer(() => content(BODY));
    expect(peer.get(5, 64).code).toBe(Code.BadRequest);
    peer.get(0, 64);
    expect(peer.get(5, 64).code).toBe(Code.BadRequest);
  });

  it("gives concurrent fetches of one resource a consistent body each", () => {
    let calls = 0;
    const peer = new BlockPeer(() => content(BODY.map((byte) => (byte + calls) & 0xff).fill(calls++, 0, 1)));
    const fetches = [0, 1, 2].map(() => ({ parts: [] as Uint8Array[], tags: new Set<number | undefined>() }));
    for (let number = 0; number < 5; number++) {
      for (const fetch of fetches) {
        const answer = peer.get(number, 64);
        fetch.parts.push(answer.payload);
        fetch.tags.add(optionOf(answer, OptionNumber.ETag));
      }
    }
    for (const [index, { parts, tags }] of fetches.entries()) {
      const expected = BODY.map((byte) => (byte + index) & 0xff).fill(index, 0, 1);
      expect(Buffer.concat(parts)).toEqual(Buffer.from(expected));
      expect(tags.size).toBe(1);
    }
  });

  it("goes on with the newest body when an older fetch was abandoned", async () => {
    let calls = 0;
    const peer = new BlockPeer(() => content(new Uint8Array(100).fill(calls++)));
    peer.get(0, 64);
    await peer.clock.advance(10_000);
    peer.get(0, 64);
    expect(peer.get(1, 64).payload[0]).toBe(1);
  });

  it("keeps fetches with different payloads apart, whatever their tokens (RFC 8132 §2)", () => {
    const peer = new BlockPeer((request) => content(new Uint8Array(300).fill(request.payload[0] ?? 0)));
    const fetch = (letter: string, number: number): Message => {
      const value = encodeBlock({ number, more: false, size: 128 });
      return peer.ask("FETCH", "a", [{ number: OptionNumber.Block2, value }], { payload: utf8Encode(letter) });
    };
    const letters = ["x", "y", "y", "x", "x", "y"].map((letter, index) => [letter, Math.floor(index / 2)] as const);
    for (const [letter, number] of letters) expect([...fetch(letter, number).payload]).toContain(letter.charCodeAt(0));
    for (const letter of ["x", "y"]) expect([...fetch(letter, 1).payload]).toContain(letter.charCodeAt(0));
  });

  it("answers an upload with a body in blocks", () => {
    const peer = new BlockPeer((request) => content(request.payload), { parameters: { blockSize: 128 } });
    for (const offset of [0, 128])
      peer.ask("POST", "a", [block1(offset)], { payload: BODY.slice(offset, offset + 128) });
    const first = peer.ask("POST", "a", [block1(256)], { payload: BODY.slice(256) });
    expect(blockOf(first, OptionNumber.Block1)).toEqual({ number: 2, more: false, size: 128 });
    expect(blockOf(first, OptionNumber.Block2)).toEqual({ number: 0, more: true, size: 128 });
    const block2 = { number: OptionNumber.Block2, value: encodeBlock({ number: 2, more: false, size: 128 }) };
    expect(peer.ask("POST", "a", [block2]).payload).toEqual(BODY.slice(256));
  });

  function block1(offset: number): OutgoingOption {
    return { number: OptionNumber.Block1, value: encodeBlock(cutBlock(BODY, offset, 128).block) };
  }

  it("notifies with the first block and keeps the rest; a newer notification replaces it", async () => {
    const peer = new BlockPeer(() => content(utf8Encode("not asked")), { parameters: { blockSize: 128 } });
    const notify = (body: Uint8Array, observe: number): Promise<unknown> =>
      peer.endpoint.notify({
        token: fromHex("0b"),
        request: get("a"),
        response: { ...content(body), observe },
        delivery: "NON",
      });
    await notify(
      BODY.map(() => 0),
      4,
    );
    await notify(BODY, 5);
    const [, notification] = peer.heard();
    expect(optionOf(notification, OptionNumber.Observe)).toBe(5);
    expect(blockOf(notification, OptionNumber.Block2)).toEqual({ number: 0, more: true, size: 128 });
    const rest = peer.get(1, 128);
    expect(rest.payload).toEqual(BODY.slice(128, 256));
    expect(optionOf(rest, OptionNumber.Observe)).toBeUndefined();
  });
});

describe("our requests in blocks", () => {
  const put: CoapRequest = { ...get("rd"), method: "POST", payload: BODY };

  /** Lets the endpoint ask, and answers each message as the table of the test says. */
  async function converse(
    request: CoapRequest,
    answer: (message: Message, index: number) => Partial<OutgoingMessage>,
  ): Promise<{ result: unknown; asked: Message[] }> {
    const peer = new CoapPeerFake(undefined, { parameters: { blockSize: 128, maxBodyBytes: 1_000 } });
    const asked: Message[] = [];
    let result: unknown;
    peer.endpoint.request(request, NEVER).then(
      (response) => {
        result = response;
      },
      (error: unknown) => {
        result = error;
      },
    );
    for (let index = 0; result === undefined && index < 100; index++) {
      await settle();
      for (const message of peer.heard()) {
        asked.push(message);
        peer.tell({
          type: "ACK",
          messageId: message.messageId,
          token: message.token,
          ...answer(message, asked.length - 1),
        });
      }
    }
    return { result, asked };
  }

  const block1 = (block: Block | undefined): OutgoingOption[] =>
    block === undefined ? [] : [{ number: OptionNumber.Block1, value: encodeBlock(block) }];
  const block2 = (block: Block): OutgoingOption[] => [{ number: OptionNumber.Block2, value: encodeBlock(block) }];

  it("upload with Size1 and go down to the server's size", async () => {
    const { result, asked } = await converse(put, (message) => {
      const block = blockOf(message, OptionNumber.Block1);
      const code = block?.more === true ? Code.Continue : Code.Created;
      return { code, options: block1(block === undefined ? undefined : { ...block, size: 64 }) };
    });
    expect(result).toMatchObject({ code: Code.Created });
    expect(asked.map((message) => blockOf(message, OptionNumber.Block1))).toEqual([
      { number: 0, more: true, size: 128 },
      { number: 2, more: true, size: 64 },
      { number: 3, more: true, size: 64 },
      { number: 4, more: false, size: 64 },
    ]);
    expect(asked.map((message) => optionOf(message, OptionNumber.Size1))).toEqual([
      300,
      undefined,
      undefined,
      undefined,
    ]);
    expect(new Set(asked.map((message) => Buffer.from(message.token).toString("hex"))).size).toBe(4);
    expect(Buffer.concat(asked.map((message) => message.payload))).toEqual(Buffer.from(BODY));
  });

  it("begin again with smaller blocks when the server finds them too large", async () => {
    const { result, asked } = await converse(put, (message, index) => {
      const block = blockOf(message, OptionNumber.Block1);
      if (index === 0)
        return { code: Code.RequestEntityTooLarge, options: block1({ number: 0, more: false, size: 64 }) };
      return { code: block?.more === true ? Code.Continue : Code.Changed, options: block1(block) };
    });
    expect(result).toMatchObject({ code: Code.Changed });
    expect(blockOf(asked[1], OptionNumber.Block1)).toEqual({ number: 0, more: true, size: 64 });
  });

  it("end with what the server answers in the middle", async () => {
    const { result, asked } = await converse(put, () => ({ code: Code.Forbidden }));
    expect(result).toMatchObject({ code: Code.Forbidden });
    expect(asked).toHaveLength(1);
  });

  it("fetch the rest of a response without Observe", async () => {
    const { result, asked } = await converse({ ...get("big"), observe: 0 }, (message) => {
      const offset = (blockOf(message, OptionNumber.Block2)?.number ?? 0) * 128;
      const { block, payload } = cutBlock(BODY, offset, 128);
      return {
        code: Code.Content,
        options: [{ number: OptionNumber.ETag, value: fromHex("01") }, ...block2(block)],
        payload,
      };
    });
    expect(result).toEqual({ code: Code.Content, payload: BODY });
    expect(asked.map((message) => optionOf(message, OptionNumber.Observe))).toEqual([0, undefined, undefined]);
  });

  const first = {
    code: Code.Content,
    options: block2({ number: 0, more: true, size: 16 }),
    payload: BODY.slice(0, 16),
  };
  it.each<[string, CoapRequest, (message: Message, index: number) => Partial<OutgoingMessage>]>([
    ["2.31 without Block1", put, () => ({ code: Code.Continue })],
    [
      "2.31 for another block",
      put,
      () => ({ code: Code.Continue, options: block1({ number: 7, more: true, size: 128 }) }),
    ],
    [
      "2.31 after the last block",
      put,
      (message) => ({ code: Code.Continue, options: block1(blockOf(message, OptionNumber.Block1)) }),
    ],
    ["an error in the middle", get(), (_, index) => (index === 0 ? first : { code: Code.NotFound })],
    [
      "another block than asked",
      get(),
      (_, index) => ({ ...first, options: block2({ number: index * 2, more: true, size: 16 }) }),
    ],
    ["a block of a wrong length", get(), () => ({ ...first, payload: BODY.slice(0, 15) })],
    [
      "another ETag",
      get(),
      (_, index) => ({
        ...first,
        options: [{ number: OptionNumber.ETag, value: index + 1 }, ...block2({ number: index, more: true, size: 16 })],
      }),
    ],
    ["an endless body", get(), (_, index) => ({ ...first, options: block2({ number: index, more: true, size: 16 }) })],
  ])("fail on %s", async (_, request, answer) => {
    expect((await converse(request, answer)).result).toMatchObject({ code: "COAP_BLOCK_FAILED" });
  });

  it("take turns when they upload", async () => {
    const peer = new CoapPeerFake(undefined, { parameters: { blockSize: 128, nstart: 4 } });
    const abort = new AbortController();
    const ended = [0, 1].map(() => peer.endpoint.request(put, abort.signal).catch((error: unknown) => error));
    await settle();
    expect(peer.summary()).toEqual(["CON 0.02 #1"]);
    void peer.endpoint.request(get("small"), abort.signal).catch(() => undefined);
    expect(peer.heard().map(summary)).toEqual(["CON 0.01 #2"]);
    abort.abort("over");
    expect(await Promise.all(ended)).toEqual(["over", "over"]);
    expect(peer.heard()).toEqual([]);
  });
});
