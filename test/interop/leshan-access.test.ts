import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GatewayProcess } from "./gateway-process.js";
import { LeshanServer } from "./leshan-server.js";
import { Programs } from "./modbus-programs.js";

const DEVICES = 100;
const GATEWAY = "urn:dev:os:32473-access";

const PROFILE = `profile: room
title: A room
adapter: sim
points:
  temperature: { wave: sine, min: 18, max: 24, period: 4s }
  setpoint: { wave: constant, min: 21, access: rw }
objects:
  - { object: 3303, resources: { 5700: temperature } }
  - { object: 3308, resources: { 5900: setpoint } }
`;

/** /3308/7/5900 as Leshan's REST takes it. */
const SETPOINT = { id: 5900, kind: "singleResource", type: "float", value: 22.5 };

describe(`two Leshan servers with different rights to ${DEVICES} devices in one tree`, () => {
  let programs: Programs;
  let operator: LeshanServer;
  let watcher: LeshanServer;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    programs = new Programs();
    operator = await LeshanServer.start("newest", programs);
    watcher = await LeshanServer.start("demo", programs);
    await writeFile(`${programs.folder}/room.yaml`, PROFILE);
    const uri = ({ coapPort }: LeshanServer): string => `coap://127.0.0.1:${coapPort}`;
    const config = {
      gateway: { endpoint: GATEWAY, state: "state" },
      mappings: ["."],
      servers: [
        { uri: uri(operator), history: "none" },
        { uri: uri(watcher), history: "none", rights: { default: ["read"], 3: [] } },
      ],
      links: { rooms: { adapter: "sim" } },
      devices: Array.from({ length: DEVICES }, (_, index) => ({
        name: `room${index}`,
        link: "rooms",
        profile: "room",
      })),
    };
    await writeFile(`${programs.folder}/causeway.json`, JSON.stringify(config));
    gateway = await GatewayProcess.start(`${programs.folder}/causeway.json`);
  }, 180_000);

  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await operator?.[Symbol.asyncDispose]();
    await watcher?.[Symbol.asyncDispose]();
    await programs?.[Symbol.asyncDispose]();
  });

  it("both get the whole registration, with a list for each instance", async () => {
    for (const server of [operator, watcher]) {
      const { objectLinks } = await server.registration(GATEWAY);
      const urls = objectLinks.map(({ url }) => url);
      const lists = urls.filter((url) => url.startsWith("/2/"));
      const others = urls.filter((url) => /^\/\d+\/\d+$/.test(url) && !url.startsWith("/2/"));
      expect(others.length).toBeGreaterThan(2 * DEVICES);
      expect(lists).toHaveLength(others.length);
    }
  });

  it("each may do what the file says, and nothing else", async () => {
    const statusOf = async (answer: ReturnType<LeshanServer["ask"]>) => (await answer).status;
    expect(await statusOf(watcher.read(GATEWAY, "/3308/7/5900"))).toBe("CONTENT(205)");
    expect(await statusOf(watcher.read(GATEWAY, "/3/0"))).toBe("UNAUTHORIZED(401)");
    expect(await statusOf(watcher.ask("PUT", GATEWAY, "/3308/7/5900", SETPOINT))).toBe("UNAUTHORIZED(401)");
    expect(await statusOf(operator.ask("PUT", GATEWAY, "/3308/7/5900", SETPOINT))).toBe("CHANGED(204)");
    expect(await statusOf(operator.read(GATEWAY, "/3/0"))).toBe("CONTENT(205)");
    expect((await watcher.read(GATEWAY, "/3308/7/5900")).content?.value).toEqual(expect.anything());
  });

  // All of object 2 would be more than the 8 KiB that Californium takes as it comes.
  it("a list can be read by both", async () => {
    for (const server of [operator, watcher]) {
      const { status, content } = await server.read(GATEWAY, "/2/0");
      expect(status).toBe("CONTENT(205)");
      expect(content?.resources?.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3]);
    }
  });
});
