import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { utf8Encode } from "../../src/base/bytes.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import { openUdp, type UdpTransport } from "../../src/coap/udp.js";
import { content, get, NEVER } from "../fakes/coap-peer.js";

/** 127.0.0.1, and ::1 where the machine has IPv6. */
const LOOPBACK = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ internal, address }) => internal && !address.startsWith("fe80"))
  .map(({ address }) => address);
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0)) await resource[Symbol.asyncDispose]();
});

async function socketOn(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  opened.push({
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  });
  return socket;
}

async function transportTo(host: string, port: number, localPort?: number): Promise<UdpTransport> {
  const transport = await openUdp({ host, port, ...(localPort === undefined ? {} : { localPort }) }, NEVER);
  opened.push(transport);
  return transport;
}

/** Resolves with the first datagram; what else the transport brings is an error. */
function firstDatagram(transport: UdpTransport): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    transport.listen({ onDatagram: resolve, onUnreachable: reject, onClosed: reject });
  });
}

describe("a UDP transport", () => {
  it.each([...LOOPBACK, "localhost"])("carries datagrams to %s and back", async (host) => {
    const { address } = await lookup(host);
    const peer = await socketOn(address);
    const transport = await transportTo(host, peer.address().port);
    const answered = firstDatagram(transport);
    peer.on("message", (datagram, { port }) => peer.send(datagram, port, address));
    transport.send(utf8Encode("round"));
    expect(Buffer.from(await answered).toString()).toBe("round");
  });

  it("drops what strangers send", async () => {
    const peer = await socketOn("127.0.0.1");
    const stranger = await socketOn("127.0.0.1");
    const transport = await transportTo("127.0.0.1", peer.address().port);
    const heard = firstDatagram(transport);
    stranger.send("stranger", transport.localPort, "127.0.0.1", () =>
      peer.send("peer", transport.localPort, "127.0.0.1"),
    );
    expect(Buffer.from(await heard).toString()).toBe("peer");
  });

  it("delivers what was sent right before the close", async () => {
    const peer = await socketOn("127.0.0.1");
    const transport = await transportTo("127.0.0.1", peer.address().port);
    const received = once(peer, "message");
    transport.send(utf8Encode("good bye"));
    await transport[Symbol.asyncDispose]();
    transport.send(utf8Encode("too late"));
    expect(String((await received)[0])).toBe("good bye");
  });

  it("tells that nobody listens, and goes on", async () => {
    const peer = await socketOn("127.0.0.1");
    const { port } = peer.address();
    await opened.pop()?.[Symbol.asyncDispose]();
    const transport = await transportTo("127.0.0.1", port);
    const unreachable = new Promise<Error>((resolve) => {
      transport.listen({ onDatagram: () => undefined, onUnreachable: resolve, onClosed: () => undefined });
    });
    transport.send(utf8Encode("anybody?"));
    expect(await unreachable).toMatchObject({ code: "ECONNREFUSED" });
    transport.send(utf8Encode("still open"));
  });

  it("tells that it was closed", async () => {
    const peer = await socketOn("127.0.0.1");
    const transport = await transportTo("127.0.0.1", peer.address().port);
    const closed = firstDatagram(transport);
    await transport[Symbol.asyncDispose]();
    await expect(closed).rejects.toMatchObject({ code: "COAP_CLOSED" });
  });

  it("has another local port when the one that it would have is taken", async () => {
    const { port } = (await socketOn("0.0.0.0")).address();
    const transport = await transportTo("127.0.0.1", port, port);
    expect(transport.localPort).not.toBe(port);
  });

  it("is not opened when the name is unknown or the signal aborted", async () => {
    const { port } = (await socketOn("0.0.0.0")).address();
    await expect(openUdp({ host: "not..a.name", port }, NEVER)).rejects.toMatchObject({ code: "COAP_SOCKET" });
    await expect(openUdp({ host: "127.0.0.1", port }, AbortSignal.abort("no"))).rejects.toBe("no");
  });

  it("carries two endpoints", async () => {
    const options = { clock: systemClock, log: silentLog, random: Math.random };
    const left = await socketOn("127.0.0.1");
    const leftPort = left.address().port;
    await opened.pop()?.[Symbol.asyncDispose]();
    const rightTransport = await transportTo("127.0.0.1", leftPort);
    const leftTransport = await transportTo("127.0.0.1", rightTransport.localPort, leftPort);
    const right = new CoapEndpoint(rightTransport, (request) => content(utf8Encode(request.path.join("/"))), options);
    const client = new CoapEndpoint(leftTransport, () => undefined, options);
    const response = await client.request(get("3", "0"), NEVER);
    expect(Buffer.from(response.payload).toString()).toBe("3/0");
    await client[Symbol.asyncDispose]();
    await right[Symbol.asyncDispose]();
  });
});
