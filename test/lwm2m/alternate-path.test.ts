import { describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, toHex, utf8Decode } from "../../src/base/bytes.js";
import { encodeBlock } from "../../src/coap/block.js";
import { OptionNumber } from "../../src/coap/options.js";
import { codecOf } from "../../src/lwm2m/codec/formats.js";
import { GatewayObject } from "../../src/lwm2m/objects/gateway.js";
import { MemoryState } from "../../src/lwm2m/state/client-state.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import { settle } from "../fakes/clock.js";
import { CoapPeerFake } from "../fakes/coap-peer.js";
import { type Bench, type BenchOptions, model, shippedModels, startBench } from "../fakes/lwm2m-client.js";
import { formatResponse } from "../fakes/lwm2m-server.js";

const TEXT = 0;
const LINKS = 40;
const SENML_JSON = 110;
const SENML_CBOR = 112;
const ETCH_JSON = 320;
const TLV = 11542;
const JSON_1_0 = 11543;
const LWM2M_CBOR = 11544;
const AT_MS = Date.UTC(2026, 0, 1);

/** A temperature of the gateway's own, a set point behind d01, and an object whose instances servers create. */
async function start(options: BenchOptions = {}): Promise<Bench> {
  return startBench({
    alternatePath: ["lwm2m"],
    prepare(tree) {
      tree.addInstance(model(3303), 0);
      tree.set([3303, 0, 5700], { value: 21.5, atMs: AT_MS });
      tree.addObject(model(16), { by: "servers", create: () => new Map(), removed: () => undefined });
    },
    gateway(tree, clock) {
      const d01 = new ObjectTree();
      d01.addInstance(model(3308), 0);
      d01.set([3308, 0, 5900], { value: 19, atMs: AT_MS });
      const gateway = new GatewayObject(tree, shippedModels, clock);
      gateway.add({ instanceId: 0, deviceId: "urn:dev:os:32473-101", prefix: "d01", tree: d01 });
      return gateway;
    },
    ...options,
  });
}

async function notified({ server }: Bench): Promise<string[]> {
  await settle();
  return server.notifications
    .splice(0)
    .map(({ request, response }) => `/${request.path.join("/")} ${formatResponse(response)}`);
}

describe("with an alternate path, the registration", () => {
  it("tells of it by the type of the root, and lists all objects below it", async () => {
    const { server } = await start();
    expect(server.log[0]).toMatch(/^POST \/rd\?/);
    expect(utf8Decode(server.requests[0]?.payload ?? NO_BYTES)).toBe(
      '</lwm2m>;rt="oma.lwm2m";ct="112 110 60 11542 11544 322 320",</lwm2m/1/0>,</lwm2m/3/0>,</lwm2m/16>,' +
        "</lwm2m/25>;ver=2.0,</lwm2m/25/0>,</lwm2m/3303>;ver=1.1,</lwm2m/3303/0>",
    );
  });

  it("has it in the object list of an Update", async () => {
    const { server, tree, clock } = await start();
    tree.addInstance(model(3303), 1);
    await clock.advance(2000);
    expect(server.log.slice(1)).toEqual(["POST /rd/1"]);
    expect(utf8Decode(server.last.payload)).toMatch(/,<\/lwm2m\/3303\/0>,<\/lwm2m\/3303\/1>$/);
  });

  it("may have several segments", async () => {
    const { server } = await start({ alternatePath: ["a", "b.c"] });
    expect(utf8Decode(server.requests[0]?.payload ?? NO_BYTES)).toMatch(
      /^<\/a\/b\.c>;rt="oma\.lwm2m";ct="[\d ]+",<\/a\/b\.c\/1\/0>,/,
    );
    expect(await server.text("GET", "/a/b.c/3303/0/5700")).toBe("2.05 21.5");
    expect(await server.text("GET", "/a/3303/0/5700")).toBe("4.04");
    expect(await server.text("GET", "/a/b.c/d01/3308/0", { accept: SENML_JSON })).toBe(
      '2.05 [{"bn":"/a/b.c/d01/3308/0/5900","v":19}]',
    );
  });
});

describe("with an alternate path, requests", () => {
  it.each([
    ["GET", "/3303/0/5700", {}],
    ["GET", "/3", { accept: LINKS }],
    ["GET", "/d01/3308/0/5900", {}],
    ["GET", "/other/3303/0/5700", {}],
    ["PUT", "/1/0/1", { contentFormat: TEXT, payload: "60" }],
    ["PUT", "/1/0/1?pmin=1", {}],
    ["POST", "/3/0/4", {}],
    ["DELETE", "/16/0", {}],
    ["FETCH", "/", { contentFormat: SENML_JSON, payload: '[{"n":"/lwm2m/3303/0/5700"}]' }],
    ["iPATCH", "/", { contentFormat: SENML_JSON, payload: '[{"n":"/lwm2m/1/0/1","v":60}]' }],
  ] as const)("%s %s is not found", async (method, path, more) => {
    const { server, reboots } = await start();
    expect(await server.text(method, path, more)).toBe("4.04");
    expect(await server.text("GET", "/lwm2m/1/0/1")).toBe("2.05 300");
    expect(reboots()).toBe(0);
  });

  it.each([
    ["GET", "/lwm2m/3303/0/5700", {}, "2.05 21.5"],
    ["GET", "/lwm2m/d01/3308/0/5900", {}, "2.05 19"],
    ["GET", "/lwm2m/d02/3308/0/5900", {}, "4.04"],
    ["GET", "/lwm2m", {}, "4.05"],
    ["GET", "/lwm2m/lwm2m/3/0", {}, "4.04"],
    ["GET", "/lwm2m/0/0", {}, "4.01"],
    ["POST", "/lwm2m/3/0/4", {}, "2.04"],
    ["GET", "/lwm2m/3303/0/5700", { accept: SENML_JSON }, '2.05 [{"bn":"/lwm2m/3303/0/5700","v":21.5}]'],
    ["GET", "/lwm2m/d01/3308/0/5900", { accept: SENML_JSON }, '2.05 [{"bn":"/lwm2m/d01/3308/0/5900","v":19}]'],
    ["GET", "/lwm2m/1/0/7", { accept: LINKS }, "2.05 </lwm2m/1/0/7>"],
    ["GET", "/lwm2m/d01/3308", { accept: LINKS }, "2.05 </lwm2m/3308>;ver=1.1,</lwm2m/3308/0>,</lwm2m/3308/0/5900>"],
    ["GET", "/lwm2m/25/0/3", {}, "2.05 </3308>;ver=1.1,</3308/0>"],
  ] as const)("%s %s %o is answered with %s", async (method, path, more, answer) => {
    const { server } = await start();
    expect(await server.text(method, path, more)).toBe(answer);
  });

  it.each([
    ["text", TEXT, toHex(Buffer.from("21.5"))],
    ["TLV", TLV, "e41644 41ac0000"],
    ["LwM2M CBOR", LWM2M_CBOR, "a1 83 190ce7 00 191644 f94d60"],
    ["the JSON of LwM2M 1.0", JSON_1_0, toHex(Buffer.from('{"bn":"/3303/0/5700","e":[{"v":21.5}]}'))],
  ])("%s has no place for it", async (_, accept, payload) => {
    const { server } = await start();
    const answer = await server.ask("GET", "/lwm2m/3303/0/5700", { accept });
    expect(toHex(answer?.payload ?? NO_BYTES)).toBe(payload.replaceAll(" ", ""));
  });

  it.each([
    ["SenML JSON", "/lwm2m/1/0", SENML_JSON, '[{"bn":"/lwm2m/1/0/","n":"1","v":60}]', "2.04"],
    ["SenML JSON without it", "/lwm2m/1/0", SENML_JSON, '[{"n":"/1/0/1","v":60}]', "4.00"],
    ["SenML JSON with another", "/lwm2m/1/0", SENML_JSON, '[{"n":"/lwm2/1/0/1","v":60}]', "4.00"],
    ["SenML JSON with a prefix, too", "/lwm2m/1/0", SENML_JSON, '[{"n":"/lwm2m/d01/1/0/1","v":60}]', "4.00"],
    ["SenML CBOR", "/lwm2m/1/0", SENML_CBOR, fromHex("81a2006c2f6c776d326d2f312f302f3102183c"), "2.04"],
    ["TLV", "/lwm2m/1/0", TLV, fromHex("c1013c"), "2.04"],
    ["LwM2M CBOR", "/lwm2m/1/0", LWM2M_CBOR, fromHex("a183010001183c"), "2.04"],
  ])("takes a Write in %s", async (_, path, contentFormat, payload, answer) => {
    const { server } = await start();
    expect(await server.text("POST", path, { contentFormat, payload })).toBe(answer);
    expect(await server.text("GET", "/lwm2m/1/0/1")).toBe(answer === "2.04" ? "2.05 60" : "2.05 300");
  });

  it.each([
    ['[{"n":"/lwm2m/d01/3308/0/5900","v":20}]', "2.04"],
    ['[{"n":"/d01/3308/0/5900","v":20}]', "4.00"],
    ['[{"n":"/lwm2m/3308/0/5900","v":20}]', "4.00"],
  ])("behind a prefix, a Write of %s is answered with %s", async (payload, answer) => {
    const { server } = await start();
    expect(await server.text("PUT", "/lwm2m/d01/3308/0/5900", { contentFormat: SENML_JSON, payload })).toBe(answer);
  });

  it("creates below it", async () => {
    const { server } = await start();
    const named = { contentFormat: SENML_JSON, payload: '[{"n":"/lwm2m/16/4/0/0","vs":"a"}]' };
    expect(await server.text("POST", "/lwm2m/16", named)).toBe("2.01 /lwm2m/16/4");
    expect(await server.text("DELETE", "/lwm2m/16/4")).toBe("2.02");
  });
});

describe("with an alternate path, composite operations", () => {
  const bothPaths = '[{"n":"/lwm2m/3303/0/5700"},{"n":"/lwm2m/d01/3308/0/5900"}]';

  it("read below it, and answer with it", async () => {
    const { server } = await start();
    const ask = { contentFormat: ETCH_JSON, accept: SENML_JSON, payload: bothPaths };
    expect(await server.text("FETCH", "/lwm2m", ask)).toBe(
      '2.05 [{"n":"/lwm2m/3303/0/5700","v":21.5},{"n":"/lwm2m/d01/3308/0/5900","v":19}]',
    );
  });

  it("answer in LwM2M CBOR without it", async () => {
    const { server } = await start();
    const ask = { contentFormat: SENML_JSON, accept: LWM2M_CBOR, payload: '[{"n":"/lwm2m/3303/0/5700"}]' };
    expect(await server.text("FETCH", "/lwm2m", ask)).toBe("2.05 a183190ce700191644f94d60");
  });

  it("read everything when the path itself is named", async () => {
    const { server } = await start();
    const ask = { contentFormat: SENML_JSON, accept: SENML_JSON, payload: '[{"n":"/lwm2m"}]' };
    const names = JSON.parse((await server.text("FETCH", "/lwm2m", ask)).slice(5)).map(
      ({ bn = "", n = "" }: { bn?: string; n?: string }) => `${bn}${n}`,
    );
    expect(names).toContain("/lwm2m/3303/0/5700");
  });

  it.each([
    ["FETCH", '[{"n":"/3303/0/5700"}]'],
    ["FETCH", '[{"n":"/"}]'],
    ["iPATCH", '[{"n":"/1/0/1","v":60}]'],
  ] as const)("%s refuses %s, a name that is not below it", async (method, payload) => {
    const { server } = await start();
    expect(await server.text(method, "/lwm2m", { contentFormat: SENML_JSON, payload })).toBe("4.00");
  });

  it("write below it", async () => {
    const { server } = await start();
    const payload = '[{"n":"/lwm2m/1/0/1","v":60},{"n":"/lwm2m/d01/3308/0/5900","v":20}]';
    expect(await server.text("iPATCH", "/lwm2m", { contentFormat: SENML_JSON, payload })).toBe("2.04");
    expect(await server.text("GET", "/lwm2m/1/0/1")).toBe("2.05 60");
    expect(await server.text("GET", "/lwm2m/d01/3308/0/5900")).toBe("2.05 20");
  });

  it("observe below it", async () => {
    const bench = await start();
    const ask = { contentFormat: SENML_JSON, accept: SENML_JSON, payload: bothPaths, observe: 0 };
    await bench.server.ask("FETCH", "/lwm2m", ask);
    bench.tree.set([3303, 0, 5700], { value: 22, atMs: bench.clock.nowMs() });
    expect(await notified(bench)).toEqual([
      '/lwm2m 2.05 [{"n":"/lwm2m/3303/0/5700","v":22},{"n":"/lwm2m/d01/3308/0/5900","v":19}]',
    ]);
  });
});

describe("with an alternate path, notifications", () => {
  it("have it in the path by which later blocks are asked for, and in their names", async () => {
    const bench = await start();
    await bench.server.ask("GET", "/lwm2m/3303/0/5700", { observe: 0, accept: SENML_JSON });
    bench.tree.set([3303, 0, 5700], { value: 22, atMs: bench.clock.nowMs() });
    expect(await notified(bench)).toEqual(['/lwm2m/3303/0/5700 2.05 [{"bn":"/lwm2m/3303/0/5700","v":22}]']);
  });

  it("are asked for block by block below it", async () => {
    const bench = await start();
    const text = "x".repeat(1500);
    await bench.server.ask("GET", "/lwm2m/3303/0", { observe: 0, accept: SENML_JSON });
    bench.tree.set([3303, 0, 5750], { value: text, atMs: bench.clock.nowMs() });
    await settle();
    const [notification] = bench.server.notifications;
    const peer = new CoapPeerFake();
    if (notification !== undefined) void peer.endpoint.notify(notification);
    const [first] = peer.heard();
    const second = { number: OptionNumber.Block2, value: encodeBlock({ number: 1, more: false, size: 1024 }) };
    const path = ["lwm2m", "3303", "0"].map((value) => ({ number: OptionNumber.UriPath, value }));
    const accept = { number: OptionNumber.Accept, value: SENML_JSON };
    const [rest] = peer.tell({ messageId: 7, options: [...path, accept, second] });
    const whole = `${utf8Decode(first?.payload ?? NO_BYTES)}${utf8Decode(rest?.payload ?? NO_BYTES)}`;
    expect(whole).toBe(`[{"bn":"/lwm2m/3303/0/","n":"5700","v":21.5},{"n":"5750","vs":"${text}"}]`);
  });

  it("go on after a restart", async () => {
    const state = new MemoryState();
    const before = await start({ state });
    await before.server.ask("GET", "/lwm2m/3303/0/5700", { observe: 0, accept: SENML_JSON });
    expect([...state.load("observations").values()]).toContainEqual(
      expect.objectContaining({ path: ["3303", "0", "5700"] }),
    );
    const after = await start({ state });
    after.tree.set([3303, 0, 5700], { value: 22, atMs: after.clock.nowMs() });
    expect(await notified(after)).toEqual(['/lwm2m/3303/0/5700 2.05 [{"bn":"/lwm2m/3303/0/5700","v":22}]']);
  });
});

describe("when the alternate path is another after a restart", () => {
  it.each([
    [["lwm2m"], []],
    [[], ["lwm2m"]],
    [["lwm2m"], ["lwm2"]],
  ])("from %o to %o, the client registers anew and nothing is observed", async (path, next) => {
    const state = new MemoryState();
    const before = await start({ state, alternatePath: path });
    await before.server.ask("GET", [...path, "3303/0/5700"].join("/"), { observe: 0 });
    const after = await start({ state, alternatePath: next });
    expect(after.server.log).toEqual([expect.stringMatching(/^POST \/rd\?/)]);
    expect(after.client.registrations).toMatchObject([{ state: "registered", observations: 0 }]);
    expect([...state.load("observations").keys()].filter((key) => key.includes("/"))).toEqual([]);
  });

  it("goes on without a Register when it is not", async () => {
    const state = new MemoryState();
    await start({ state });
    const after = await start({ state });
    expect(after.server.log).toEqual(["POST /rd/1"]);
  });
});

describe("with an alternate path, Send", () => {
  it("goes to /dp, and has it in its names", async () => {
    const { client, server, tree } = await start();
    tree.set([1, 0, 23], { value: false, atMs: AT_MS });
    const entry = { path: [3303, 0, 5700], type: "float", value: 21.5, atMs: AT_MS } as const;
    const entries = [entry, { ...entry, path: [3308, 0, 5900], prefix: "d01" }];
    await server.text("GET", "/lwm2m/25");
    await client.send(entries, new AbortController().signal);
    expect(server.log.at(-1)).toBe("POST /dp");
    expect(client.sendBytes(entries)).toBe(server.last.payload.length);
    const decoded = codecOf(SENML_CBOR)?.decode(server.last.payload, {
      target: [],
      resource: (objectId, resourceId) => model(objectId).resources.get(resourceId),
      nowMs: AT_MS,
    });
    expect(decoded).toMatchObject([
      { path: [3303, 0, 5700], prefix: "lwm2m" },
      { path: [3308, 0, 5900], prefix: "lwm2m/d01" },
    ]);
  });
});

describe("with an alternate path, the bootstrap server", () => {
  it("is asked, and writes, without it", async () => {
    const { bootstrapServer, clock } = await start({ accounts: [], bootstrap: {} });
    await clock.advance(10_000);
    expect(bootstrapServer.log).toEqual([expect.stringMatching(/^POST \/bs\?/)]);
    expect(await bootstrapServer.text("GET", "/1", { accept: LINKS })).toMatch(/^2\.05 <\/>;lwm2m=1\.2,<\/1>/);
    expect(await bootstrapServer.text("GET", "/lwm2m/1", { accept: LINKS })).toBe("4.05");
    const server = '[{"bn":"/1/0/","n":"0","v":5},{"n":"1","v":60},{"n":"6","vb":true},{"n":"7","vs":"U"}]';
    expect(await bootstrapServer.text("PUT", "/1/0", { contentFormat: SENML_JSON, payload: server })).toBe("2.04");
  });
});
