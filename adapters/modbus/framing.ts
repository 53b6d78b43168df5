import type { Request } from "./transport.js";

/** A PDU that answers a request, with how many bytes followed its frame. */
export interface Found {
  readonly pdu: Uint8Array;
  readonly surplus: number;
}

/** How PDUs stand on a serial line. */
export interface Framing {
  /** Characters of a frame besides those of its PDU. */
  readonly frameCharacters: number;
  readonly charactersPerByte: 1 | 2;
  /** For so long the rest of a frame may still come after it was interrupted. */
  readonly interruptedMs: number;
  encode(unit: number, pdu: Uint8Array): Uint8Array;
  /** Looks for the one frame that can be the answer, also behind noise. */
  find(request: Request, received: Uint8Array): Found | undefined;
  /** What remains without whole frames at the front that are not the answer: late ones, or those of another unit. */
  dropForeign(request: Request, received: Uint8Array): Uint8Array;
}
