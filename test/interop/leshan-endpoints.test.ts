import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./child.js";
import { GatewayProcess } from "./gateway-process.js";
import { LeshanServer } from "./leshan-server.js";
import { Programs } from "./modbus-programs.js";

const DEVICES = 50;
const GATEWAY = "urn:dev:os:32473-hub";
const endpointOf = (index: number): string => `urn:dev:os:32473-room${index}`;

const PROFILE = `profile: room
title: A room
adapter: sim
points:
  temperature: { wave: sine, min: 18, max: 24, period: 4s, every: fast }
  setpoint: { wave: constant, min: 21, access: rw, every: slow }
objects:
  - { object: 3303, resources: { 5700: temperature, 5701: { value: Cel } } }
  - { object: 3308, resources: { 5900: setpoint } }
`;

describe(`Leshan, newest library: ${DEVICES} devices as endpoints of their own`, () => {
  let programs: Programs;
  let server: LeshanServer;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    programs = new Programs();
    server = await LeshanServer.start("newest", programs);
    await writeFile(`${programs.folder}/room.yaml`, PROFILE);
    const config = {
      gateway: { endpoint: GATEWAY, state: "state", expose: "endpoints", objects: ["portfolio"] },
      mappings: ["."],
      servers: [{ uri: `coap://127.0.0.1:${server.coapPort}`, history: "none" }],
      links: { rooms: { adapter: "sim" } },
      devices: Array.from({ length: DEVICES }, (_, index) => ({
        name: `room${index}`,
        link: "rooms",
        profile: "room",
        id: endpointOf(index),
        poll: { fast: "500ms" },
      })),
    };
    await writeFile(`${programs.folder}/causeway.json`, JSON.stringify(config));
    gateway = await GatewayProcess.start(`${programs.folder}/causeway.json`);
  });

  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await programs?.[Symbol.asyncDispose]();
  });

  it("all register, and each is read", async () => {
    await server.registration(GATEWAY);
    const indexes = Array.from({ length: DEVICES }, (_, index) => index);
    await Promise.all(indexes.map((index) => server.registration(endpointOf(index))));
    const answers = await Promise.all(indexes.map((index) => server.read(endpointOf(index), "/3303/0/5700")));
    for (const { status, content } of answers) {
      expect(status).toBe("CONTENT(205)");
      expect(Number(content?.value)).toBeGreaterThanOrEqual(18);
      expect(Number(content?.value)).toBeLessThanOrEqual(24);
    }
    const { objectLinks } = await server.registration(endpointOf(7));
    expect(objectLinks.map(({ url }) => url)).toEqual(expect.arrayContaining(["/3/0", "/3303/0", "/3308/0"]));
  });

  it("Read-Composite gives what is named, over objects", async () => {
    const { status, content } = await server.ask("GET", endpointOf(1), "/composite?paths=/3/0/1,/3303/0/5701,/9/9/9");
    expect(status).toBe("CONTENT(205)");
    expect(content).toMatchObject({ "/3/0/1": { id: 1, value: "A room" }, "/3303/0/5701": { id: 5701, value: "Cel" } });
  });

  it("Write-Composite reaches the devices, and Observe-Composite tells of it", async () => {
    const path = "/composite?paths=/3308/0/5900,/3303/0/5701";
    expect((await server.ask("POST", endpointOf(2), path)).status).toBe("CONTENT(205)");
    const { status } = await server.ask("PUT", endpointOf(2), "/composite", { "/3308/0/5900": 19.5 });
    expect(status).toBe("CHANGED(204)");
    const told = (): readonly string[] =>
      server.events.filter(({ kind }) => kind === "COMPOSITE").map(({ data }) => data);
    await eventually("the composite notification", () => told().some((data) => data.includes("19.5")));
    expect(JSON.parse(told().at(-1) ?? "")).toMatchObject({
      ep: endpointOf(2),
      val: { "/3308/0/5900": { value: 19.5 }, "/3303/0/5701": { value: "Cel" } },
    });
  });

  it("attributes that are written are one endpoint's own", async () => {
    const target = "/3303/0/5700";
    const { status } = await server.ask("PUT", endpointOf(3), `${target}/attributes?pmin=5&pmax=60&st=2`);
    expect(status).toBe("CHANGED(204)");
    const attributesAt = async (index: number): Promise<unknown> => {
      const { objectLinks = [] } = await server.ask("GET", endpointOf(index), "/3303/0/discover");
      return objectLinks.find(({ url }) => url === target)?.attributes;
    };
    expect(await attributesAt(3)).toEqual({ pmin: "5", pmax: "60", st: "2" });
    expect(await attributesAt(4)).toEqual({});
  });

  it("creates, reads and deletes an instance of Portfolio", async () => {
    const body = { id: 3, resources: [{ id: 0, values: { 0: "Host Device ID #1", 3: "Host Device SW #1" } }] };
    expect((await server.ask("POST", GATEWAY, "/16?format=TLV", body)).status).toBe("CREATED(201)");
    const { content } = await server.read(GATEWAY, "/16/3");
    expect(JSON.stringify(content)).toContain("Host Device SW #1");
    await eventually("the Update with the instance", async () => {
      const { objectLinks } = await server.registration(GATEWAY);
      return objectLinks.some(({ url }) => url === "/16/3");
    });
    expect((await server.ask("DELETE", GATEWAY, "/16/3")).status).toBe("DELETED(202)");
    expect((await server.read(GATEWAY, "/16/3")).status).toBe("NOT_FOUND(404)");
  });

  it("all de-register on SIGTERM", async () => {
    expect(await gateway.stop()).toBe(0);
    const gone = (): number => server.events.filter(({ kind }) => kind === "DEREGISTRATION").length;
    await eventually("the last De-register", () => gone() === DEVICES + 1);
  });
});
