import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSerialLine } from "../../src/field/serial-line.js";
import { openTcpLine } from "../../src/field/tcp-line.js";
import { FrameTrace } from "../../src/field/trace.js";
import { FakeClock } from "../fakes/clock.js";

const forever = new AbortController().signal;

describe("a TCP line", () => {
  let server: Server;
  let port: number;
  const clock = new FakeClock();

  beforeEach(async () => {
    server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });

  afterEach(() => {
    server.close();
    expect(clock.pendingCount).toBe(0);
  });

  const open = (signal = forever) => openTcpLine({ host: "127.0.0.1", port, connectTimeoutMs: 1000 }, clock, signal);

  async function connected() {
    const [line, [socket]] = await Promise.all([open(), once(server, "connection") as Promise<[Socket]>]);
    return { line, socket };
  }

  it("carries bytes both ways", async () => {
    const { line, socket } = await connected();
    const heard = new Promise<string>((resolve) => line.listen((bytes) => resolve(Buffer.from(bytes).toString())));
    socket.write("hello");
    expect(await heard).toBe("hello");
    line.write(Buffer.from("there"));
    expect(String((await once(socket, "data"))[0])).toBe("there");
    await line[Symbol.asyncDispose]();
    expect(await line.closed).toMatchObject({ code: "LINK_CLOSED" });
    line.write(Buffer.from("dropped"));
  });

  it("notices FIN and RST though nobody writes", async () => {
    const ended = await connected();
    ended.socket.end();
    expect(await ended.line.closed).toMatchObject({ code: "LINK_CLOSED" });
    const reset = await connected();
    reset.socket.resetAndDestroy();
    expect(await reset.line.closed).toMatchObject({ code: "LINK_FAILED" });
  });

  it("says that a host refuses", async () => {
    server.close();
    await once(server, "close");
    await expect(open()).rejects.toMatchObject({ code: "LINK_REFUSED" });
  });

  it("gives up connecting when told", async () => {
    const abort = new AbortController();
    const opening = open(abort.signal);
    abort.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
  });
});

describe("a serial line", () => {
  const options = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 } as const;

  it("says that a port does not exist", async () => {
    await expect(openSerialLine({ ...options, path: "/dev/causeway-none" }, forever)).rejects.toMatchObject({
      code: "LINK_NOT_FOUND",
    });
  });

  it.each(["/dev/null", "/etc"])("says that %s is no serial port", async (path) => {
    await expect(openSerialLine({ ...options, path }, forever)).rejects.toMatchObject({
      code: "LINK_FAILED",
      message: `${path} is no serial port`,
    });
  });
});

describe("the trace of a link", () => {
  it("keeps the last frames, oldest first", () => {
    const clock = new FakeClock(5000);
    const trace = new FrameTrace(clock, 3);
    for (let index = 0; index < 5; index++)
      trace.add(index % 2 === 0 ? "out" : "in", Uint8Array.of(index), index === 4 ? "four" : undefined);
    expect(trace.frames()).toEqual([
      { number: 3, atMs: 5000, direction: "out", hex: "02" },
      { number: 4, atMs: 5000, direction: "in", hex: "03" },
      { number: 5, atMs: 5000, direction: "out", hex: "04", text: "four" },
    ]);
  });
});
