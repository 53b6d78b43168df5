import { afterEach, describe, expect, it } from "vitest";
import { utf8Decode, utf8Encode } from "../../src/base/bytes.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Code } from "../../src/coap/code.js";
import { CoapEndpoint } from "../../src/coap/endpoint.js";
import type { CoapRequest, CoapResponse, IncomingRequest, RequestHandler } from "../../src/coap/request.js";
import { openUdp } from "../../src/coap/udp.js";
import { freeUdpPort, run, start } from "./coap-programs.js";

const CLIENT = "coap-client-notls";
const SERVER = "coap-server-notls";
const HOST = "127.0.0.1";
const LARGE = Uint8Array.from({ length: 5_000 }, (_, index) => 0x21 + (index % 90));
const never = new AbortController().signal;
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

async function open(handler: RequestHandler, port: number, localPort?: number): Promise<CoapEndpoint> {
  const transport = await openUdp({ host: HOST, port, ...(localPort === undefined ? {} : { localPort }) }, never);
  const endpoint = new CoapEndpoint(transport, handler, { clock: systemClock, log: silentLog, random: Math.random });
  opened.push(endpoint);
  return endpoint;
}

const get = (...path: string[]): CoapRequest => ({ method: "GET", path, query: [], payload: new Uint8Array(0) });

describe("coap-client asks us", () => {
  /** An endpoint is connected to one peer, so the client sends from a port that is known before. */
  async function ask(handler: RequestHandler, path: string, args: readonly string[], input?: Uint8Array) {
    const [clientPort, ourPort] = [await freeUdpPort(), await freeUdpPort()];
    const endpoint = await open(handler, clientPort, ourPort);
    const uri = `coap://${HOST}:${ourPort}/${path}`;
    return { endpoint, finished: run(CLIENT, ["-p", String(clientPort), "-B", "20", ...args, uri], input) };
  }

  const content = (payload: Uint8Array): CoapResponse => ({ code: Code.Content, contentFormat: 0, payload });

  it("GET", async () => {
    const { finished } = await ask((request) => content(utf8Encode(request.path.join("|"))), "3303/0/5700", []);
    expect((await finished).stdout.toString().trim()).toBe("3303|0|5700");
  });

  it("GET that takes longer than the acknowledgement may wait", async () => {
    const slow = async (): Promise<CoapResponse> => {
      await new Promise<void>((resolve) => systemClock.schedule(1_200, resolve));
      return content(utf8Encode("late"));
    };
    const { finished } = await ask(slow, "slow", ["-v", "7"]);
    const { stdout, stderr } = await finished;
    expect(stdout.toString()).toContain("late");
    expect(stderr + stdout.toString()).toMatch(/t:CON c:2\.05/);
  });

  it("non-confirmable GET", async () => {
    const { finished } = await ask(() => content(utf8Encode("non")), "x", ["-N"]);
    expect((await finished).stdout.toString().trim()).toBe("non");
  });

  it("GET without an answer in the tree", async () => {
    const { finished } = await ask(() => ({ code: Code.NotFound, payload: utf8Encode("nothing") }), "nowhere", []);
    const { stdout, stderr } = await finished;
    expect(stdout.toString() + stderr).toMatch(/4\.04 nothing/);
  });

  it.each(["16", "64", "1024"])("GET of 5000 bytes in blocks of %s", async (size) => {
    const { finished } = await ask(() => content(LARGE), "large", ["-b", size]);
    expect((await finished).stdout.subarray(0, LARGE.length)).toEqual(Buffer.from(LARGE));
  });

  it.each(["64", "512", "1024"])("PUT of 5000 bytes in blocks of %s", async (size) => {
    const bodies: IncomingRequest[] = [];
    const handler = (request: IncomingRequest): CoapResponse => {
      bodies.push(request);
      return { code: Code.Changed, payload: utf8Encode("stored") };
    };
    const { finished } = await ask(handler, "large", ["-m", "put", "-b", size, "-t", "42", "-f", "-"], LARGE);
    expect((await finished).stdout.toString().trim()).toBe("stored");
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatchObject({ method: "PUT", path: ["large"], contentFormat: 42 });
    expect(Buffer.from(bodies[0]?.payload ?? [])).toEqual(Buffer.from(LARGE));
  });

  it("FETCH with a large answer", async () => {
    const handler = (request: IncomingRequest): CoapResponse =>
      request.method === "FETCH" ? content(LARGE) : { code: Code.MethodNotAllowed, payload: new Uint8Array(0) };
    const { finished } = await ask(handler, "f", ["-m", "fetch", "-b", "256", "-t", "112", "-e", "filter"]);
    expect((await finished).stdout.subarray(0, LARGE.length)).toEqual(Buffer.from(LARGE));
  });

  it("observes; confirmable, non-confirmable and large notifications arrive", async () => {
    const small = (text: string, observe: number): CoapResponse => ({ ...content(utf8Encode(`${text};`)), observe });
    let onRegistered: (request: IncomingRequest) => void = () => undefined;
    const registered = new Promise<IncomingRequest>((resolve) => {
      onRegistered = resolve;
    });
    const { endpoint, finished } = await ask(
      (request) => {
        if (request.observe === 0) onRegistered(request);
        return small("first", 1);
      },
      "clock",
      ["-s", "3"],
    );
    const ended = finished.then(() => Promise.reject(new Error("coap-client ended before it observed")));
    const request = await Promise.race([registered, ended]);
    ended.catch(() => undefined);
    const { token } = request;
    const notification = { token, request };
    expect(await endpoint.notify({ ...notification, response: small("con", 2), delivery: "CON" })).toBe("acknowledged");
    expect(await endpoint.notify({ ...notification, response: small("non", 3), delivery: "NON" })).toBe("sent");
    const large = { ...content(LARGE), observe: 4 };
    expect(await endpoint.notify({ ...notification, response: large, delivery: "CON" })).toBe("acknowledged");
    const output = (await finished).stdout.toString();
    expect(output).toContain("first;");
    expect(output).toContain("con;");
    expect(output).toContain("non;");
    expect(output).toContain(Buffer.from(LARGE).toString());
  });
});

describe("we ask coap-server", () => {
  async function connect(...args: string[]): Promise<CoapEndpoint> {
    const port = await freeUdpPort();
    opened.push(await start(SERVER, ["-A", HOST, "-p", String(port), "-v", "7", ...args], /created UDP/));
    return open(() => undefined, port);
  }

  it("GET of text, of links and of a missing path", async () => {
    const endpoint = await connect();
    const time = await endpoint.request(get("time"), never);
    expect(time.code).toBe(Code.Content);
    expect(utf8Decode(time.payload)).toMatch(/^\w{3} \d\d /);
    expect((await endpoint.request(get("nowhere"), never)).code).toBe(Code.NotFound);
    const links = await endpoint.request(get(".well-known", "core"), never);
    expect(links.contentFormat).toBe(40);
  });

  it("waits for a separate response", async () => {
    const endpoint = await connect();
    const response = await endpoint.request({ ...get("async"), query: ["1"] }, never);
    expect(response.code).toBe(Code.Content);
    expect(utf8Decode(response.payload)).toBe("done");
  });

  it("PUT of 5000 bytes and GET of them", async () => {
    const endpoint = await connect("-d", "10", "-e");
    const put = await endpoint.request({ ...get("stored"), method: "PUT", payload: LARGE }, never);
    expect([Code.Created, Code.Changed]).toContain(put.code);
    const back = await endpoint.request(get("stored"), never);
    expect(back.code).toBe(Code.Content);
    expect(Buffer.from(back.payload)).toEqual(Buffer.from(LARGE));
  });

  it("PUT and GET while some of its datagrams are lost", async () => {
    const endpoint = await connect("-l", "2,8", "-d", "10");
    const put = await endpoint.request({ ...get("stored"), method: "PUT", payload: LARGE }, never);
    expect([Code.Created, Code.Changed]).toContain(put.code);
    const back = await endpoint.request(get("stored"), never);
    expect(Buffer.from(back.payload)).toEqual(Buffer.from(LARGE));
  });

  it("hears soon that nobody listens", async () => {
    const endpoint = await open(() => undefined, await freeUdpPort());
    await expect(endpoint.request(get("time"), never)).rejects.toMatchObject({ code: "COAP_UNREACHABLE" });
  });
});
