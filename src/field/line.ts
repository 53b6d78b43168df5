import type { CausewayError } from "../base/errors.js";

/** An open stream of bytes to the field: a serial port or a TCP session. A closed line is never opened again. */
export interface Line extends AsyncDisposable {
  /** Settles when the line is gone, with the reason (LINK_CLOSED when it was disposed of); never rejects. */
  readonly closed: Promise<CausewayError>;
  /** Who hears the bytes; one listener, what comes before it is lost. The bytes are valid only during the call. */
  listen(receive: (bytes: Uint8Array) => void): void;
  /** Hands bytes to the operating system; on a closed line they are dropped, `closed` tells. */
  write(bytes: Uint8Array): void;
  /**
   * Of a serial port only: what was written goes out at the present rate before it changes. Rejects with LINK_FAILED;
   * does nothing on a closed line.
   */
  setBaudRate?(baudRate: number): Promise<void>;
}
