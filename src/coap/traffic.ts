import type { DatagramTransport, TransportListener } from "./transport.js";

/** What went over the wire, headers of UDP and IP included, while it was counted. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly messages: number;
  readonly longestBytes: number;
}

/** Bytes that UDP and IP put before a datagram's payload (RFC 768, RFC 791 without options, RFC 8200). */
const HEADER_BYTES = { IPv4: 28, IPv6: 48 } as const;

/** Counts the datagrams of any number of transports, from `start` to `stop`. */
export class TrafficCounter {
  #isCounting = false;
  #sentBytes = 0;
  #receivedBytes = 0;
  #messages = 0;
  #longestBytes = 0;

  get isCounting(): boolean {
    return this.#isCounting;
  }

  get traffic(): Traffic {
    return {
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      messages: this.#messages,
      longestBytes: this.#longestBytes,
    };
  }

  /** Begins at zero. */
  start(): void {
    this.#sentBytes = 0;
    this.#receivedBytes = 0;
    this.#messages = 0;
    this.#longestBytes = 0;
    this.#isCounting = true;
  }

  /** What was counted stays. */
  stop(): void {
    this.#isCounting = false;
  }

  sent(bytes: number): void {
    if (!this.#isCounting) return;
    this.#sentBytes += bytes;
    this.#count(bytes);
  }

  received(bytes: number): void {
    if (!this.#isCounting) return;
    this.#receivedBytes += bytes;
    this.#count(bytes);
  }

  #count(bytes: number): void {
    this.#messages++;
    if (bytes > this.#longestBytes) this.#longestBytes = bytes;
  }
}

/** The transport, with all that it carries told to the counter. */
export function countTraffic(
  transport: DatagramTransport,
  family: keyof typeof HEADER_BYTES,
  counter: TrafficCounter,
): DatagramTransport {
  return new CountedTransport(transport, HEADER_BYTES[family], counter);
}

class CountedTransport implements DatagramTransport, TransportListener {
  readonly #transport: DatagramTransport;
  readonly #headerBytes: number;
  readonly #counter: TrafficCounter;
  #listener: TransportListener | undefined;

  constructor(transport: DatagramTransport, headerBytes: number, counter: TrafficCounter) {
    this.#transport = transport;
    this.#headerBytes = headerBytes;
    this.#counter = counter;
  }

  get localAddress(): string | undefined {
    return this.#transport.localAddress;
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    this.#transport.listen(this);
  }

  send(datagram: Uint8Array): void {
    this.#counter.sent(this.#headerBytes + datagram.length);
    this.#transport.send(datagram);
  }

  onDatagram(datagram: Uint8Array): void {
    this.#counter.received(this.#headerBytes + datagram.length);
    this.#listener?.onDatagram(datagram);
  }

  onUnreachable(reason: Error): void {
    this.#listener?.onUnreachable(reason);
  }

  onClosed(reason: Error): void {
    this.#listener?.onClosed(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}
