import { describe, expect, it } from "vitest";
import { utf8Decode } from "../../../src/base/bytes.js";
import { ALL_RIGHTS, INSTANCE_RIGHTS, NO_OWNER } from "../../../src/lwm2m/access.js";
import { ContentFormat } from "../../../src/lwm2m/codec/formats.js";
import { senmlJsonCodec } from "../../../src/lwm2m/codec/senml-json.js";
import { AccessControl, type AccessPolicy } from "../../../src/lwm2m/objects/access-control.js";
import { GatewayObject } from "../../../src/lwm2m/objects/gateway.js";
import { parsePath } from "../../../src/lwm2m/path.js";
import { MemoryState } from "../../../src/lwm2m/state/client-state.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import type { FakeClock } from "../../fakes/clock.js";
import { settle } from "../../fakes/clock.js";
import { type BenchOptions, model, shippedModels, startBench } from "../../fakes/lwm2m-client.js";
import type { FakeLwm2mServer } from "../../fakes/lwm2m-server.js";

const R = 1;
const RW = 3;
const C = 16;
const json = ContentFormat.senmlJson;

/** Server 1 may do everything; server 2 reads all but what is told otherwise; server 3 nothing. */
const policy: AccessPolicy = (server, objectId) => {
  if (server === 1) return ALL_RIGHTS;
  if (server === 3) return 0;
  if (objectId === 16) return R | C;
  return objectId === 3303 ? 0 : R;
};

async function start(options: BenchOptions & { readonly policy?: AccessPolicy | "none" } = {}) {
  let access: AccessControl | undefined;
  const bench = await startBench({
    accounts: [{}, {}, {}],
    ...options,
    access: (tree, clock) => {
      const by = options.policy === "none" ? undefined : (options.policy ?? policy);
      access = new AccessControl(tree, shippedModels, clock, by);
      return access;
    },
    prepare: (tree, server) => {
      tree.addObject(model(16), { by: "servers", create: () => new Map(), removed: () => undefined });
      for (const id of [0, 1]) {
        tree.addInstance(model(3303), id);
        tree.set([3303, id, 5700], { value: 20 + id, atMs: 0 });
        tree.set([3303, id, 5750], { value: "hall", atMs: 0 });
      }
      tree.addInstance(model(3308), 0);
      tree.set([3308, 0, 5900], { value: 19, atMs: 0 });
      options.prepare?.(tree, server);
    },
  });
  const { server: first, servers } = bench;
  if (access === undefined) throw new Error("there is no object 2");
  return { ...bench, access, first, second: servers[1] ?? first, third: servers[2] ?? first };
}

type Bench = Awaited<ReturnType<typeof start>>;

/** Target, owner and entries of the lists, as `/3303/0 owner 65535: 1=15 2=0`. */
function lists({ tree }: { readonly tree: ObjectTree }): readonly string[] {
  return [...(tree.objects.get(2)?.instances.values() ?? [])].map((instance) => {
    const value = (id: number) => String(instance.resources.get(id)?.samples.get(0)?.value);
    const rights = [...(instance.resources.get(2)?.samples ?? [])].map(([id, sample]) => `${id}=${sample.value}`);
    return `/${value(0)}/${value(1)} owner ${value(3)}: ${rights.join(" ")}`.trim();
  });
}

function listOf(bench: Bench, target: string): string | undefined {
  return lists(bench).find((list) => list.startsWith(`${target} `));
}

/** What a bootstrap server would write. */
function writeList(tree: ObjectTree, id: number, target: string, owner: number, rights: Record<number, number>): void {
  const [objectId = 0, instanceId = 0] = parsePath(target);
  tree.addInstance(model(2), id);
  for (const [resourceId, value] of [
    [0, objectId],
    [1, instanceId],
    [3, owner],
  ] as const) {
    tree.set([2, id, resourceId], { value, atMs: 0 });
  }
  for (const [server, value] of Object.entries(rights)) tree.set([2, id, 2, Number(server)], { value, atMs: 0 });
}

const payload = (values: Readonly<Record<string, string>>): { contentFormat: number; payload: Uint8Array } => ({
  contentFormat: json,
  payload: senmlJsonCodec.encode(
    Object.entries(values).map(([path, value]) => ({ path: parsePath(path), type: "string", value })),
    { target: [], nowMs: 0 },
  ),
});

const names = (...paths: readonly string[]) => ({
  contentFormat: json,
  accept: json,
  payload: JSON.stringify(paths.map((n) => ({ n }))),
});

it("a server that is the only one has all rights, and object 2 no instances", async () => {
  const bench = await start({ accounts: [{}], policy: () => 0 });
  expect(lists(bench)).toEqual([]);
  expect(await bench.first.text("PUT", "/3308/0/5900", { contentFormat: 0, payload: "21" })).toBe("2.04");
});

describe("lists by configuration", () => {
  it("stand for each instance of the gateway's own tree, and for objects whose instances servers may create", async () => {
    const bench = await start();
    expect([...lists(bench)].sort()).toEqual([
      "/1/0 owner 65535: 1=15 2=1 3=0",
      "/1/1 owner 65535: 1=15 2=7 3=0",
      "/1/2 owner 65535: 1=15 2=1 3=7",
      "/16/65535 owner 65535: 1=16 2=16",
      "/3/0 owner 65535: 1=15 2=1 3=0",
      "/3303/0 owner 65535: 1=15 2=0 3=0",
      "/3303/1 owner 65535: 1=15 2=0 3=0",
      "/3308/0 owner 65535: 1=15 2=1 3=0",
    ]);
  });

  it("are registered", async () => {
    const { first } = await start();
    expect(utf8Decode(first.last.payload)).toContain("</2/0>,</2/1>,</2/2>");
  });

  it("come and go with the instances", async () => {
    const bench = await start();
    bench.tree.addInstance(model(3303), 7);
    expect(listOf(bench, "/3303/7")).toBe("/3303/7 owner 65535: 1=15 2=0 3=0");
    bench.tree.removeInstance(3303, 7);
    expect(listOf(bench, "/3303/7")).toBeUndefined();
  });

  it("may be read by all and written by no server", async () => {
    const { first, third } = await start();
    expect(await third.text("GET", "/2/0/0")).toMatch(/^2\.05 \d/);
    expect(await first.text("PUT", "/2/0/2/3", { contentFormat: 0, payload: "15" })).toBe("4.01");
    expect(await first.text("DELETE", "/2/0")).toBe("4.05");
    expect(await first.text("POST", "/2", payload({}))).toBe("4.05");
  });
});

describe("what the second of three servers may do", () => {
  it.each([
    ["GET", "/3308/0/5900", {}, "2.05 19"],
    ["GET", "/3303/0/5700", {}, "4.01"],
    ["GET", "/3303/0", { accept: json }, "4.01"],
    ["GET", "/3303", { accept: json }, "2.05 []"],
    ["GET", "/3303/9", {}, "4.04"],
    ["GET", "/3303/0/5700", { observe: 0 }, "4.01"],
    ["GET", "/3303?depth=1", { accept: 40 }, "2.05 </3303>;ver=1.1,</3303/0>,</3303/1>"],
    ["PUT", "/3308/0/5900", { contentFormat: 0, payload: "21" }, "4.01"],
    ["PUT", "/3308/0?pmin=1", {}, "2.04"],
    ["PUT", "/3303/0?pmin=1", {}, "4.01"],
    ["PUT", "/3303?pmin=1", {}, "2.04"],
    ["POST", "/3/0/4", {}, "4.01"],
    ["DELETE", "/3/0", {}, "4.01"],
    ["POST", "/1/1/8", {}, "2.04"],
    ["POST", "/1/0/8", {}, "4.01"],
    ["FETCH", "/", names("/3303/0/5700", "/3308/0/5900"), '2.05 [{"bn":"/3308/0/5900","v":19}]'],
    ["FETCH", "/", names("/3303/0", "/3303/1/5700"), "4.01"],
    ["FETCH", "/", names("/3303"), "4.01"],
    ["FETCH", "/", names("/3303", "/3303/9"), "4.01"],
    ["FETCH", "/", names("/3303/9", "/3342"), "2.05 []"],
    ["FETCH", "/", { ...names("/3303/0"), observe: 0 }, "4.01"],
    ["iPATCH", "/", payload({ "/3308/0/5750": "x" }), "4.01"],
  ] as const)("%s %s", async (method, target, ask, answer) => {
    const { second } = await start();
    expect(await second.text(method, target, ask)).toBe(answer);
  });

  it("is none of what the first and the third may", async () => {
    const { first, third } = await start();
    expect(await first.text("PUT", "/3308/0/5900", { contentFormat: 0, payload: "21" })).toBe("2.04");
    expect(await first.text("GET", "/3308/0/5900")).toBe("2.05 21");
    expect(await third.text("GET", "/3308/0/5900")).toBe("4.01");
  });

  it("leaves nothing of a Write-Composite that is refused in part", async () => {
    const { first, second, tree } = await start({
      policy: (server, objectId) => (server === 2 && objectId === 3308 ? RW : R),
    });
    const both = payload({ "/3308/0/5750": "a", "/3303/0/5750": "b" });
    expect(await second.text("iPATCH", "/", both)).toBe("4.01");
    expect(tree.resource(3308, 0, 5750)).toBeUndefined();
    expect(await first.text("iPATCH", "/", both)).toBe("4.01");
  });
});

describe("an instance that a server creates", () => {
  const portfolio = payload({ "/16/0/0/0": "a" });

  it("is its own; others have what the configuration grants", async () => {
    const bench = await start();
    expect(await bench.second.text("POST", "/16", portfolio)).toBe("2.01 /16/0");
    expect(listOf(bench, "/16/0")).toBe("/16/0 owner 2: 1=15 3=0");
    expect(await bench.second.text("GET", "/16/0/0/0")).toBe("2.05 a");
    expect(await bench.third.text("GET", "/16/0/0/0")).toBe("4.01");
  });

  it("needs the right to create", async () => {
    const { third } = await start();
    expect(await third.text("POST", "/16", portfolio)).toBe("4.01");
  });

  it("is shared by its owner, by nobody else", async () => {
    const bench = await start();
    await bench.second.text("POST", "/16", portfolio);
    const id = [...(bench.tree.objects.get(2)?.instances.keys() ?? [])].at(-1);
    const grant = { contentFormat: json, payload: JSON.stringify([{ n: `/2/${id}/2/3`, v: 1 }]) };
    expect(await bench.first.text("POST", `/2/${id}`, grant)).toBe("4.01");
    expect(await bench.second.text("POST", `/2/${id}`, grant)).toBe("2.04");
    expect(await bench.third.text("GET", "/16/0/0/0")).toBe("2.05 a");
    expect(await bench.second.text("PUT", `/2/${id}/3`, { contentFormat: 0, payload: "3" })).toBe("2.04");
    expect(await bench.third.text("PUT", `/2/${id}/2/3`, { contentFormat: 0, payload: "9" })).toBe("2.04");
    expect(await bench.third.text("DELETE", "/16/0")).toBe("2.02");
    expect(listOf(bench, "/16/0")).toBeUndefined();
  });

  it("is told of once, together with its list", async () => {
    const { second, clock } = await start();
    await second.ask("POST", "/16", portfolio);
    await clock.advance(1000);
    expect(second.log.slice(1)).toEqual(["POST /rd/1"]);
  });
});

describe("lists of a bootstrap server", () => {
  it("are none as long as it writes none: all servers may do everything", async () => {
    const bench = await start({ policy: "none" });
    expect(lists(bench)).toEqual([]);
    expect(await bench.third.text("PUT", "/3308/0/5900", { contentFormat: 0, payload: "21" })).toBe("2.04");
    expect(await bench.third.text("POST", "/16", payload({ "/16/0/0/0": "a" }))).toBe("2.01 /16/0");
    expect(lists(bench)).toEqual([]);
  });

  it("are all there is: no list, no rights, but for siblings of what no server owns", async () => {
    const bench = await start({
      policy: "none",
      prepare: (tree) => {
        writeList(tree, 4, "/3303/0", NO_OWNER, { 0: R });
        writeList(tree, 9, "/3308/0", 1, { 2: R });
      },
    });
    expect(lists(bench)).toEqual(["/3303/0 owner 65535: 0=1", "/3308/0 owner 1: 2=1", "/3303/1 owner 65535: 0=1"]);
    expect(await bench.third.text("GET", "/3303/1/5700")).toBe("2.05 21");
    expect(await bench.first.text("PUT", "/3308/0/5900", { contentFormat: 0, payload: "21" })).toBe("2.04");
    expect(await bench.second.text("GET", "/3/0/0")).toBe("4.01");
  });

  it("go before those of the configuration, which fill the rest", async () => {
    const bench = await start();
    writeList(bench.tree, 100, "/3303/0", NO_OWNER, { 3: RW });
    bench.access.refresh();
    expect(listOf(bench, "/3303/0")).toBe("/3303/0 owner 65535: 3=3");
    expect(listOf(bench, "/3303/1")).toBe("/3303/1 owner 65535: 1=15 2=0 3=0");
    expect(await bench.first.text("GET", "/3303/0/5700")).toBe("4.01");
    const { instances, factory } = bench.tree.objects.get(2) ?? {};
    expect([...(instances?.keys() ?? [])].filter((id) => factory?.isKept?.(id) === true)).toEqual([100]);
  });
});

describe("a server that leaves", () => {
  it("loses its entries; what it owned alone goes, the rest has a new owner", async () => {
    const bench = await start({ policy: (server) => (server === 3 ? 0 : ALL_RIGHTS) });
    const { tree, second, access } = bench;
    tree.addInstance(model(16), 5);
    tree.addInstance(model(16), 6);
    writeList(tree, 50, "/16/5", 2, { 1: RW, 2: INSTANCE_RIGHTS });
    writeList(tree, 51, "/16/6", 2, { 2: INSTANCE_RIGHTS });
    expect(await second.text("DELETE", "/16/9")).toBe("4.04");
    tree.removeInstance(1, 1);
    access.forgetServer(2);
    expect(listOf(bench, "/16/5")).toBe("/16/5 owner 1: 1=3");
    expect(tree.instance(16, 6)).toBeUndefined();
    expect(listOf(bench, "/16/6")).toBeUndefined();
    expect(listOf(bench, "/3303/0")).toBe("/3303/0 owner 65535: 1=15 3=0");
  });
});

describe("a notification", () => {
  it("ends when the right is lost, without a value", async () => {
    const { second, tree, access } = await start({ policy: () => R });
    expect(await second.text("GET", "/3303/0/5700", { observe: 0 })).toBe("2.05 20");
    writeList(tree, 100, "/3303/0", NO_OWNER, { 1: R });
    access.refresh();
    tree.set([3303, 0, 5700], { value: 25, atMs: 1 });
    await settle();
    expect(second.notifications.map(({ response }) => [response.code, response.payload.length > 0])).toEqual([
      [0x81, true],
    ]);
    tree.set([3303, 0, 5700], { value: 26, atMs: 2 });
    await settle();
    expect(second.notifications).toHaveLength(1);
  });

  it("of an object has only the instances that may be read, and comes only for them", async () => {
    const { second, tree } = await start({
      policy: () => R,
      prepare: (tree) => writeList(tree, 100, "/3303/1", NO_OWNER, { 1: R }),
    });
    expect(await second.text("GET", "/3303", { observe: 0, accept: json })).not.toContain("/3303/1");
    tree.set([3303, 1, 5700], { value: 25, atMs: 1 });
    await settle();
    expect(second.notifications).toEqual([]);
    tree.set([3303, 0, 5700], { value: 26, atMs: 1 });
    await settle();
    expect(utf8Decode(second.notifications[0]?.response.payload ?? new Uint8Array())).not.toContain("/3303/1");
  });
});

describe("behind a prefix", () => {
  const gateway = (tree: ObjectTree, clock: FakeClock): GatewayObject => {
    const behind = new ObjectTree();
    behind.addInstance(model(3303), 0);
    behind.set([3303, 0, 5750], { value: "cellar", atMs: 0 });
    const object = new GatewayObject(tree, shippedModels, clock);
    object.add({ instanceId: 0, deviceId: "urn:d01", prefix: "d01", tree: behind });
    return object;
  };

  it("all servers have all rights; to its instance of object 25 they have those of its list", async () => {
    const { third, first } = await start({ gateway });
    expect(await third.text("GET", "/d01/3303/0/5750")).toBe("2.05 cellar");
    expect(await third.text("GET", "/25/0/1")).toBe("4.01");
    expect(await first.text("GET", "/25/0/1")).toBe("2.05 d01");
  });
});

async function sent(server: FakeLwm2mServer): Promise<readonly string[]> {
  await settle();
  return server.log.filter((line) => line.startsWith("POST /dp"));
}

describe("Send", () => {
  const atMs = Date.UTC(2026, 0, 1);
  it("has only what the server may read", async () => {
    const { client, first, second } = await start({ accounts: [{ send: "open" }, { send: "open" }] });
    const entries = [
      { path: [3303, 0, 5700], type: "float", value: 21.5, atMs },
      { path: [3308, 0, 5900], type: "float", value: 19.5, atMs },
    ] as const;
    await client.send(entries, new AbortController().signal);
    expect(await sent(first)).toHaveLength(1);
    expect(await sent(second)).toHaveLength(1);
    expect(first.last.payload.length).toBeGreaterThan(second.last.payload.length);
    await client.send(entries.slice(0, 1), new AbortController().signal);
    expect(await sent(first)).toHaveLength(2);
    expect(await sent(second)).toHaveLength(1);
  });
});

describe("over restarts", () => {
  const portfolio = payload({ "/16/0/0/0": "a" });

  it("what servers own and share stays; what the configuration says is taken from there anew", async () => {
    const state = new MemoryState();
    const before = await start({ state });
    await before.second.text("POST", "/16", portfolio);
    const id = [...(before.tree.objects.get(2)?.instances.keys() ?? [])].at(-1);
    await before.second.text("PUT", `/2/${id}/2/3`, { contentFormat: 0, payload: "1" });
    await settle();
    const kept = [...state.load("instances").keys()];
    expect(kept.filter((key) => key.startsWith("/2/"))).toEqual([`/2/${id}`]);

    const after = await start({ state, policy: (server, objectId) => (objectId === 3 ? 0 : policy(server, objectId)) });
    expect(listOf(after, "/16/0")).toBe("/16/0 owner 2: 1=15 3=1");
    expect(listOf(after, "/3/0")).toBe("/3/0 owner 65535: 1=0 2=0 3=0");
    expect(await after.third.text("GET", "/16/0/0/0")).toBe("2.05 a");
    expect(await after.first.text("GET", "/3/0/0")).toBe("4.01");
  });
});
