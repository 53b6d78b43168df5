import { concatBytes } from "../../../src/base/bytes.js";
import { encodeMessage, type OutgoingMessage } from "../../../src/coap/message.js";
import { OptionNumber, type OutgoingOption } from "../../../src/coap/options.js";
import type { Random } from "../../fakes/random.js";
import type { Template } from "./requests.js";

const SEGMENTS = ["0", "1", "2", "3", "16", "25", "65535", "65536", "d01", "d02", "", "bs", "rd", "-1", "00", "3303"];
const QUERIES = ["pmin=0", "pmax=1", "gt=1e9", "lt=-1", "st=0", "con=1", "depth=0", "pmin", "=", "a=b", "edge=1"];
const OPTION_NUMBERS = [...Object.values(OptionNumber), 0, 9, 2049, 65000];
const LENGTHS = [0, 1, 2, 3, 8, 13, 255, 300];
const CODES = [1, 2, 3, 4, 5, 6, 7, 8, 31, 0, 0x45, 0x84];
const BIG = 1200;

type MessageMutation = (message: OutgoingMessage, random: Random, others: Templates) => OutgoingMessage;
type BytesMutation = (bytes: Uint8Array, random: Random) => Uint8Array;
export type Templates = readonly [Template, ...Template[]];

function withOptions(message: OutgoingMessage, options: readonly OutgoingOption[]): OutgoingMessage {
  return { ...message, options };
}

function without<T>(items: readonly T[], index: number): readonly T[] {
  return items.filter((_, other) => other !== index);
}

const MESSAGE_MUTATIONS: readonly [MessageMutation, ...MessageMutation[]] = [
  (message, random) => ({ ...message, code: CODES[random.below(CODES.length)] ?? 1 }),
  (message, random) => ({ ...message, type: random.pick(["CON", "NON", "ACK", "RST"]) }),
  (message, random) => ({ ...message, token: random.bytes(random.below(9)) }),
  (message, random) => withOptions(message, without(message.options, random.below(message.options.length))),
  (message, random) => {
    const copied = message.options[random.below(message.options.length)];
    return copied === undefined ? message : withOptions(message, [...message.options, copied]);
  },
  (message, random) => {
    const at = random.below(message.options.length);
    const value = SEGMENTS[random.below(SEGMENTS.length)] ?? "";
    return withOptions(
      message,
      message.options.map((option, index) => (index === at ? { ...option, value } : option)),
    );
  },
  (message, random) => {
    const value = QUERIES[random.below(QUERIES.length)] ?? "";
    return withOptions(message, [...message.options, { number: OptionNumber.UriQuery, value }]);
  },
  (message, random) => {
    const number = OPTION_NUMBERS[random.below(OPTION_NUMBERS.length)] ?? 0;
    const value = random.bytes(LENGTHS[random.below(LENGTHS.length)] ?? 0);
    return withOptions(message, [...message.options, { number, value }]);
  },
  (message, random) => {
    const number = random.pick([OptionNumber.Block1, OptionNumber.Block2]);
    return withOptions(message, [...message.options, { number, value: random.below(256) }]);
  },
  (message, random) => ({ ...message, payload: changed(message.payload, random) }),
  (message, random, others) => ({ ...message, payload: random.pick(others).payload }),
  (message, random, others) => withOptions(message, random.pick(others).options),
  (message, random) => ({ ...message, payload: nested(random) }),
];

const BYTES_MUTATIONS: readonly [BytesMutation, ...BytesMutation[]] = [
  (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    for (let count = random.below(6); count >= 0; count--) copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => concatBytes([bytes, random.bytes(random.below(20))]),
  (bytes, random) => {
    const from = random.below(bytes.length);
    const to = from + random.below(bytes.length - from);
    return concatBytes([bytes.subarray(0, to), bytes.subarray(from)]).slice(0, BIG);
  },
  (bytes, random) => {
    const from = random.below(bytes.length);
    return concatBytes([bytes.subarray(0, from), bytes.subarray(from + random.below(8))]);
  },
];

function changed(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.length === 0 ? random.bytes(random.below(40)) : random.pick(BYTES_MUTATIONS)(bytes, random);
}

/** What makes a careless decoder go deep, or believe in a length: CBOR and JSON arrays within each other, huge counts. */
function nested(random: Random): Uint8Array {
  const depth = 1 + random.below(BIG);
  return random.pick([
    new Uint8Array(depth).fill(0x81),
    new Uint8Array(depth).fill(0x9f),
    Uint8Array.of(0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0x5b, 0, 0, 0, 1, 0, 0, 0, 0),
    Buffer.from("[".repeat(depth)),
    Buffer.from('{"n":'.repeat(Math.ceil(depth / 5))),
    Buffer.from(`[{"n":"/3442/0/130","v":1e${depth}}]`),
    Uint8Array.of(0xc8, 0x00, 0xff, ...random.bytes(20)),
  ]);
}

/** A request made of the templates, mostly no valid one any more. */
export function mutatedDatagram(templates: Templates, random: Random): Uint8Array {
  let message: OutgoingMessage = {
    type: random.below(4) === 0 ? "NON" : "CON",
    messageId: random.below(0x1_0000),
    token: random.bytes(random.below(5)),
    ...random.pick(templates),
  };
  for (let count = random.below(4); count > 0; count--) {
    message = random.pick(MESSAGE_MUTATIONS)(message, random, templates);
  }
  let datagram: Uint8Array = encodeMessage(message);
  for (let count = random.below(3) - 1; count > 0; count--) datagram = changed(datagram, random);
  return datagram;
}
