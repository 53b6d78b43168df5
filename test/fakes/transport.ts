import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";

/** A transport in the test's hands: keeps what was sent, delivers what the test says. */
export class FakeTransport implements DatagramTransport {
  readonly sent: Uint8Array[] = [];
  isDisposed = false;
  #listener: TransportListener | undefined;

  listen(listener: TransportListener): void {
    this.#listener = listener;
  }

  send(datagram: Uint8Array): void {
    this.sent.push(datagram);
  }

  /** What was sent since the last call. */
  take(): Uint8Array[] {
    return this.sent.splice(0);
  }

  receive(datagram: Uint8Array): void {
    this.#listener?.onDatagram(datagram);
  }

  unreachable(): void {
    this.#listener?.onUnreachable(new Error("ECONNREFUSED"));
  }

  close(reason: Error): void {
    this.#listener?.onClosed(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}
