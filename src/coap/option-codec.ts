import { Option, type OutgoingOption, uintLength } from "./options.js";

const PAYLOAD_MARKER = 0xff;
const MAX_OPTION_NUMBER = 0xffff;

/**
 * Appends the options that begin at `start` to `options` and returns where the payload begins (the length where there
 * is none), or what is wrong (RFC 7252 §3.1; the same over TCP, RFC 8323 §3.2).
 */
export function decodeOptions(datagram: Uint8Array, start: number, options: Option[]): number | string {
  let at = start;
  let number = 0;
  while (at < datagram.length) {
    const head = datagram[at++] ?? 0;
    if (head === PAYLOAD_MARKER) return at < datagram.length ? at : "payload marker without payload";
    let delta = head >> 4;
    let length = head & 0x0f;
    if (delta === 15 || length === 15) return "reserved option header";
    if (delta >= 13) {
      if (at + delta - 12 > datagram.length) return "option header cut off";
      delta = delta === 13 ? 13 + (datagram[at++] ?? 0) : 269 + ((datagram[at++] ?? 0) << 8) + (datagram[at++] ?? 0);
    }
    if (length >= 13) {
      if (at + length - 12 > datagram.length) return "option header cut off";
      length = length === 13 ? 13 + (datagram[at++] ?? 0) : 269 + ((datagram[at++] ?? 0) << 8) + (datagram[at++] ?? 0);
    }
    number += delta;
    if (number > MAX_OPTION_NUMBER) return "option number above 65535";
    if (at + length > datagram.length) return "option value cut off";
    options.push(new Option(number, datagram, at, at + length));
    at += length;
  }
  return at;
}

/** Sorted by number, as the wire needs them; options of the same number keep their order. */
export function inOrder(options: readonly OutgoingOption[]): readonly OutgoingOption[] {
  for (let index = 1; index < options.length; index++) {
    if ((options[index - 1]?.number ?? 0) > (options[index]?.number ?? 0)) {
      return options.toSorted((a, b) => a.number - b.number);
    }
  }
  return options;
}

/** Bytes of options (in order), payload marker and payload. */
export function contentLength(options: readonly OutgoingOption[], payload: Uint8Array): number {
  let length = payload.length === 0 ? 0 : 1 + payload.length;
  let previous = 0;
  for (const { number, value } of options) {
    const bytes = valueLength(value);
    length += 1 + extensionLength(number - previous) + extensionLength(bytes) + bytes;
    previous = number;
  }
  return length;
}

/** Writes options (in order), payload marker and payload; the room is what `contentLength` says. */
export function writeContent(
  target: Buffer,
  start: number,
  options: readonly OutgoingOption[],
  payload: Uint8Array,
): void {
  let at = start;
  let previous = 0;
  for (const { number, value } of options) {
    at = writeOption(target, at, number - previous, value);
    previous = number;
  }
  if (payload.length > 0) {
    target[at] = PAYLOAD_MARKER;
    target.set(payload, at + 1);
  }
}

function writeOption(target: Buffer, start: number, delta: number, value: OutgoingOption["value"]): number {
  const length = valueLength(value);
  target[start] = (nibble(delta) << 4) | nibble(length);
  let at = writeExtension(target, start + 1, delta);
  at = writeExtension(target, at, length);
  if (length === 0) return at;
  if (typeof value === "number") return target.writeUIntBE(value, at, length);
  if (typeof value === "string") return at + target.write(value, at);
  target.set(value, at);
  return at + length;
}

function valueLength(value: OutgoingOption["value"]): number {
  if (typeof value === "number") return uintLength(value);
  return typeof value === "string" ? Buffer.byteLength(value) : value.length;
}

/** The 4-bit field of a delta or length (RFC 7252 §3.1). */
function nibble(number: number): number {
  if (number < 13) return number;
  return number < 269 ? 13 : 14;
}

function extensionLength(number: number): number {
  return Math.max(0, nibble(number) - 12);
}

function writeExtension(target: Buffer, at: number, number: number): number {
  if (number < 13) return at;
  if (number >= 269) return target.writeUInt16BE(number - 269, at);
  target[at] = number - 13;
  return at + 1;
}
