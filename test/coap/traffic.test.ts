import { expect, it } from "vitest";
import { countTraffic, TrafficCounter } from "../../src/coap/traffic.js";
import type { DatagramTransport, TransportListener } from "../../src/coap/transport.js";

/** A wire that keeps what was sent and brings what the test says. */
class Wire implements DatagramTransport {
  readonly sent: Uint8Array[] = [];
  listener: TransportListener | undefined;
  closed = 0;

  listen(listener: TransportListener): void {
    this.listener = listener;
  }

  send(datagram: Uint8Array): void {
    this.sent.push(datagram);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed++;
  }
}

function wired(family: "IPv4" | "IPv6") {
  const wire = new Wire();
  const counter = new TrafficCounter();
  const transport = countTraffic(wire, family, counter);
  const heard: unknown[] = [];
  transport.listen({
    onDatagram: (datagram) => heard.push(datagram),
    onUnreachable: (reason) => heard.push(reason.message),
    onClosed: (reason) => heard.push(reason.message),
  });
  return { wire, counter, transport, heard };
}

it.each([
  ["IPv4", { sentBytes: 38, receivedBytes: 33, messages: 2, longestBytes: 38 }],
  ["IPv6", { sentBytes: 58, receivedBytes: 53, messages: 2, longestBytes: 58 }],
] as const)("counts datagrams with the headers of UDP and %s", (family, expected) => {
  const { wire, counter, transport } = wired(family);
  counter.start();
  transport.send(new Uint8Array(10));
  wire.listener?.onDatagram(new Uint8Array(5));
  expect(counter.traffic).toEqual(expected);
});

it("counts between start and stop only, and begins at zero each time", () => {
  const { counter, transport } = wired("IPv4");
  transport.send(new Uint8Array(10));
  expect(counter.traffic.messages).toBe(0);
  counter.start();
  transport.send(new Uint8Array(10));
  counter.stop();
  transport.send(new Uint8Array(100));
  expect(counter.traffic).toEqual({ sentBytes: 38, receivedBytes: 0, messages: 1, longestBytes: 38 });
  counter.start();
  expect(counter.traffic).toEqual({ sentBytes: 0, receivedBytes: 0, messages: 0, longestBytes: 0 });
});

it("passes everything on", async () => {
  const { wire, transport, heard } = wired("IPv4");
  const datagram = Uint8Array.of(1, 2, 3);
  transport.send(datagram);
  wire.listener?.onDatagram(datagram);
  wire.listener?.onUnreachable(new Error("unreachable"));
  wire.listener?.onClosed(new Error("closed"));
  await transport[Symbol.asyncDispose]();
  expect(wire.sent).toEqual([datagram]);
  expect(heard).toEqual([datagram, "unreachable", "closed"]);
  expect(wire.closed).toBe(1);
});
