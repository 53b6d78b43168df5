import { byteCount, bytesEqual, type Clock, concatBytes, encodeByteValue, NO_BYTES } from "causeway/adapter";
import { checksumLength, withChecksum } from "./checksum.js";
import { type Frame, Framer } from "./framer.js";
import type { SerialProtocol } from "./options.js";

/** What fills a frame where its profile does not say what stands there. */
export type FrameForm = "text" | "bytes";

const STAR = 0x2a;
const SPACE = 0x20;
/** For a framer that gets whole frames: the silence behind them is there at once. */
const AT_ONCE: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  schedule(_, callback) {
    callback();
    return { cancel: () => undefined };
  },
};

/** The content of a frame with marks, length and checksum, as the framer gives it; undefined when it is too long. */
export function sealed(content: Uint8Array, protocol: SerialProtocol, form: FrameForm): Uint8Array | undefined {
  const { framing = {}, checksum } = protocol;
  const { start = NO_BYTES, length, lengthField } = framing;
  const body = start.every((byte, index) => content[index] === byte) ? content : concatBytes([start, content]);
  const behind = trailer(protocol, form);
  const room = (length ?? Math.max(body.length, reach(protocol)) + behind.length) - body.length - behind.length;
  if (room < 0) return undefined;
  const padding = new Uint8Array(room).fill(form === "text" ? SPACE : 0);
  const frame = concatBytes([body, padding, behind]);
  if (lengthField !== undefined) {
    const { offset, add = 0, ...format } = lengthField;
    const told = frame.length - add;
    if (told < 0 || told >= 2 ** (8 * byteCount(format))) return undefined;
    frame.set(encodeByteValue(told, format), offset);
  }
  return checksum === undefined ? frame : withChecksum(frame, checksum);
}

/** How many bytes stand behind the content. */
export function trailerLength({ framing = {}, checksum }: SerialProtocol): number {
  const { end = NO_BYTES, tail = 0 } = framing;
  const { at, to } = checksum === undefined ? { at: 0, to: 0 } : { at: -checksumLength(checksum), to: 0, ...checksum };
  return Math.max(end.length + tail, -at, -to);
}

/** The frame as it goes over the wire. */
export function escaped(frame: Uint8Array, { framing = {} }: SerialProtocol): Uint8Array {
  const { escape: mark, start = NO_BYTES, end = NO_BYTES, tail = 0 } = framing;
  if (mark === undefined) return frame;
  const special = new Set([mark, ...start, ...end]);
  const last = frame.length - end.length - tail;
  return Uint8Array.from(
    [...frame].flatMap((byte, index) =>
      index >= start.length && index < last && special.has(byte) ? [mark, ~byte & 0xff] : [byte],
    ),
  );
}

/** Whether the adapter's framer takes it for one intact frame. */
export function isOneFrame(frame: Uint8Array, protocol: SerialProtocol): boolean {
  const frames: Frame[] = [];
  const framer = new Framer(protocol.framing ?? {}, protocol.checksum, AT_ONCE, (found) => frames.push(found));
  framer.push(escaped(frame, protocol));
  const [first] = frames;
  return frames.length === 1 && first?.state === "intact" && bytesEqual(first.bytes, frame);
}

/** Where a length and a checksum end that have their place from the beginning. */
function reach({ framing: { lengthField } = {}, checksum }: SerialProtocol): number {
  const lengthEnd = lengthField === undefined ? 0 : lengthField.offset + (lengthField.type === "uint8" ? 1 : 2);
  const at = checksum?.at ?? -1;
  return Math.max(lengthEnd, checksum === undefined || at < 0 ? 0 : at + checksumLength(checksum));
}

/** In text there is `*` before a checksum (NMEA 0183), and a line ends behind it. */
function trailer(protocol: SerialProtocol, form: FrameForm): Uint8Array {
  const { framing: { end = NO_BYTES, tail = 0 } = {}, checksum } = protocol;
  const bytes = new Uint8Array(trailerLength(protocol)).fill(form === "text" ? STAR : 0);
  const free = checksum === undefined ? tail : Math.min(tail, -(checksum.at ?? 0) - checksumLength(checksum));
  if (form === "text" && free >= 2) bytes.set([0x0d, 0x0a], bytes.length - 2);
  bytes.set(end, bytes.length - tail - end.length);
  return bytes;
}
