import { answerProblem, expectedLength } from "./answer.js";
import { hasGoodCrc, rtuFrame } from "./crc.js";
import type { Found, Framing } from "./framing.js";
import type { Request } from "./transport.js";

/** Unit and checksum. */
const FRAME_OVERHEAD = 3;

/** No frame has such gaps (§2.5.1.1); converters and operating systems make them. */
const INTERRUPTED_MS = 250;

/** Modbus over Serial Line V1.02 §2.5.1: frames without marks, told apart by silence and checksum. */
export const rtuFraming: Framing = {
  frameCharacters: FRAME_OVERHEAD,
  charactersPerByte: 1,
  interruptedMs: INTERRUPTED_MS,
  encode: rtuFrame,
  find,
  dropForeign,
};

function find(request: Request, received: Uint8Array): Found | undefined {
  for (let start = 0; start + FRAME_OVERHEAD < received.length; start++) {
    if (received[start] !== request.unit) continue;
    const length = expectedLength(request, received.subarray(start + 1));
    if (length === undefined || length === "more") continue;
    const end = start + length + FRAME_OVERHEAD;
    if (end > received.length || !hasGoodCrc(received, start, end)) continue;
    const pdu = received.subarray(start + 1, end - 2);
    if (answerProblem(request, pdu) === undefined) return { pdu, surplus: received.length - end };
  }
  return undefined;
}

function dropForeign(request: Request, received: Uint8Array): Uint8Array {
  for (let rest = received; ; ) {
    const length = frameLength(rest);
    if (length === undefined || rest.length < length || !hasGoodCrc(rest, 0, length)) return rest;
    const pdu = rest.subarray(1, length - 2);
    if (rest[0] === request.unit && answerProblem(request, pdu) === undefined) return rest;
    rest = rest.subarray(length);
  }
}

/** Length of an answer of any unit that starts here, as far as its first bytes tell. */
function frameLength(received: Uint8Array): number | undefined {
  const [, code, byteCount] = received;
  if (code === undefined || byteCount === undefined) return undefined;
  if (code >= 0x80) return 5;
  if ((code >= 1 && code <= 4) || code === 17 || code === 23) return FRAME_OVERHEAD + 2 + byteCount;
  if (code === 22) return FRAME_OVERHEAD + 7;
  return code === 5 || code === 6 || code === 15 || code === 16 ? FRAME_OVERHEAD + 5 : undefined;
}
