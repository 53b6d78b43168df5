import { describe, expect, it } from "vitest";
import { modbus } from "../adapters/modbus/index.js";
import { createLog } from "../src/base/log.js";
import { defineAdapter } from "../src/field/adapter.js";
import type { Field } from "../src/field/field.js";
import { type ClientState, MemoryState } from "../src/lwm2m/state/client-state.js";
import type { ObjectTree } from "../src/lwm2m/tree.js";
import { InstanceTable, memoryInstanceStore } from "../src/mapping/instances.js";
import { ModbusConnections } from "../src/modbus-connections.js";
import { RegisterClusters } from "../src/register-clusters.js";
import { settle } from "./fakes/clock.js";
import { type Bench, model, shippedModels, startBench } from "./fakes/lwm2m-client.js";
import { Rig } from "./field/rig.js";

const TEXT = 0;
const SENML_JSON = 110;
const LINK = { name: "bus", adapter: "modbus", options: { transport: "rtu", port: "/dev/ttyS1", parity: "even" } };
const adapter = defineAdapter(modbus);

interface Plant extends Bench {
  readonly rig: Rig;
  readonly field: Field;
  readonly connections: ModbusConnections;
  readonly log: string[];
  ask(...request: Parameters<Bench["server"]["text"]>): Promise<string>;
  /** The values of a multiple resource, in order. */
  valuesAt(path: string): Promise<unknown>;
  pass(ms: number): Promise<void>;
}

/** Station 1 on a line, both objects, a client and its server. */
async function open(state: ClientState = new MemoryState()): Promise<Plant> {
  const rig = new Rig();
  rig.station(1);
  const { clock } = rig;
  const config = { links: [LINK], adapters: new Map([["modbus", adapter]]), models: shippedModels };
  const instances = await InstanceTable.open(memoryInstanceStore());
  const made: { connections?: ModbusConnections; clusters?: RegisterClusters } = {};
  const prepare = (tree: ObjectTree): void => {
    const connections = new ModbusConnections(tree, config, instances, clock);
    const linkOf = (id: number): string | undefined => connections.linkOf(id);
    made.connections = connections;
    made.clusters = new RegisterClusters({ tree, model: model(10375), adapter, clock, linkOf });
  };
  const bench = await startBench({ prepare, state });
  const { connections, clusters } = made;
  if (connections === undefined || clusters === undefined) throw new Error("the objects were not made");
  const log: string[] = [];
  const field = await rig.open([]);
  connections.attach(() => field.status().buses);
  clusters.attach(
    field,
    rig.scope,
    createLog("info", (line) => log.push(line)),
  );
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    connections.refresh();
    await settle();
  };
  await pass(1000);
  const ask: Plant["ask"] = async (...request) => {
    const answer = bench.server.text(...request);
    await clock.advance(1000);
    return await answer;
  };
  const valuesAt = async (path: string): Promise<unknown> => {
    const text = await ask("GET", path, { accept: SENML_JSON });
    const records: readonly { readonly v?: number }[] = text.startsWith("2.05 ") ? JSON.parse(text.slice(5)) : [];
    return records.map(({ v }) => v).filter((value) => value !== undefined);
  };
  return { ...bench, rig, field, connections, log, ask, valuesAt, pass };
}

interface Cluster {
  readonly link?: string;
  readonly type: number;
  readonly unit?: number;
  readonly start: number;
  readonly quantity: number;
}

function createCluster(plant: Plant, { link = "10374:0", type, unit = 1, start, quantity }: Cluster): Promise<string> {
  const payload = JSON.stringify([
    { bn: "/10375/0/", n: "0", vlo: link },
    { n: "1", v: type },
    { n: "2", v: unit },
    { n: "3", v: start },
    { n: "4", v: quantity },
  ]);
  return plant.ask("POST", "/10375", { contentFormat: SENML_JSON, payload });
}

describe("object 10374, Modbus Connection", () => {
  it("shows the links of the file with their state", async () => {
    const { ask, server, rig, pass } = await open();
    expect(await ask("GET", "/10374/0/0")).toBe("2.05 /dev/ttyS1");
    const read = async (id: number): Promise<string> => await ask("GET", `/10374/0/${id}`);
    expect([await read(1), await read(2), await read(3), await read(4), await read(5)]).toEqual(
      ["2", "1", "9600", "1", "1"].map((value) => `2.05 ${value}`),
    );
    await ask("GET", "/10374/0/8", { observe: 0 });
    expect(await read(8)).toBe("2.05 2");
    rig.line.break();
    await pass(100);
    expect(await read(8)).toBe("2.05 4");
    await pass(60_000);
    expect(await read(8)).toBe("2.05 2");
    expect(server.notifications.length).toBeGreaterThanOrEqual(2);
  });

  it("is not for servers to change", async () => {
    const { ask } = await open();
    expect(await ask("PUT", "/10374/0/0", { contentFormat: TEXT, payload: "/dev/ttyS2" })).toBe("4.05");
    expect(await ask("PUT", "/10374/0/2", { contentFormat: TEXT, payload: "0" })).toBe("4.05");
    expect(await ask("DELETE", "/10374/0")).toBe("4.05");
  });
});

describe("object 10375, Modbus Register Cluster", () => {
  it("reads the registers that a server names, every ten seconds, with their extremes", async () => {
    const plant = await open();
    const { rig, valuesAt, ask, pass } = plant;
    expect(await createCluster(plant, { type: 3, start: 5, quantity: 3 })).toBe("2.01 /10375/0");
    expect(await valuesAt("/10375/0/5")).toEqual([5, 6, 7]);
    rig.station(1).set("holding", 6, 60);
    await pass(10_000);
    expect(await valuesAt("/10375/0/5")).toEqual([5, 60, 7]);
    expect(await valuesAt("/10375/0/6")).toEqual([5, 6, 7]);
    expect(await valuesAt("/10375/0/7")).toEqual([5, 60, 7]);
    expect(await ask("POST", "/10375/0/8")).toBe("2.04");
    expect(await valuesAt("/10375/0/6")).toEqual([5, 60, 7]);
  });

  it("writes a register, and answers when the station has confirmed it", async () => {
    const plant = await open();
    const { rig, ask, valuesAt } = plant;
    await createCluster(plant, { type: 3, start: 5, quantity: 2 });
    expect(await ask("PUT", "/10375/0/5/1", { contentFormat: TEXT, payload: "77" })).toBe("2.04");
    expect(rig.line.unit(1).get("holding", 6)).toBe(77);
    expect(await valuesAt("/10375/0/5")).toEqual([5, 77]);
    const both = '[{"bn":"/10375/0/5/","n":"0","v":1},{"n":"1","v":2}]';
    expect(await ask("PUT", "/10375/0/5", { contentFormat: SENML_JSON, payload: both })).toBe("2.04");
    expect(await valuesAt("/10375/0/5")).toEqual([1, 2]);
  });

  it("reads coils and inputs as 0 and 1, and writes only what can be written", async () => {
    const plant = await open();
    const { rig, ask, valuesAt } = plant;
    for (const [index, bit] of [1, 0, 1].entries()) {
      rig.line.unit(1).set("coil", index, bit);
      rig.line.unit(1).set("discrete", index, bit);
    }
    await createCluster(plant, { type: 1, start: 0, quantity: 3 });
    expect(await valuesAt("/10375/0/5")).toEqual([1, 0, 1]);
    expect(await ask("PUT", "/10375/0/5/1", { contentFormat: TEXT, payload: "1" })).toBe("2.04");
    expect(rig.line.unit(1).get("coil", 1)).toBe(1);
    expect(await ask("PUT", "/10375/0/5/1", { contentFormat: TEXT, payload: "2" })).toBe("4.00");
    await ask("PUT", "/10375/0/1", { contentFormat: TEXT, payload: "2" });
    expect(await valuesAt("/10375/0/5")).toEqual([1, 0, 1]);
    expect(await ask("PUT", "/10375/0/5/1", { contentFormat: TEXT, payload: "1" })).toBe("4.05");
  });

  it.each<[string, Cluster]>([
    ["a link to another object", { link: "3:0", type: 3, start: 0, quantity: 1 }],
    ["a link that is not there", { link: "10374:7", type: 3, start: 0, quantity: 1 }],
    ["no link", { link: "65535:65535", type: 3, start: 0, quantity: 1 }],
    ["a type that is none", { type: 5, start: 0, quantity: 1 }],
    ["a unit that is reserved", { type: 3, unit: 250, start: 0, quantity: 1 }],
  ])("refuses %s", async (_, cluster) => {
    const plant = await open();
    expect(await createCluster(plant, cluster)).toBe("4.00");
    expect(await plant.ask("GET", "/10375/0")).toBe("4.04");
  });

  it("leaves the set of registers as it is", async () => {
    const plant = await open();
    await createCluster(plant, { type: 3, start: 5, quantity: 2 });
    const payload = '[{"n":"/10375/0/5/0","v":1}]';
    expect(await plant.ask("PUT", "/10375/0/5", { contentFormat: SENML_JSON, payload })).toBe("4.00");
    expect(await plant.valuesAt("/10375/0/5")).toEqual([5, 6]);
  });

  it.each<[string, Cluster, string]>([
    ["more registers than one request takes", { type: 3, start: 0, quantity: 126 }, "126 registers are more than 125"],
    ["registers beyond the last", { type: 3, start: 65_535, quantity: 2 }, "there is no register 65536"],
  ])("%s: the log says why nothing is read", async (_, cluster, why) => {
    const plant = await open();
    expect(await createCluster(plant, cluster)).toBe("2.01 /10375/0");
    expect(await plant.valuesAt("/10375/0/5")).toEqual([]);
    expect(plant.log.map((line) => JSON.parse(line))).toMatchObject([{ path: "/10375/0", why }]);
  });

  it("reads what the settings say now, and nothing once it is deleted", async () => {
    const plant = await open();
    const { rig, ask, valuesAt, pass } = plant;
    await createCluster(plant, { type: 3, start: 5, quantity: 3 });
    expect(await ask("PUT", "/10375/0/4", { contentFormat: TEXT, payload: "1" })).toBe("2.04");
    expect(await valuesAt("/10375/0/5")).toEqual([5]);
    expect(await ask("DELETE", "/10375/0")).toBe("2.02");
    const before = rig.line.written.length;
    await pass(60_000);
    expect(rig.line.written.length).toBe(before);
    expect(rig.failures).toEqual([]);
  });

  it("survives a restart with its settings, and reads its values anew", async () => {
    const state = new MemoryState();
    const before = await open(state);
    await createCluster(before, { type: 3, start: 5, quantity: 2 });
    await before.pass(30_000);
    expect(Object.keys(Object(state.load("instances").get("/10375/0")))).toEqual(["0", "1", "2", "3", "4"]);
    await before.rig.scope[Symbol.asyncDispose]();
    const after = await open(state);
    expect(await after.valuesAt("/10375/0/5")).toEqual([5, 6]);
    expect(await after.ask("PUT", "/10375/0/5/1", { contentFormat: TEXT, payload: "9" })).toBe("2.04");
    expect(after.rig.line.unit(1).get("holding", 6)).toBe(9);
  });
});
