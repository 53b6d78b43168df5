import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CausewayError } from "../../src/base/errors.js";
import { openTlsLine, type TlsLineOptions } from "../../src/field/tcp-line.js";
import { FakeClock } from "../fakes/clock.js";

const forever = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), "causeway-tls-"));
const file = (name: string): string => join(folder, name);

/** A certificate that is its own authority, by the openssl program. */
function selfSigned(name: string, subject: string, days: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file(`${name}.key`)];
  const names = ["-subj", `/CN=${subject}`, "-addext", `subjectAltName=DNS:${subject}`];
  execFileSync("openssl", ["req", "-x509", ...key, ...names, "-days", days, "-out", file(`${name}.crt`)], {
    stdio: "pipe",
  });
}

describe("a TLS line", () => {
  const clock = new FakeClock();
  const servers: Server[] = [];

  beforeAll(() => {
    selfSigned("server", "plc.example", "2");
    selfSigned("client", "gateway.example", "2");
    writeFileSync(file("nonsense.pem"), "nothing");
  });

  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  async function serve(options: TlsOptions = {}): Promise<number> {
    const server = createServer({
      key: readFileSync(file("server.key")),
      cert: readFileSync(file("server.crt")),
      ...options,
    });
    servers.push(server);
    server.on("secureConnection", (socket) => socket.on("error", () => undefined).on("data", (b) => socket.write(b)));
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  const open = (port: number, options: Partial<TlsLineOptions>) =>
    openTlsLine({ host: "127.0.0.1", port, connectTimeoutMs: 1000, ...options }, clock, forever);

  it("carries bytes both ways to whom it can trust", async () => {
    const line = await open(await serve(), { ca: file("server.crt"), serverName: "plc.example" });
    const heard = new Promise<string>((resolve) => line.listen((bytes) => resolve(Buffer.from(bytes).toString())));
    line.write(Buffer.from("hello"));
    expect(await heard).toBe("hello");
    await line[Symbol.asyncDispose]();
    expect(clock.pendingCount).toBe(0);
  });

  it("shows its own certificate where one is asked for", async () => {
    const port = await serve({ requestCert: true, ca: readFileSync(file("client.crt")) });
    const own = { cert: file("client.crt"), key: file("client.key") };
    const line = await open(port, { ca: file("server.crt"), serverName: "plc.example", ...own });
    const heard = new Promise<string>((resolve) => line.listen((bytes) => resolve(Buffer.from(bytes).toString())));
    line.write(Buffer.from("hello"));
    expect(await heard).toBe("hello");
    await line[Symbol.asyncDispose]();
  });

  it("takes anybody when told so", async () => {
    const line = await open(await serve(), { verify: "none" });
    await line[Symbol.asyncDispose]();
    expect(await line.closed).toMatchObject({ code: "LINK_CLOSED" });
  });

  const refusals: readonly (readonly [string, Partial<TlsLineOptions>, RegExp])[] = [
    ["an authority that is not known", {}, /signed by itself; give it as 'ca'/],
    ["another name", { ca: file("server.crt") }, /names another host; give its name as 'serverName'/],
    ["a file that is not there", { ca: file("nowhere.crt") }, /'ca' cannot be read/],
    ["a file that is no certificate", { cert: file("nonsense.pem"), key: file("client.key") }, /no PEM file/],
  ];
  it.each(refusals)("says what is wrong: %s", async (_, options, message) => {
    const failure = (await open(await serve(), options).catch((error: unknown) => error)) as CausewayError;
    expect(failure).toMatchObject({ code: "LINK_CERTIFICATE", message: expect.stringMatching(message) });
  });

  it("says that our certificate is missing", async () => {
    const port = await serve({ requestCert: true, ca: readFileSync(file("client.crt")) });
    const refused = async (): Promise<unknown> => {
      const line = await open(port, { ca: file("server.crt"), serverName: "plc.example" });
      // With TLS 1.3 the refusal comes after the connection.
      return await line.closed;
    };
    expect(await refused().catch((error: unknown) => error)).toMatchObject({ code: "LINK_CERTIFICATE" });
  });

  it("says that what answers is no TLS", async () => {
    const plain = createPlainServer((socket) => socket.on("error", () => undefined).write("hello, who is there?\n"));
    plain.listen(0, "127.0.0.1");
    await once(plain, "listening");
    const port = (plain.address() as AddressInfo).port;
    await expect(open(port, {})).rejects.toMatchObject({
      code: "LINK_FAILED",
      message: expect.stringMatching(/no TLS/),
    });
    plain.close();
  });
});
