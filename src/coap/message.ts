import { Buffer } from "node:buffer";
import { NO_BYTES } from "../base/bytes.js";
import { Code, codeClass } from "./code.js";
import { contentLength, decodeOptions, inOrder, writeContent } from "./option-codec.js";
import type { Option, OutgoingOption } from "./options.js";

/** Confirmable, non-confirmable, acknowledgement, reset (RFC 7252 §3). */
export type MessageType = "CON" | "NON" | "ACK" | "RST";

export interface OutgoingMessage {
  readonly type: MessageType;
  readonly code: number;
  /** 16 bit; 0 is an id like any other. */
  readonly messageId: number;
  /** 0 to 8 bytes. */
  readonly token: Uint8Array;
  /** In any order; options of the same number keep theirs. */
  readonly options: readonly OutgoingOption[];
  readonly payload: Uint8Array;
}

/** A received message; token and payload are views into the datagram. */
export interface Message extends OutgoingMessage {
  readonly options: readonly Option[];
}

/** What could not be decoded. `reset` is the id of a confirmable message, which is to be rejected (RFC 7252 §4.2). */
export interface Malformed {
  readonly type: "malformed";
  readonly reason: string;
  readonly reset?: number;
}

const TYPES = ["CON", "NON", "ACK", "RST"] as const;
const HEADER_BYTES = 4;
const MAX_TOKEN_BYTES = 8;
/** RFC 7252 §3; class 7 is for the signalling of RFC 8323, which a datagram never carries. */
const RESERVED_CLASSES: readonly number[] = [1, 3, 6, 7];
const NO_OPTIONS: readonly Option[] = [];

/** RFC 7252 §3. Never throws; the meaning of code and options is not looked at. */
export function decodeMessage(datagram: Uint8Array): Message | Malformed {
  if (datagram.length < HEADER_BYTES) return { type: "malformed", reason: "shorter than a header" };
  const first = datagram[0] ?? 0;
  const code = datagram[1] ?? 0;
  // A message of another version is to be ignored silently (RFC 7252 §3).
  if (first >> 6 !== 1) return { type: "malformed", reason: `version ${first >> 6}` };
  const type = TYPES[(first >> 4) & 3] ?? "CON";
  const messageId = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0);
  const tokenEnd = HEADER_BYTES + (first & 0x0f);
  if (code === Code.Empty) {
    if (datagram.length > HEADER_BYTES || tokenEnd > HEADER_BYTES)
      return malformed(type, messageId, "empty message with content");
    return { type, code, messageId, token: NO_BYTES, options: NO_OPTIONS, payload: NO_BYTES };
  }
  if ((first & 0x0f) > MAX_TOKEN_BYTES) return malformed(type, messageId, "token longer than 8 bytes");
  if (tokenEnd > datagram.length) return malformed(type, messageId, "token cut off");
  if (RESERVED_CLASSES.includes(codeClass(code))) return malformed(type, messageId, "reserved code class");
  const options: Option[] = [];
  const payloadAt = decodeOptions(datagram, tokenEnd, options);
  if (typeof payloadAt === "string") return malformed(type, messageId, payloadAt);
  return {
    type,
    code,
    messageId,
    token: tokenEnd === HEADER_BYTES ? NO_BYTES : datagram.subarray(HEADER_BYTES, tokenEnd),
    options,
    payload: payloadAt === datagram.length ? NO_BYTES : datagram.subarray(payloadAt),
  };
}

function malformed(type: MessageType, messageId: number, reason: string): Malformed {
  return type === "CON" ? { type: "malformed", reason, reset: messageId } : { type: "malformed", reason };
}

/** Throws RangeError for a token of more than 8 bytes: a defect of the caller. */
export function encodeMessage(message: OutgoingMessage): Buffer {
  const { token, payload } = message;
  if (token.length > MAX_TOKEN_BYTES) throw new RangeError("token longer than 8 bytes");
  const options = inOrder(message.options);
  const contentAt = HEADER_BYTES + token.length;
  const datagram = Buffer.allocUnsafe(contentAt + contentLength(options, payload));
  writeHeader(datagram, message.type, token.length, message.code, message.messageId);
  // A loop beats set() for the few bytes of a token.
  for (let index = 0; index < token.length; index++) datagram[HEADER_BYTES + index] = token[index] ?? 0;
  writeContent(datagram, contentAt, options, payload);
  return datagram;
}

/** An acknowledgement, a reset or a ping: 4 bytes without content. */
export function encodeEmpty(type: MessageType, messageId: number): Buffer {
  const datagram = Buffer.allocUnsafe(HEADER_BYTES);
  writeHeader(datagram, type, 0, Code.Empty, messageId);
  return datagram;
}

function writeHeader(datagram: Buffer, type: MessageType, tokenLength: number, code: number, messageId: number): void {
  datagram[0] = 0x40 | (TYPES.indexOf(type) << 4) | tokenLength;
  datagram[1] = code;
  datagram[2] = messageId >> 8;
  datagram[3] = messageId & 0xff;
}
