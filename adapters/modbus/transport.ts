import type { TracedFrame } from "causeway/adapter";
import type { RegisterBytes } from "./register-bytes.js";

export interface Request {
  readonly unit: number;
  /** Function code and data. */
  readonly pdu: Uint8Array;
  readonly responseTimeoutMs: number;
  /** Of each register that is read; 2 unless given. */
  readonly registerBytes?: RegisterBytes;
  /** Pause that the station wants before the request. */
  readonly gapMs: number;
}

/** Carries one request at a time to its own answer, or to none. */
export interface Transport extends AsyncDisposable {
  /** On a serial line unit 0 is every station, and none answers; on TCP it is one like the others. */
  readonly unitZero: "broadcast" | "station";
  /** Settles when the line below is gone, with the reason; never rejects. */
  readonly closed: Promise<Error>;
  /**
   * The PDU of the answer: of the same unit and function, of the right length, for a write of the same content; or of
   * an exception. Rejects with FIELD_TIMEOUT, FIELD_GARBLED, LINK_* or the signal's reason.
   */
  exchange(request: Request, signal: AbortSignal): Promise<Uint8Array>;
  /** What answers take besides their characters; undefined where nobody asks, or before the first. */
  readonly latencyMs?: number | undefined;
  trace(): readonly TracedFrame[];
}
