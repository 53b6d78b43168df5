import { beforeEach, describe, expect, it } from "vitest";
import { fromHex, toHex, utf8Decode } from "../../src/base/bytes.js";
import { CausewayError } from "../../src/base/errors.js";
import type { Entry } from "../../src/lwm2m/codec/codec.js";
import { GatewayObject } from "../../src/lwm2m/objects/gateway.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { settle } from "../fakes/clock.js";
import { type Bench, model, shippedModels, startBench } from "../fakes/lwm2m-client.js";
import { formatResponse } from "../fakes/lwm2m-server.js";

const LINKS = 40;
const JSON_ = 110;
const ETCH_JSON = 320;
const LWM2M_CBOR = 11544;
const AT_MS = Date.UTC(2026, 0, 1);

let bench: Bench;
let gateway: GatewayObject;
let d01: ObjectTree;
let d02: ObjectTree;
/** What was written to the relay of d01. */
let written: unknown[];

function put(tree: ObjectTree, path: readonly number[], value: number | string | boolean): void {
  tree.set(path, { value, atMs: AT_MS });
}

/** The devices of the examples in OMA LwM2M Gateway 1.1.1 §10, and a relay. */
function examples(): void {
  written = [];
  d01 = new ObjectTree();
  d01.addInstance(model(3, "1.2"), 0);
  put(d01, [3, 0, 0], "Company A");
  put(d01, [3, 0, 9], 100);
  d01.addInstance(model(3303, "1.0"), 0);
  for (const [id, value] of [
    [5700, 22.1],
    [5601, 17.5],
    [5602, 23.9],
    [5701, "Cel"],
  ] as const) {
    put(d01, [3303, 0, id], value);
  }
  d01.addInstance(model(3303, "1.0"), 1);
  const write = async (value: unknown): Promise<void> => {
    written.push(value);
    if (typeof value === "boolean") d01.set([3306, 0, 5850], { value, atMs: AT_MS });
  };
  d01.addInstance(model(3306), 0, new Map([[5850, { write }]]));
  put(d01, [3306, 0, 5850], false);
  d02 = new ObjectTree();
  d02.addInstance(model(3, "1.2"), 0);
  put(d02, [3, 0, 0], "Company B");
  put(d02, [3, 0, 9], 65);
  const refuse = async (): Promise<void> => {
    throw new CausewayError("FIELD_TIMEOUT", "the relay does not answer");
  };
  d02.addInstance(model(3306), 0, new Map([[5850, { write: refuse }]]));
  put(d02, [3306, 0, 5850], false);
}

beforeEach(async () => {
  examples();
  bench = await startBench({
    accounts: [{}, {}],
    gateway(tree, clock) {
      gateway = new GatewayObject(tree, shippedModels, clock);
      gateway.add({ instanceId: 0, deviceId: "urn:dev:os:32473-101", prefix: "d01", tree: d01 });
      gateway.add({ instanceId: 1, deviceId: "urn:dev:os:32473-102", prefix: "d02", tree: d02 });
      return gateway;
    },
  });
});

const ask = (...request: Parameters<Bench["server"]["text"]>): Promise<string> => bench.server.text(...request);

async function notified(): Promise<string[]> {
  await settle();
  return bench.server.notifications.splice(0).map(({ response }) => formatResponse(response));
}

describe("object 25", () => {
  it("is registered with its version, device objects are not", () => {
    expect(utf8Decode(bench.server.requests[0]?.payload ?? new Uint8Array())).toMatch(
      /,<\/1\/0>,<\/1\/1>,<\/3\/0>,<\/25>;ver=2.0,<\/25\/0>,<\/25\/1>$/,
    );
  });

  it.each([
    ["/25/0/0", "2.05 urn:dev:os:32473-101"],
    ["/25/0/1", "2.05 d01"],
    ["/25/0/3", "2.05 </3>;ver=1.2,</3/0>,</3303/0>,</3303/1>,</3306>;ver=1.1,</3306/0>"],
    ["/25/1/0", "2.05 urn:dev:os:32473-102"],
    ["/25/1/1", "2.05 d02"],
  ])("%s is %s", async (path, answer) => {
    expect(await ask("GET", path)).toBe(answer);
  });

  it.each([
    ["PUT", "/25/0/1", { contentFormat: 0, payload: "d09" }],
    ["POST", "/25", { contentFormat: JSON_, payload: "[]" }],
    ["DELETE", "/25/0", {}],
  ] as const)("%s %s is not allowed", async (method, path, more) => {
    expect(await ask(method, path, more)).toBe("4.05");
  });

  it("tells who observes it of a device's new object, and does not update the registration", async () => {
    await ask("GET", "/25/1/3", { observe: 0 });
    const before = bench.server.requests.length;
    d02.addInstance(model(3303, "1.0"), 0);
    expect(await notified()).toEqual(["2.05 </3>;ver=1.2,</3/0>,</3303/0>,</3306>;ver=1.1,</3306/0>"]);
    expect(bench.server.requests).toHaveLength(before);
  });
});

describe("operations behind a prefix", () => {
  it("OMA Gateway §10: Read of an instance has the prefix in its base name", async () => {
    expect(await ask("GET", "/d01/3303/0", { accept: JSON_ })).toBe(
      '2.05 [{"bn":"/d01/3303/0/","n":"5700","v":22.1},{"n":"5601","v":17.5},{"n":"5602","v":23.9},{"n":"5701","vs":"Cel"}]',
    );
  });

  it.each([
    ["GET", "/d01/3303/0/5700", {}, "2.05 22.1"],
    [
      "GET",
      "/d01/3303/0",
      { accept: LINKS },
      "2.05 </3303/0>,</3303/0/5700>,</3303/0/5601>,</3303/0/5602>,</3303/0/5701>",
    ],
    ["GET", "/d01/3306", { accept: LINKS }, "2.05 </3306>;ver=1.1,</3306/0>,</3306/0/5850>"],
    ["GET", "/d02/3303/0", {}, "4.04"],
    ["GET", "/d03/3/0", {}, "4.04"],
    ["PUT", "/d03/3306/0/5850", { contentFormat: 0, payload: "1" }, "4.04"],
    ["GET", "/d01/d02/3/0", {}, "4.05"],
    ["GET", "/d01", {}, "4.05"],
    ["GET", "/d01/0/0", {}, "4.01"],
    ["GET", "/d01/1/0", {}, "4.04"],
    ["POST", "/d01/3/0/4", {}, "4.04"],
    ["DELETE", "/d01/3303/0", {}, "4.05"],
    ["PUT", "/d02/3306/0/5850", { contentFormat: 0, payload: "1" }, "5.00"],
    ["FETCH", "/d01", { contentFormat: ETCH_JSON, payload: '[{"n":"/3"}]' }, "4.05"],
  ] as const)("%s %s %o is answered with %s", async (method, path, more, answer) => {
    const text = await ask(method, path, more);
    const sorted = (links: string): string => links.replace("2.05 ", "").split(",").sort().join();
    if (answer.includes("<")) expect(sorted(text)).toBe(sorted(answer));
    else expect(text).toBe(answer);
  });

  it.each([
    ["text", 0, "1", "2.04"],
    ["SenML with the prefix", JSON_, '[{"n":"/d01/3306/0/5850","vb":true}]', "2.04"],
    ["SenML without the prefix", JSON_, '[{"n":"/3306/0/5850","vb":true}]', "4.00"],
    ["SenML with another prefix", JSON_, '[{"n":"/d02/3306/0/5850","vb":true}]', "4.00"],
    [
      "LwM2M CBOR with the prefix",
      LWM2M_CBOR,
      fromHex("a185 63643031 190cea 00 1916da f5".replace("85", "84")),
      "2.04",
    ],
  ])("takes a Write in %s", async (_, contentFormat, payload, answer) => {
    expect(await ask("PUT", "/d01/3306/0/5850", { contentFormat, payload })).toBe(answer);
    expect(written).toEqual(answer === "2.04" ? [true] : []);
  });

  it("a Write to the gateway's own objects takes no prefixed names", async () => {
    const payload = '[{"n":"/d01/1/0/1","v":60}]';
    expect(await ask("POST", "/1/0", { contentFormat: JSON_, payload })).toBe("4.00");
    expect(await ask("GET", "/1/0/1")).toBe("2.05 300");
  });

  it("keeps attributes per server and per device", async () => {
    const [one, two] = bench.servers;
    expect(await ask("PUT", "/d01/3/0/9?pmin=5")).toBe("2.04");
    expect(await one?.text("GET", "/d01/3/0/9", { accept: LINKS })).toBe("2.05 </3/0/9>;pmin=5");
    expect(await one?.text("GET", "/d02/3/0/9", { accept: LINKS })).toBe("2.05 </3/0/9>");
    expect(await two?.text("GET", "/d01/3/0/9", { accept: LINKS })).toBe("2.05 </3/0/9>");
  });

  it("creates with the prefix in the location", async () => {
    d01.addObject(model(16), { by: "servers", create: () => new Map(), removed: () => undefined });
    expect(await ask("POST", "/d01/16", { contentFormat: JSON_, payload: '[{"n":"/d01/16/4/0/0","vs":"a"}]' })).toBe(
      "2.01 /d01/16/4",
    );
    expect(await ask("DELETE", "/d01/16/4")).toBe("2.02");
  });
});

describe("Observe behind a prefix", () => {
  it("tells of the device and of no other one", async () => {
    await ask("GET", "/d01/3/0/9", { observe: 0 });
    await ask("GET", "/d02/3/0", { observe: 0, accept: JSON_ });
    d01.set([3, 0, 9], { value: 50, atMs: bench.clock.nowMs() });
    expect(await notified()).toEqual(["2.05 50"]);
    d02.set([3, 0, 9], { value: 64, atMs: bench.clock.nowMs() });
    expect(await notified()).toEqual(['2.05 [{"bn":"/d02/3/0/","n":"0","vs":"Company B"},{"n":"9","v":64}]']);
    bench.tree.set([3, 0, 9], { value: 1, atMs: bench.clock.nowMs() });
    expect(await notified()).toEqual([]);
    const nowMs = bench.clock.nowMs();
    expect(bench.client.telling(1, { prefix: "d01", path: [3, 0, 9] }, nowMs)).toBe("told");
    expect(bench.client.telling(1, { path: [3, 0, 9] }, nowMs)).toBe("unobserved");
    expect(bench.client.telling(2, { prefix: "d01", path: [3, 0, 9] }, nowMs)).toBe("unobserved");
  });

  it("ends with a confirmable 4.04 when the device is removed, and the registration is updated", async () => {
    await ask("GET", "/d01/3/0/9", { observe: 0 });
    await ask("GET", "/d02/3/0/9", { observe: 0 });
    gateway.remove("d01");
    await settle();
    expect(bench.server.notifications.map(({ delivery }) => delivery)).toEqual(["CON"]);
    expect(await notified()).toEqual(["4.04"]);
    expect(await ask("GET", "/d01/3/0/9")).toBe("4.04");
    // Changes of one second make one Update.
    await bench.clock.advance(2000);
    expect(utf8Decode(bench.server.last.payload)).toMatch(/<\/25>;ver=2.0,<\/25\/1>$/);
    d02.set([3, 0, 9], { value: 64, atMs: bench.clock.nowMs() });
    expect(await notified()).toEqual(["2.05 64"]);
  });
});

describe("composite operations over devices", () => {
  const names = (...paths: readonly string[]): string => JSON.stringify(paths.map((n) => ({ n })));
  const PATHS = names("/d01/3/0/0", "/d01/3/0/9", "/d02/3/0/0", "/d02/3/0/9");

  it("OMA Gateway §10: Read-Composite over two devices in LwM2M CBOR", async () => {
    const answer = await bench.server.ask("FETCH", "/", {
      contentFormat: ETCH_JSON,
      accept: LWM2M_CBOR,
      payload: PATHS,
    });
    // {["d01",3,0]:{0:"Company A",9:100},["d02",3,0]:{0:"Company B",9:65}}
    const a = "836364303103 00 a2 00 69436f6d70616e792041 09 1864";
    const b = "836364303203 00 a2 00 69436f6d70616e792042 09 1841";
    expect(toHex(answer?.payload ?? new Uint8Array())).toBe(`a2${a}${b}`.replaceAll(" ", ""));
  });

  it("mixes devices and the gateway's own objects; what is unknown is left out", async () => {
    const payload = names("/3/0/0", "/d01/3/0/0", "/d02/3/0/0", "/d03/3/0/0");
    expect(await ask("FETCH", "/", { contentFormat: ETCH_JSON, accept: JSON_, payload })).toBe(
      '2.05 [{"n":"/3/0/0","vs":"Causeway"},{"n":"/d01/3/0/0","vs":"Company A"},{"n":"/d02/3/0/0","vs":"Company B"}]',
    );
  });

  it("Observe-Composite tells of all of them, also after one is gone", async () => {
    const payload = names("/d01/3/0/9", "/d02/3/0/9");
    await ask("FETCH", "/", { contentFormat: ETCH_JSON, accept: JSON_, payload, observe: 0 });
    d02.set([3, 0, 9], { value: 64, atMs: bench.clock.nowMs() });
    expect(await notified()).toEqual(['2.05 [{"n":"/d01/3/0/9","v":100},{"n":"/d02/3/0/9","v":64}]']);
    gateway.remove("d01");
    expect(await notified()).toEqual(['2.05 [{"bn":"/d02/3/0/9","v":64}]']);
  });

  it.each([
    ["a device and the gateway", '[{"n":"/d01/3306/0/5850","vb":true},{"n":"/1/0/1","v":60}]', "2.04", [true], "60"],
    [
      "a device that refuses",
      '[{"n":"/d01/3306/0/5850","vb":true},{"n":"/d02/3306/0/5850","vb":true}]',
      "5.00",
      [true, false],
      "300",
    ],
    ["an unknown device", '[{"n":"/1/0/1","v":60},{"n":"/d03/3306/0/5850","vb":true}]', "4.04", [], "300"],
  ])("Write-Composite to %s is all or none", async (_, payload, answer, values, lifetime) => {
    expect(await ask("iPATCH", "/", { contentFormat: ETCH_JSON, payload })).toBe(answer);
    expect(written).toEqual(values);
    expect(await ask("GET", "/1/0/1")).toBe(`2.05 ${lifetime}`);
  });
});

describe("Send of a device's values", () => {
  const ENTRY: Entry = { prefix: "d01", path: [3, 0, 9], type: "integer", value: 100, atMs: AT_MS };
  const sends = (): number => bench.server.log.filter((line) => line === "POST /dp").length;
  const send = (entry: Entry): Promise<void> => bench.client.send([entry], new AbortController().signal, 1);

  it("waits until the server has read object 25", async () => {
    const sent = send(ENTRY);
    await bench.clock.advance(500);
    expect(sends()).toBe(0);
    await ask("GET", "/25");
    await sent;
    expect(sends()).toBe(1);
    expect(toHex(bench.server.last.payload)).toContain(toHex(Buffer.from("/d01/3/0/9")));
  });

  it("or until it has had two seconds for it", async () => {
    const sent = send(ENTRY);
    await bench.clock.advance(2000);
    await sent;
    expect(sends()).toBe(1);
  });

  it("own values do not wait", async () => {
    const { prefix: _, ...own } = ENTRY;
    await send(own);
    expect(sends()).toBe(1);
  });
});
