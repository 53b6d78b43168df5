import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openUdpLine } from "../../src/field/udp-line.js";

const forever = new AbortController().signal;
const HOST = "127.0.0.1";

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, HOST);
  await once(socket, "listening");
  return socket;
}

describe("a UDP line", () => {
  let peer: Socket;

  beforeEach(async () => {
    peer = await bound();
  });

  afterEach(() => {
    peer.close();
  });

  it("keeps datagrams apart, and hears nobody but its peer", async () => {
    const line = await openUdpLine({ host: HOST, port: peer.address().port }, forever);
    const heard: string[] = [];
    const both = new Promise<void>((resolve) =>
      line.listen((bytes) => {
        heard.push(Buffer.from(bytes).toString());
        if (heard.length === 2) resolve();
      }),
    );
    line.write(Buffer.from("hello"));
    const [message, { port }] = (await once(peer, "message")) as [Buffer, { port: number }];
    expect(String(message)).toBe("hello");
    const stranger = await bound();
    await new Promise((resolve) => stranger.send("from elsewhere", port, HOST, resolve));
    peer.send("one", port, HOST);
    peer.send("two", port, HOST);
    await both;
    expect(heard).toEqual(["one", "two"]);
    stranger.close();
    await line[Symbol.asyncDispose]();
    await line[Symbol.asyncDispose]();
    expect(await line.closed).toMatchObject({ code: "LINK_CLOSED" });
    line.write(Buffer.from("dropped"));
  });

  it("stays open when nobody listens there", async () => {
    const gone = await bound();
    const { port } = gone.address();
    gone.close();
    await once(gone, "close");
    const line = await openUdpLine({ host: HOST, port }, forever);
    line.write(Buffer.from("hello"));
    line.write(Buffer.from("hello"));
    const back = createSocket("udp4");
    back.bind(port, HOST);
    await once(back, "listening");
    line.write(Buffer.from("again"));
    expect(String((await once(back, "message"))[0])).toBe("again");
    back.close();
    await line[Symbol.asyncDispose]();
  });

  it("gives up when told", async () => {
    await expect(openUdpLine({ host: HOST, port: 1 }, AbortSignal.abort(new Error("enough")))).rejects.toThrow(
      "enough",
    );
  });
});
