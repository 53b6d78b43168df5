import { expect, it } from "vitest";
import { utf8Decode } from "../../src/base/bytes.js";
import type { CoapResponse } from "../../src/coap/request.js";
import { type AccessControlList, RIGHTS, rightsOf } from "../../src/lwm2m/access.js";
import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { AccessControl } from "../../src/lwm2m/objects/access-control.js";
import { addStoredObject } from "../../src/lwm2m/objects/stored.js";
import type { ObjectTree } from "../../src/lwm2m/tree.js";
import { settle } from "../fakes/clock.js";
import { model, shippedModels, startBench } from "../fakes/lwm2m-client.js";
import type { Ask, FakeLwm2mServer } from "../fakes/lwm2m-server.js";
import { random } from "../fakes/random.js";

const SERVERS = 3;
const OBJECTS = [3303, 3304, 3308];
const INSTANCES = 4;
const STEPS = 1000;
const json = ContentFormat.senmlJson;
const { seed, next, below } = random();

const pick = <T>(from: readonly T[]): T => {
  const found = from[below(from.length)];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
};
const secretOf = (objectId: number, instanceId: number): string => `secret-${objectId}-${instanceId}-`;

/** What the tree's lists grant, found without the code under test. */
function mayRead(tree: ObjectTree, server: number, objectId: number, instanceId: number): boolean {
  let list: AccessControlList | undefined;
  for (const { resources } of tree.objects.get(2)?.instances.values() ?? []) {
    const single = (id: number) => Number(resources.get(id)?.samples.get(0)?.value);
    if (single(0) !== objectId || single(1) !== instanceId) continue;
    const rights = [...(resources.get(2)?.samples ?? [])].map(([id, { value }]) => [id, Number(value)] as const);
    list = { owner: single(3), rights: new Map(rights) };
  }
  return (rightsOf(list, server) & RIGHTS.read) !== 0;
}

it(`no answer, notification or Send ever holds what its server may not read (seed ${seed})`, async () => {
  const bits = new Map<string, number>();
  const policy = (server: number, objectId: number): number => {
    const key = `${server}/${objectId}`;
    bits.set(key, bits.get(key) ?? below(32));
    return bits.get(key) ?? 0;
  };
  const bench = await startBench({
    accounts: Array.from({ length: SERVERS }, () => ({ send: "open" as const })),
    access: (tree, clock) => new AccessControl(tree, shippedModels, clock, policy),
    prepare(tree) {
      addStoredObject(tree, shippedModels, 16);
      for (const objectId of OBJECTS) for (let id = 0; id < INSTANCES; id++) tree.addInstance(model(objectId), id);
    },
  });
  const { tree, clock, servers, client } = bench;
  let count = 0;
  const change = (objectId: number, instanceId: number): void => {
    const value = `${secretOf(objectId, instanceId)}${++count}`;
    tree.set([objectId, instanceId, 5750], { value, atMs: clock.nowMs() });
  };
  for (const objectId of OBJECTS) for (let id = 0; id < INSTANCES; id++) change(objectId, id);

  let seen = 0;
  const inspect = (server: number, payload: Uint8Array, step: string): void => {
    const text = utf8Decode(payload) ?? Buffer.from(payload).toString("latin1");
    for (const [, objectId, instanceId] of text.matchAll(/secret-(\d+)-(\d+)-/g)) {
      seen++;
      const isAllowed = mayRead(tree, server, Number(objectId), Number(instanceId));
      expect(isAllowed, `${step}: server ${server} got /${objectId}/${instanceId}`).toBe(true);
    }
  };
  const anyPath = (): string => {
    const depth = pick([1, 2, 2, 3]);
    return `/${[pick([...OBJECTS, 16]), below(INSTANCES), pick([5750, 5700, 0])].slice(0, depth).join("/")}`;
  };
  const composite = (): Ask => {
    const paths = Array.from({ length: 1 + below(3) }, () => (next() < 0.1 ? "/" : anyPath()));
    return { contentFormat: json, accept: json, payload: JSON.stringify([...new Set(paths)].map((n) => ({ n }))) };
  };
  const ask = async (server: FakeLwm2mServer, id: number): Promise<string> => {
    const instanceId = below(INSTANCES);
    const write = (records: readonly object[]): Ask => ({ contentFormat: json, payload: JSON.stringify(records) });
    const observe = next() < 0.3 ? { observe: 0 } : {};
    const [method, target, more]: readonly ["GET" | "FETCH" | "POST" | "DELETE", string, Ask] = pick([
      ["GET", anyPath(), { accept: json, ...observe }],
      ["FETCH", "/", { ...composite(), ...observe }],
      ["POST", "/16", write([{ n: `/16/${instanceId}/0/0`, vs: secretOf(16, instanceId) }])],
      ["DELETE", `/16/${below(INSTANCES)}`, {}],
      ["POST", pickList(tree), write([{ n: `${pickList(tree)}/2/${1 + below(SERVERS)}`, v: below(16) }])],
    ]);
    const response: CoapResponse | undefined = await server.ask(method, target, more);
    if (method === "GET" || method === "FETCH")
      inspect(id, response?.payload ?? new Uint8Array(), `${method} ${target}`);
    return method;
  };
  for (let step = 0; step < STEPS; step++) {
    const id = 1 + below(SERVERS);
    const server = servers[id - 1];
    if (server === undefined) throw new Error("no such server");
    if (next() < 0.5) change(pick(OBJECTS), below(INSTANCES));
    else await ask(server, id);
    if (next() < 0.02) {
      const entries = OBJECTS.map((objectId) => ({
        path: [objectId, 1, 5750],
        type: "string" as const,
        value: secretOf(objectId, 1),
      }));
      await client.send(entries, new AbortController().signal);
    }
    await settle();
    for (const [index, each] of servers.entries()) {
      for (const { response } of each.notifications.splice(0)) inspect(index + 1, response.payload, "a notification");
      for (const { path, payload } of each.requests.splice(0))
        if (path[0] === "dp") inspect(index + 1, payload, "a Send");
    }
    if (step % 100 === 0) await clock.advance(1000);
  }
  expect(seen).toBeGreaterThan(STEPS / 10);
});

function pickList(tree: ObjectTree): string {
  return `/2/${pick([...(tree.objects.get(2)?.instances.keys() ?? [0])])}`;
}
