import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NamedBroker, nameBroker, OF_FILE, openPlant, SENML_JSON, TEXT } from "./fakes/mqtt-plant.js";

/** What the gateway's file might say. */
const SECRET = ["$", "{env:MQTT_PASSWORD}"].join("");

describe("object 18830, MQTT Broker", () => {
  it("shows the brokers of the file, but not who the gateway is there", async () => {
    const plant = await openPlant({ link: { clientId: "gw1", clean: false, username: "gw", password: "open sesame" } });
    const { ask, rig } = plant;
    const read = async (id: number): Promise<string> => await ask("GET", `${OF_FILE}/${id}`);
    expect(await read(0)).toBe(`2.05 mqtt://127.0.0.1:${rig.broker.port}`);
    expect([await read(1), await read(2), await read(3), await read(6)]).toEqual(
      ["gw1", "0", "30", "3"].map((value) => `2.05 ${value}`),
    );
    expect([await read(4), await read(5)]).toEqual(["4.04", "4.04"]);
  });

  it.each(["file", "servers"] as const)("of the file is not for servers to change (%s)", async (source) => {
    const { ask } = await openPlant({ source });
    expect(await ask("PUT", `${OF_FILE}/0`, { contentFormat: TEXT, payload: "mqtt://192.0.2.1" })).toBe("4.05");
    expect(await ask("DELETE", OF_FILE)).toBe("4.05");
    expect(await ask("GET", `${OF_FILE}/3`)).toBe("2.05 30");
  });

  it("cannot be made by servers where the file alone says which there are", async () => {
    const plant = await openPlant({ source: "file" });
    expect(await nameBroker(plant, { uri: "mqtt://192.0.2.1" })).toBe("4.05");
  });

  it("that a server makes is connected to as it says, and left when the server deletes it", async () => {
    const plant = await openPlant();
    const { rig, connects, ask } = plant;
    const uri = `mqtt://127.0.0.1:${rig.broker.port}`;
    expect(await nameBroker(plant, { uri, user: "reports", password: "hush" })).toBe("2.01 /18830/0");
    await rig.until(() => connects.length === 2);
    expect(connects[1]).toMatchObject({ clientId: "gw1-reports", clean: true, keepalive: 60, username: "reports" });
    expect(String(connects[1]?.password)).toBe("hush");
    expect(rig.field?.status().buses.map(({ links }) => links)).toEqual([["hall"], ["/18830/0"]]);
    expect(await ask("DELETE", "/18830/0")).toBe("2.02");
    await rig.until(() => rig.field?.status().buses.length === 1);
  });

  it("that a server changes is connected to anew", async () => {
    const plant = await openPlant();
    const { rig, connects, ask } = plant;
    await nameBroker(plant, { uri: `mqtt://127.0.0.1:${rig.broker.port}` });
    await rig.until(() => connects.length === 2);
    expect(await ask("PUT", "/18830/0/1", { contentFormat: TEXT, payload: "gw1-b" })).toBe("2.04");
    await rig.until(() => connects.length === 3);
    expect(connects[2]?.clientId).toBe("gw1-b");
    await rig.until(() => rig.field?.status().buses[1]?.state === "up");
  });

  it("a server's password never stands for a secret of the gateway", async () => {
    const plant = await openPlant();
    const { rig, connects } = plant;
    const uri = `mqtt://127.0.0.1:${rig.broker.port}`;
    await nameBroker(plant, { uri, user: "reports", password: SECRET });
    await rig.until(() => connects.length === 2);
    expect(String(connects[1]?.password)).toBe(SECRET);
  });

  it.each<[string, NamedBroker]>([
    ["a URI of something else", { uri: "http://192.0.2.1" }],
    ["no Keep Alive", { uri: "mqtt://192.0.2.1", keepAlive: 0 }],
    ["a pre-shared key, which MQTT has not", { uri: "mqtts://192.0.2.1", mode: 0 }],
    ["a use of the certificate that is not known", { uri: "mqtts://192.0.2.1", mode: 2, usage: 0 }],
  ])("refuses %s", async (_, broker) => {
    const plant = await openPlant();
    expect(await nameBroker(plant, broker)).toBe("4.00");
    expect(await plant.ask("GET", "/18830/0")).toBe("4.04");
  });

  it.each<[string, NamedBroker, string]>([
    ["the URI has a user", { uri: "mqtt://a:b@192.0.2.1" }, "must not have a user"],
    ["URI and Security Mode differ", { uri: "mqtts://192.0.2.1" }, "needs Security Mode 2"],
  ])("%s: the log says why it is not used", async (_, broker, why) => {
    const plant = await openPlant();
    expect(await nameBroker(plant, broker)).toBe("2.01 /18830/0");
    expect(plant.log).toMatchObject([{ path: "/18830/0", why: expect.stringContaining(why) }]);
  });

  it("leaves the numbers of the file's brokers to the file, and has an end", async () => {
    const plant = await openPlant();
    const create = (id: number): Promise<string> =>
      plant.ask("POST", "/18830", {
        contentFormat: SENML_JSON,
        payload: JSON.stringify([
          { bn: `/18830/${id}/`, n: "0", vs: "mqtt://127.0.0.1:1" },
          { n: "1", vs: `c${id}` },
          { n: "2", vb: true },
          { n: "3", v: 60 },
          { n: "6", v: 3 },
        ]),
      });
    expect(await create(60_001)).toBe("4.00");
    for (let id = 0; id < 8; id++) expect(await create(id)).toBe(`2.01 /18830/${id}`);
    expect(await create(8)).toBe("4.00");
  });
});

describe("a broker of servers with certificates", () => {
  const folder = mkdtempSync(join(tmpdir(), "causeway-mqtt-"));
  const file = (name: string): string => join(folder, name);
  const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(file(name)));
  const servers: Server[] = [];

  beforeAll(() => {
    const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { stdio: "pipe" });
    for (const name of ["broker", "gateway"]) {
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file(`${name}.key`)];
      const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
      openssl("req", "-x509", ...key, ...names, "-out", file(`${name}.crt`));
      openssl("x509", "-in", file(`${name}.crt`), "-outform", "DER", "-out", file(`${name}.der`));
    }
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", file("gateway.key"), "-outform", "DER", "-out", file("pkcs8.der"));
    openssl("ec", "-in", file("gateway.key"), "-outform", "DER", "-out", file("sec1.der"));
  });

  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  /** TLS before the broker, which lets in nobody but the gateway. */
  async function guard(brokerPort: number): Promise<number> {
    const [cert, key, ca] = ["broker.crt", "broker.key", "gateway.crt"].map((name) => readFileSync(file(name)));
    const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
    servers.push(server);
    server.on("tlsClientError", () => undefined);
    server.on("secureConnection", (socket) => {
      const inner = connect(brokerPort, "127.0.0.1");
      for (const side of [inner, socket]) side.on("error", () => undefined);
      socket.pipe(inner).pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  it.each(["pkcs8.der", "sec1.der"])("is connected to when both trust each other (key: %s)", async (key) => {
    const plant = await openPlant();
    const { rig, connects, tree } = plant;
    const uri = `mqtts://127.0.0.1:${await guard(rig.broker.port)}`;
    await nameBroker(plant, {
      uri,
      mode: 2,
      usage: 3,
      certificates: { broker: bytesOf("broker.der"), own: bytesOf("gateway.der"), key: bytesOf(key) },
    });
    await rig.until(() => connects.length === 2);
    expect(connects[1]?.clientId).toBe("gw1-reports");
    expect(await plant.ask("GET", "/18830/0/9")).toBe("4.05");
    expect(tree.resource(18830, 0, 9)).toBeDefined();
  });

  it("is not connected to with another certificate, and the log names no key", async () => {
    const plant = await openPlant();
    const { rig, connects } = plant;
    const uri = `mqtts://127.0.0.1:${await guard(rig.broker.port)}`;
    await nameBroker(plant, { uri, mode: 2, certificates: { broker: bytesOf("gateway.der") } });
    await rig.until(() => rig.field?.status().buses[1]?.state === "down");
    expect(rig.field?.status().buses[1]?.fault?.code).toBe("LINK_CERTIFICATE");
    expect(connects.length).toBe(1);
  });

  it("is told of in the log when its key is none", async () => {
    const plant = await openPlant();
    const certificates = { own: bytesOf("gateway.der"), key: Uint8Array.of(1, 2, 3) };
    await nameBroker(plant, { uri: "mqtts://127.0.0.1:1", mode: 2, certificates });
    expect(plant.log).toMatchObject([{ why: "the Secret Key is no private key in DER" }]);
  });
});
