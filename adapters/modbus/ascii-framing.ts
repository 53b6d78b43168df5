import { concatBytes, NO_BYTES } from "causeway/adapter";
import { answerProblem } from "./answer.js";
import type { Found, Framing } from "./framing.js";
import type { Request } from "./transport.js";

const COLON = 0x3a;
const CR = 0x0d;
const LF = 0x0a;
const HEX = "0123456789ABCDEF";
/** Colon, CR, LF, and two characters each for unit and checksum. */
const FRAME_CHARACTERS = 7;

/** What may pass between two characters of a frame (§2.5.2.1). */
const INTERRUPTED_MS = 1000;

/** Modbus over Serial Line V1.02 §2.5.2: a colon, each byte as two hexadecimal digits, LRC, CR LF. */
export const asciiFraming: Framing = {
  frameCharacters: FRAME_CHARACTERS,
  charactersPerByte: 2,
  interruptedMs: INTERRUPTED_MS,
  encode: asciiFrame,
  find,
  dropForeign,
};

/** The negative of the sum of all bytes, modulo 256 (§2.5.2.2, annex 6.2.1). */
export function lrc(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

export function asciiFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const content = concatBytes([Uint8Array.of(unit), pdu]);
  const checked = concatBytes([content, Uint8Array.of(lrc(content))]);
  const frame = new Uint8Array(2 * checked.length + 3);
  frame[0] = COLON;
  for (const [index, byte] of checked.entries()) {
    frame[1 + 2 * index] = HEX.charCodeAt(byte >> 4);
    frame[2 + 2 * index] = HEX.charCodeAt(byte & 15);
  }
  frame.set([CR, LF], frame.length - 2);
  return frame;
}

/** Unit and PDU of a frame from its colon to before its CR LF; undefined when it is damaged. */
export function asciiContent(characters: Uint8Array): Uint8Array | undefined {
  const text = String.fromCharCode(...characters.subarray(1));
  if (characters[0] !== COLON || text.length < 6 || !/^([0-9A-F]{2})+$/.test(text)) return undefined;
  const checked = Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return lrc(checked) === 0 ? checked.subarray(0, -1) : undefined;
}

function find(request: Request, received: Uint8Array): Found | undefined {
  for (const { content, end } of framesIn(received)) {
    if (isAnswer(request, content)) return { pdu: content.slice(1), surplus: received.length - end };
  }
  return undefined;
}

function dropForeign(request: Request, received: Uint8Array): Uint8Array {
  let rest = received;
  for (const { content, start, end } of framesIn(received)) {
    if (isAnswer(request, content) || start > received.length - rest.length) return rest;
    rest = received.subarray(end);
  }
  return rest.length === 0 ? NO_BYTES : rest;
}

function isAnswer(request: Request, content: Uint8Array): boolean {
  return content[0] === request.unit && answerProblem(request, content.subarray(1)) === undefined;
}

/** Undamaged frames in the order in which they came; a colon always begins one anew (§2.5.2.1). */
function* framesIn(received: Uint8Array): Generator<{ content: Uint8Array; start: number; end: number }> {
  for (let from = 0; ; ) {
    const lf = received.indexOf(LF, from);
    if (lf < 0) return;
    const start = received.lastIndexOf(COLON, lf);
    const isFrame = start >= from && received[lf - 1] === CR;
    const content = isFrame ? asciiContent(received.subarray(start, lf - 1)) : undefined;
    if (content !== undefined) yield { content, start, end: lf + 1 };
    from = lf + 1;
  }
}
