import { once } from "node:events";
import { createServer, request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatHostPort, type HostPort, parseHostPort } from "../../src/base/host-port.js";
import { createLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { runCli } from "../../src/cli/cli.js";
import { openLocal } from "../../src/local/server.js";
import { type Reason, Why } from "../../src/lwm2m/why.js";
import { FakeClock } from "../fakes/clock.js";
import { NOW_MS, SOURCE } from "./source.js";

const REFUSAL: Reason = { what: "refusal", request: "PUT /3/0/0", code: "4.05", because: "/3/0/0 cannot be written" };
const ORIGIN = { endpoint: "gw", server: 1 };

let scope: Scope;
let why: Why;
let log: string[];
let clock: FakeClock;
beforeEach(() => {
  log = [];
  why = new Why();
  clock = new FakeClock(NOW_MS);
  scope = new Scope((error) => log.push(String(error)));
});
afterEach(() => scope[Symbol.asyncDispose]());

/** Gives the URL, once it listens. */
async function open(listen: HostPort = { host: "127.0.0.1", port: 0 }): Promise<string> {
  const options = { listen, why, clock, log: createLog("info", (line) => log.push(line)), status: async () => SOURCE };
  const address = await new Promise<HostPort>((resolve) => openLocal(options, scope, resolve));
  return `http://${formatHostPort(address)}`;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(url: string, method = "GET", headers: Record<string, string> = {}): Promise<Answer> {
  const message = request(url, { method, headers }).end();
  const [response] = await once(message, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
}

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Ends when `enough` says so of the lines, or by itself. */
async function cli(words: readonly string[], enough: (out: readonly string[]) => boolean = () => false): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const stop = new AbortController();
  const code = await runCli(words, {
    out: (line) => {
      out.push(line);
      if (enough(out)) stop.abort(new Error("enough"));
    },
    err: (line) => err.push(line),
    terminal: "pipe",
    environment: {},
    signal: stop.signal,
    onReload: () => undefined,
  });
  return { code, out, err };
}

describe("GET /status", () => {
  it("tells of servers, buses, devices and outbox in JSON", async () => {
    const { status, body } = await ask(`${await open()}/status`);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      program: "causeway",
      nowMs: NOW_MS,
      startedAtMs: NOW_MS,
      endpoints: SOURCE.endpoints,
      buses: [{ medium: "/dev/ttyS0", faults: { timeout: 2 } }],
      devices: [
        {
          name: "meter",
          health: "online",
          points: [
            { name: "energy", quality: "good", value: "1152921504606846976" },
            { name: "raw", value: "01ff" },
            { name: "power", quality: "exception", reason: "exception 2" },
          ],
        },
      ],
      outbox: { buffered: 3 },
    });
  });

  it.each<[string, string, string, Record<string, string>, number]>([
    ["another method", "/status", "POST", {}, 405],
    ["another path", "/config", "GET", {}, 404],
    ["the name of a page that leads here", "/status", "GET", { Host: "attacker.example:8474" }, 421],
    ["localhost", "/status", "GET", { Host: "localhost:8474" }, 200],
    ["an IPv6 address", "/status", "GET", { Host: "[::1]:8474" }, 200],
  ])("%s", async (_, path, method, headers, code) => {
    expect((await ask((await open()) + path, method, headers)).status).toBe(code);
  });
});

describe("trace", () => {
  it("shows the last frames of a bus, by link or medium", async () => {
    const url = await open();
    expect(await cli(["trace", "hall", "--url", url])).toEqual({
      code: 0,
      out: ["23:59:59.600 hall -> 07 04 00 00 00 01", "23:59:59.620 hall <- 07 84 02", "00:00:00.000 hall <- a word"],
      err: [],
    });
    expect(
      (await cli(["trace", "/dev/ttyS0", "--url", url, "--json"])).out.map((line) => JSON.parse(line)),
    ).toMatchObject([
      { links: ["hall"], number: 7 },
      { number: 8, hex: "078402" },
      { number: 9, text: "a word" },
    ]);
  });

  it("goes on with new frames only", async () => {
    const url = await open();
    const { code, out } = await cli(["trace", "--url", url, "--follow"], (lines) => lines.length === 3);
    expect({ code, count: out.length }).toEqual({ code: 0, count: 3 });
  });

  it("knows the buses", async () => {
    const { code, err } = await cli(["trace", "cellar", "--url", await open()]);
    expect({ code, err: err[0] }).toEqual({ code: 2, err: "USAGE: no bus 'cellar' (links: hall)" });
  });
});

describe("an address that is taken", () => {
  it("is logged once, does no harm, and is tried again", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const opened = open({ host: "127.0.0.1", port });
    while (log.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.parse(log[0] ?? "")).toMatchObject({
      msg: "the status API is not available",
      code: "LOCAL_UNAVAILABLE",
    });
    other.close();
    await once(other, "close");
    await clock.advance(30_000);
    expect((await ask(`${await opened}/status`)).status).toBe(200);
    expect(log).toHaveLength(2);
  });
});

describe("GET /events", () => {
  it("costs nothing while nobody reads, and ends with the gateway", async () => {
    const url = await open();
    expect(why.of(ORIGIN).note).toBeUndefined();
    const read = cli(["status", "--url", url, "--watch"]);
    while (why.of(ORIGIN).note === undefined) await new Promise((resolve) => setImmediate(resolve));
    why.of(ORIGIN).note?.(REFUSAL);
    await scope[Symbol.asyncDispose]();
    const { code, out, err } = await read;
    expect(out).toEqual(["2026-01-01T00:00:00.000Z gw server 1: PUT /3/0/0: 4.05, /3/0/0 cannot be written"]);
    expect({ code, err: err[0] }).toEqual({ code: 4, err: expect.stringContaining("LOCAL_UNREACHABLE") });
    expect(why.of(ORIGIN).note).toBeUndefined();
  });

  it("gives each decision as JSON", async () => {
    const url = await open();
    const read = cli(["status", "--url", url, "--watch", "--json"], (out) => out.length === 1);
    while (why.of(ORIGIN).note === undefined) await new Promise((resolve) => setImmediate(resolve));
    why.of(ORIGIN).note?.(REFUSAL);
    const { code, out } = await read;
    expect(JSON.parse(out[0] ?? "")).toEqual({ atMs: NOW_MS, ...ORIGIN, ...REFUSAL });
    expect(code).toBe(0);
  });

  it("is not blocked by a reader that does not read; it is told what it missed", async () => {
    const url = await open();
    const message = request(`${url}/events`).end();
    const [response] = await once(message, "response");
    response.pause();
    while (why.of(ORIGIN).note === undefined) await new Promise((resolve) => setImmediate(resolve));
    const long = { ...REFUSAL, because: "x".repeat(10_000) };
    for (let index = 0; index < 2000; index++) why.of(ORIGIN).note?.(long);
    let text = "";
    response.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    response.resume();
    while (!text.includes("event: missed")) {
      why.of(ORIGIN).note?.(REFUSAL);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(text.length).toBeLessThan(10_000_000);
    message.destroy();
  });

  it("takes four readers, and no fifth", async () => {
    const url = await open();
    const readers = Array.from({ length: 4 }, () => request(`${url}/events`).end());
    for (const reader of readers) await once(reader, "response");
    expect((await ask(`${url}/events`)).status).toBe(503);
    for (const reader of readers) reader.destroy();
  });
});

describe("causeway status", () => {
  it("prints tables", async () => {
    const { code, out } = await cli(["status", "--url", await open()]);
    expect(code).toBe(0);
    expect(
      out
        .join("\n")
        .replace(/ +/g, " ")
        .replace(/causeway [^ ]+,/, "causeway,"),
    ).toBe(`urn:dev:os:32473-1, causeway, up 0.0s

ENDPOINT SERVER URI STATE LWM2M OBSERVES FOR ACKNOWLEDGED NOTE
urn:dev:os:32473-1 1 coap://192.0.2.1 waiting - 0 - - after COAP_TIMEOUT, next in 1m 1s

BUS MEDIUM STATE FOR LOAD EXCHANGES FAULTS QUEUED NOTE
hall /dev/ttyS0 up 1d 1h 25 % 12 2 timeout 0

DEVICE LINK HEALTH FOR LAST VALUE POINTS SKIPPED NOTE
meter hall online 5.0s 0.4s ago 2 good, 1 exception 0 power: exception 2

outbox: 4 samples wait, the oldest 1h 1m old; 5 delivered later, 0 given up`);
  });

  it("exits 4 when no gateway runs, 2 for a URL that is none", async () => {
    const url = await open();
    await scope[Symbol.asyncDispose]();
    const { code, err } = await cli(["status", "--url", url]);
    expect({ code, err }).toEqual({
      code: 4,
      err: [expect.stringContaining("LOCAL_UNREACHABLE"), expect.stringContaining("Start the gateway")],
    });
    expect((await cli(["status", "--url", "127.0.0.1"])).code).toBe(2);
  });
});

describe("HOST:PORT", () => {
  it.each([
    ["127.0.0.1:8474", { host: "127.0.0.1", port: 8474 }],
    ["[::1]:0", { host: "::1", port: 0 }],
    ["gateway.local:80", { host: "gateway.local", port: 80 }],
    ["8474", undefined],
    ["::1:80", undefined],
    ["a:65536", undefined],
    [":80", undefined],
  ])("%s", (text, address) => {
    expect(parseHostPort(text)).toEqual(address);
    if (address !== undefined) expect(formatHostPort(address)).toBe(text);
  });
});
