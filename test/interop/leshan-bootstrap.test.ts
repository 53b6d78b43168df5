import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Scope } from "../../src/base/scope.js";
import { eventually } from "./child.js";
import { GatewayProcess } from "./gateway-process.js";
import { LeshanBootstrapServer } from "./leshan-bootstrap-server.js";
import { LeshanServer } from "./leshan-server.js";
import { Programs } from "./modbus-programs.js";

const ENDPOINT = "urn:dev:os:32473-bootstrap";

const PROFILE = `profile: plant
title: One value
adapter: sim
points:
  value: { wave: constant, min: 21.5, every: fast }
objects:
  - { object: 3303, resources: { 5700: value } }
`;

/** What Leshan does in a session, in its order. */
const SESSION = [
  `initiated ${ENDPOINT} SENML_CBOR(112)`,
  "BootstrapDiscoverRequest / CONTENT(205)",
  "BootstrapDeleteRequest /0 DELETED(202)",
  "BootstrapDeleteRequest /1 DELETED(202)",
  "BootstrapWriteRequest /0/0 CHANGED(204)",
  "BootstrapWriteRequest /1/0 CHANGED(204)",
  "BootstrapFinishRequest null CHANGED(204)",
  `finished ${ENDPOINT}`,
];

describe.each(["TLV", "SENML_JSON", "SENML_CBOR"] as const)("Leshan's bootstrap server, in %s", (format) => {
  const scope = new Scope((error) => {
    throw error;
  });
  let bootstrap: LeshanBootstrapServer;
  let server: LeshanServer;
  let gateway: GatewayProcess;
  let configFile: string;

  beforeAll(async () => {
    const programs = scope.use(new Programs());
    server = scope.use(await LeshanServer.start("newest", programs));
    const given = { uri: `coap://127.0.0.1:${server.coapPort}`, shortServerId: 123, lifetimeS: 60, format };
    bootstrap = scope.use(await LeshanBootstrapServer.start(given, programs));
    configFile = `${programs.folder}/causeway.yaml`;
    await writeFile(`${programs.folder}/plant.yaml`, PROFILE);
    const config = {
      gateway: { endpoint: ENDPOINT, state: "state" },
      mappings: ["."],
      bootstrap: { uri: bootstrap.uri },
      links: { simulation: { adapter: "sim" } },
      devices: [{ name: "plant", link: "simulation", profile: "plant" }],
    };
    await writeFile(configFile, JSON.stringify(config));
    gateway = scope.use(await GatewayProcess.start(configFile));
  });

  afterAll(() => scope[Symbol.asyncDispose]());

  const temperature = async (): Promise<unknown> => (await server.read(ENDPOINT, "/3303/0/5700")).content?.value;

  it("gives the gateway its server, where it registers with what it was given", async () => {
    await bootstrap.event(`finished ${ENDPOINT}`);
    expect(bootstrap.events.slice(1)).toEqual(SESSION);
    expect(await server.registration(ENDPOINT)).toMatchObject({ endpoint: ENDPOINT, lifetime: 60 });
    await eventually("the value is there", async () => (await temperature()) === 21.5);
    expect((await server.read(ENDPOINT, "/1/0/0")).content?.value).toBe("123");
  });

  it("is asked again when the server executes the trigger", async () => {
    const from = bootstrap.events.length;
    expect(await server.ask("POST", ENDPOINT, "/1/0/9")).toMatchObject({ success: true });
    await eventually("a second session", () => bootstrap.events.slice(from).includes(`finished ${ENDPOINT}`));
    expect(bootstrap.events.slice(from)).toEqual(SESSION);
    await eventually("it is registered anew", async () => (await temperature().catch(() => undefined)) === 21.5);
  });

  it("is not needed after a restart", async () => {
    const from = bootstrap.events.length;
    await gateway.stop();
    gateway = scope.use(await GatewayProcess.start(configFile));
    await server.registration(ENDPOINT);
    await eventually("the value is there", async () => (await temperature().catch(() => undefined)) === 21.5);
    expect(bootstrap.events.slice(from)).toEqual([]);
  });
});
