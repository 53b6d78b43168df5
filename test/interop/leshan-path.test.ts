import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./child.js";
import { GatewayProcess } from "./gateway-process.js";
import { type LeshanResponse, LeshanServer } from "./leshan-server.js";
import { Programs } from "./modbus-programs.js";

const GATEWAY = "urn:dev:os:32473-path";

const PROFILE = `profile: room
title: A room
adapter: sim
points:
  temperature: { wave: sine, min: 18, max: 24, period: 4s, every: fast }
  setpoint: { wave: constant, min: 21, access: rw }
objects:
  - { object: 3303, resources: { 5700: temperature, 5701: { value: Cel } } }
  - { object: 3308, resources: { 5900: setpoint } }
`;

describe("Leshan and a gateway whose objects are below /lwm2m", () => {
  let programs: Programs;
  let server: LeshanServer;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    programs = new Programs();
    server = await LeshanServer.start("newest", programs);
    await writeFile(`${programs.folder}/room.yaml`, PROFILE);
    const config = {
      gateway: { endpoint: GATEWAY, state: "state", path: "lwm2m", objects: ["portfolio"] },
      mappings: ["."],
      servers: [{ uri: `coap://127.0.0.1:${server.coapPort}` }],
      links: { rooms: { adapter: "sim" } },
      devices: [{ name: "room", link: "rooms", profile: "room" }],
    };
    await writeFile(`${programs.folder}/causeway.json`, JSON.stringify(config));
    gateway = await GatewayProcess.start(`${programs.folder}/causeway.json`);
    await server.registration(GATEWAY);
  }, 180_000);

  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await programs?.[Symbol.asyncDispose]();
  });

  const ask = (method: "GET" | "PUT" | "POST" | "DELETE", path: string, node?: unknown): Promise<LeshanResponse> =>
    server.ask(method, GATEWAY, path, node);
  const told = (kind: string, text: string): Promise<void> =>
    eventually(`${kind} with ${text}`, async () =>
      server.events.some((event) => event.kind === kind && event.data.includes(text)),
    );

  it("finds the path in the registration", async () => {
    const { objectLinks } = await server.registration(GATEWAY);
    const [root, ...objects] = objectLinks.map(({ url }) => url);
    expect(root).toBe("/lwm2m");
    expect(objects.every((url) => /^\/lwm2m\/\d+(\/\d+)?$/.test(url))).toBe(true);
  });

  it.each(["TEXT", "TLV", "SENML_JSON", "SENML_CBOR"])("reads below it in %s", async (format) => {
    const { status, content } = await server.read(GATEWAY, "/3303/0/5701", format);
    expect([status, content?.value]).toEqual(["CONTENT(205)", "Cel"]);
  });

  // No Discover: Leshan 2.0.0-M18 looks for the path in its links, and then takes the whole link for ids.
  it("writes, creates and deletes below it", async () => {
    const setpoint = { id: 5900, kind: "singleResource", type: "float", value: 22.5 };
    expect((await ask("PUT", "/3308/0/5900?format=SENML_JSON", setpoint)).status).toBe("CHANGED(204)");
    expect((await server.read(GATEWAY, "/3308/0/5900")).content?.value).toBe(22.5);
    const portfolio = { id: 3, resources: [{ id: 0, values: { 0: "Host Device ID #1" } }] };
    expect((await ask("POST", "/16?format=SENML_JSON", portfolio)).status).toBe("CREATED(201)");
    expect(JSON.stringify((await server.read(GATEWAY, "/16/3")).content)).toContain("Host Device ID #1");
    await eventually("the Update with the instance", async () => {
      const { objectLinks } = await server.registration(GATEWAY);
      return objectLinks.some(({ url }) => url === "/lwm2m/16/3");
    });
    expect((await ask("DELETE", "/16/3")).status).toBe("DELETED(202)");
  });

  it("composes below it", async () => {
    const { status, content } = await ask("GET", "/composite?paths=/3/0/1,/3303/0/5701");
    expect(status).toBe("CONTENT(205)");
    expect(JSON.stringify(content)).toContain("Cel");
    expect((await ask("PUT", "/composite", { "/3308/0/5900": 19.5 })).status).toBe("CHANGED(204)");
  });

  it("observes below it", async () => {
    expect((await ask("POST", "/3303/0/5700/observe")).status).toBe("CONTENT(205)");
    await told("NOTIFICATION", "/3303/0/5700");
    expect((await ask("POST", "/composite?paths=/3308/0/5900,/3303/0/5701")).status).toBe("CONTENT(205)");
    await ask("PUT", "/composite", { "/3308/0/5900": 20.25 });
    await told("COMPOSITE", "20.25");
  });

  it("takes what the gateway sends", async () => {
    await told("SEND", '"path":"/3308/0/5900"');
  });
});
