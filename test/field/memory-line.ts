import { CausewayError } from "../../src/base/errors.js";
import type { Line } from "../../src/field/line.js";

/** A line without hardware: what is written goes to `onWrite`, what `deliver` gets comes in. */
export class MemoryLine implements Line {
  readonly closed: Promise<CausewayError>;
  readonly written: Uint8Array[] = [];
  onWrite: (bytes: Uint8Array) => void = () => undefined;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #close: (reason: CausewayError) => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  listen(receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes.slice());
    this.onWrite(bytes);
  }

  deliver(bytes: Uint8Array): void {
    this.#receive(bytes);
  }

  break(reason = new CausewayError("LINK_FAILED", "unplugged")): void {
    this.#close(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new CausewayError("LINK_CLOSED", "closed"));
  }
}
