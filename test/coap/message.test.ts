import { describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, toHex, utf8Encode } from "../../src/base/bytes.js";
import { Code } from "../../src/coap/code.js";
import {
  decodeMessage,
  encodeEmpty,
  encodeMessage,
  type Malformed,
  type Message,
  type OutgoingMessage,
} from "../../src/coap/message.js";
import { OptionNumber } from "../../src/coap/options.js";
import { parseRequest } from "../../src/coap/request-codec.js";
import { parseResponse } from "../../src/coap/response-codec.js";
import { random } from "../fakes/random.js";

const base: OutgoingMessage = {
  type: "CON",
  code: Code.Get,
  messageId: 0,
  token: NO_BYTES,
  options: [],
  payload: NO_BYTES,
};

const VECTORS: readonly { readonly name: string; readonly message: OutgoingMessage; readonly hex: string }[] = [
  {
    name: "RFC 7252 figure 16, request",
    message: { ...base, messageId: 0x7d34, options: [{ number: OptionNumber.UriPath, value: "temperature" }] },
    hex: "40017d34bb74656d7065726174757265",
  },
  {
    name: "RFC 7252 figure 16, response",
    message: { ...base, type: "ACK", code: Code.Content, messageId: 0x7d34, payload: utf8Encode("22.3 C") },
    hex: "60457d34ff32322e332043",
  },
  {
    name: "RFC 7252 figure 17, request with a token",
    message: {
      ...base,
      messageId: 0x7d35,
      token: fromHex("20"),
      options: [{ number: OptionNumber.UriPath, value: "temperature" }],
    },
    hex: "41017d3520bb74656d7065726174757265",
  },
  { name: "message id 0", message: base, hex: "40010000" },
  {
    name: "a number of each length, and zero as nothing",
    message: {
      ...base,
      options: [
        { number: OptionNumber.Observe, value: 0 },
        { number: OptionNumber.ContentFormat, value: 40 },
        { number: OptionNumber.Accept, value: 11542 },
        { number: OptionNumber.Size1, value: 0x01000000 },
      ],
    },
    hex: "40010000 60 6128 522d16 d41e01000000",
  },
  {
    name: "extended deltas and lengths of one and two bytes, out of order",
    message: {
      ...base,
      options: [
        { number: 2053, value: fromHex("01") },
        { number: OptionNumber.UriPath, value: "a".repeat(13) },
        { number: OptionNumber.UriPath, value: "b".repeat(269) },
      ],
    },
    hex: `40010000 bd00${"61".repeat(13)} 0e0000${"62".repeat(269)} e106ed01`,
  },
];

describe("CoAP message codec", () => {
  it.each(VECTORS)("$name", ({ message, hex }) => {
    expect(toHex(encodeMessage(message))).toBe(hex.replaceAll(" ", ""));
    const decoded = decodeMessage(fromHex(hex));
    expect(decoded).toMatchObject({ type: message.type, code: message.code, messageId: message.messageId });
    expect(decoded.type === "malformed" ? "" : toHex(encodeMessage(decoded))).toBe(hex.replaceAll(" ", ""));
  });

  it("writes empty messages", () => {
    expect(toHex(encodeEmpty("ACK", 0xabcd))).toBe("6000abcd");
    expect(toHex(encodeEmpty("RST", 0))).toBe("70000000");
  });

  it.each([
    ["nothing", "", undefined],
    ["three bytes", "400100", undefined],
    ["version 0", "00010001", undefined],
    ["version 2", "80010001", undefined],
    ["token length 9", "49010007 010203040506070809", 7],
    ["token cut off", "44010007 0102", 7],
    ["empty message with a token", "41000007 01", 7],
    ["empty message with a token length only", "41000007", 7],
    ["empty message with content", "40000007 ff00", 7],
    ["reserved class 1", "40200007", 7],
    ["reserved class 6", "40c00007", 7],
    ["class 7, which is for TCP", "40e10007", 7],
    ["marker without payload", "40010007 ff", 7],
    ["option delta 15", "40010007 f0", 7],
    ["option length 15", "40010007 0f", 7],
    ["option header cut off", "40010007 d0", 7],
    ["extended length cut off", "40010007 0e01", 7],
    ["option value cut off", "40010007 b474656d", 7],
    ["option number above 65535", "40010007 e0ffff e0ffff", 7],
    ["the same, non-confirmable", "50010007 ff", undefined],
    ["the same, acknowledgement", "60450007 ff", undefined],
  ])("refuses %s", (_, hex, reset) => {
    const decoded = decodeMessage(fromHex(hex));
    expect(decoded.type).toBe("malformed");
    expect(decoded.type === "malformed" && decoded.reset).toBe(reset);
  });

  it("refuses to write a token of nine bytes", () => {
    expect(() => encodeMessage({ ...base, token: new Uint8Array(9) })).toThrow(RangeError);
  });
});

describe("requests", () => {
  const parse = (options: OutgoingMessage["options"], code: number = Code.Get) => {
    const message = decodeMessage(encodeMessage({ ...base, code, options }));
    return message.type === "malformed" ? message : parseRequest(message);
  };

  it("reads every field", () => {
    const parsed = parse([
      { number: OptionNumber.UriHost, value: "host" },
      { number: OptionNumber.Observe, value: 1 },
      { number: OptionNumber.UriPort, value: 5683 },
      { number: OptionNumber.UriPath, value: "3303" },
      { number: OptionNumber.UriPath, value: "a longer segment é" },
      { number: OptionNumber.ContentFormat, value: 112 },
      { number: OptionNumber.UriQuery, value: "pmin=1" },
      { number: OptionNumber.Accept, value: 60 },
      { number: OptionNumber.Block2, value: 0x12 },
      { number: OptionNumber.Block1, value: 0x0e },
      { number: OptionNumber.Size1, value: 5000 },
      { number: OptionNumber.NoResponse, value: 26 },
      { number: OptionNumber.RequestTag, value: fromHex("aabb") },
    ]);
    expect(parsed).toMatchObject({
      request: {
        method: "GET",
        path: ["3303", "a longer segment é"],
        query: ["pmin=1"],
        contentFormat: 112,
        accept: 60,
        observe: 1,
        confirmable: true,
      },
      control: {
        block2: { number: 1, more: false, size: 64 },
        block1: { number: 0, more: true, size: 1024 },
        size1: 5000,
        noResponse: 26,
      },
    });
  });

  it.each([
    ["unknown critical", [{ number: 9, value: fromHex("00") }], "bad-option"],
    ["If-Match, which is not supported", [{ number: OptionNumber.IfMatch, value: fromHex("00") }], "bad-option"],
    ["two Accept", [OptionNumber.Accept, OptionNumber.Accept].map((number) => ({ number, value: 0 })), "bad-option"],
    ["too long a Uri-Path", [{ number: OptionNumber.UriPath, value: "x".repeat(256) }], "bad-option"],
    ["Uri-Path that is not UTF-8", [{ number: OptionNumber.UriPath, value: fromHex("ff") }], "bad-option"],
    ["Block2 with SZX 7", [{ number: OptionNumber.Block2, value: 7 }], "bad-option"],
    ["Proxy-Uri", [{ number: OptionNumber.ProxyUri, value: "coap://a" }], "proxying"],
  ])("refuses %s", (_, options, refused) => {
    expect(parse(options)).toMatchObject({ refused });
  });

  it.each([
    ["unknown elective", [{ number: 65000, value: fromHex("00") }]],
    [
      "two Content-Format",
      [OptionNumber.ContentFormat, OptionNumber.ContentFormat].map((number) => ({ number, value: 0 })),
    ],
    ["too long an Observe", [{ number: OptionNumber.Observe, value: 0x01000000 }]],
  ])("ignores %s", (_, options) => {
    expect(parse(options)).not.toHaveProperty("refused");
  });

  it("refuses an unknown method", () => {
    expect(parse([], 8)).toMatchObject({ refused: "method" });
  });
});

/** Options without where they stand: what is written again may be shorter. */
function contentOf(message: Message | Malformed) {
  if (message.type === "malformed") return message;
  return { ...message, options: message.options.map(({ number, value }) => ({ number, value })) };
}

describe("any bytes", () => {
  const { seed, bytes, below } = random();

  it(`decode to a message or to what is wrong (seed ${seed})`, () => {
    for (let round = 0; round < 20_000; round++) {
      const datagram = bytes(below(60));
      // Most random headers are refused at once: half of the rounds get one that is not.
      if (round % 2 === 0 && datagram.length > 4)
        datagram.set([0x40 | (below(4) << 4) | below(9), [1, 2, 0x45, 0x84][below(4)] ?? 1]);
      const message = decodeMessage(datagram);
      if (message.type === "malformed") continue;
      const again = decodeMessage(Uint8Array.from(encodeMessage(message)));
      expect(contentOf(again)).toEqual(contentOf(message));
      parseRequest(message);
      parseResponse(message);
    }
  });
});
