import type { Clock } from "../../src/base/clock.js";
import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";
import { random } from "./random.js";

export interface NetworkOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Share of the datagrams, 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  /** Each copy takes a time of its own between these, so datagrams overtake each other. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

interface NetworkTransport extends DatagramTransport {
  readonly deliver: (datagram: Uint8Array) => void;
}

/** A line between two transports that loses, doubles and reorders, reproducibly. */
export function networkPair(options: NetworkOptions): readonly [DatagramTransport, DatagramTransport] {
  const { next } = random(options.seed);
  const carry = (datagram: Uint8Array, deliver: (datagram: Uint8Array) => void): void => {
    const copies = next() < options.loss ? 0 : next() < options.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = options.minDelayMs + next() * (options.maxDelayMs - options.minDelayMs);
      const bytes = Uint8Array.from(datagram);
      options.clock.schedule(delayMs, () => deliver(bytes));
    }
  };
  const left: NetworkTransport = transport((datagram) => carry(datagram, right.deliver));
  const right: NetworkTransport = transport((datagram) => carry(datagram, left.deliver));
  return [left, right];
}

function transport(send: (datagram: Uint8Array) => void): NetworkTransport {
  let current: TransportListener | undefined;
  return {
    listen: (listener) => {
      current = listener;
    },
    send,
    deliver: (datagram) => current?.onDatagram(datagram),
    [Symbol.asyncDispose]: async () => {
      current = undefined;
    },
  };
}
