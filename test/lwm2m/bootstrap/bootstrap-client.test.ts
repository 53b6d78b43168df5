import { describe, expect, it } from "vitest";
import { utf8Decode } from "../../../src/base/bytes.js";
import type { ServerAccount } from "../../../src/lwm2m/client.js";
import { AccessControl } from "../../../src/lwm2m/objects/access-control.js";
import { MemoryState } from "../../../src/lwm2m/state/client-state.js";
import { settle } from "../../fakes/clock.js";
import { type Bench, type BenchOptions, model, shippedModels, startBench } from "../../fakes/lwm2m-client.js";
import type { FakeLwm2mServer } from "../../fakes/lwm2m-server.js";

const JSON_FORMAT = 110;
const TEXT = 0;
const REQUEST = "POST /bs?ep=urn:dev:os:32473-1&pct=112";
const REGISTER = "POST /rd?ep=urn:dev:os:32473-1&lt=60&lwm2m=1.2&b=U";

/** Writes the account of server `shortServerId` into the same instance of objects 0 and 1. */
async function give(
  server: FakeLwm2mServer,
  instanceId: number,
  { shortServerId = instanceId + 1, lifetimeS = 60 }: Partial<ServerAccount> = {},
  more: readonly object[] = [],
): Promise<void> {
  const put = async (target: string, records: readonly object[]): Promise<void> => {
    const payload = JSON.stringify(records);
    expect(await server.text("PUT", target, { contentFormat: JSON_FORMAT, payload })).toBe("2.04");
  };
  await put(`/0/${instanceId}`, [
    { bn: `/0/${instanceId}/`, n: "0", vs: `coap://192.0.2.${shortServerId}:5683` },
    { n: "1", vb: false },
    { n: "2", v: 3 },
    { n: "10", v: shortServerId },
  ]);
  await put(`/1/${instanceId}`, [
    { bn: `/1/${instanceId}/`, n: "0", v: shortServerId },
    { n: "1", v: lifetimeS },
    { n: "6", vb: true },
    { n: "7", vs: "U" },
    ...more,
  ]);
}

async function finish({ clock, bootstrapServer }: Bench): Promise<void> {
  expect(await bootstrapServer.text("POST", "/bs")).toBe("2.04");
  await clock.advance(100);
}

/** A client with nothing but a bootstrap server, whose session has begun. `server` will be what it is given. */
async function asked(options: BenchOptions = {}): Promise<Bench> {
  const bench = await startBench({ accounts: [], bootstrap: {}, ...options });
  await bench.clock.advance(100);
  expect(bench.bootstrapServer.log).toEqual([REQUEST]);
  return bench;
}

describe("a client with a bootstrap server only", () => {
  it("int-0, int-101: registers where the bootstrap server says", async () => {
    const bench = await asked();
    const { server, bootstrapServer, client } = bench;
    expect(client.registrations).toEqual([]);
    await give(bootstrapServer, 0);
    expect(server.log).toEqual([]);
    await finish(bench);
    expect(server.log).toEqual([REGISTER]);
    expect(utf8Decode(server.last.payload)).toContain("</1/0>,</3/0>");
    expect(client.registrations).toMatchObject([
      { shortServerId: 1, uri: "coap://192.0.2.1:5683", state: "registered" },
    ]);
    expect(await server.text("GET", "/1/0/1", { accept: TEXT })).toBe("2.05 60");
  });

  it("tells which accounts it has", async () => {
    const bench = await asked();
    let told = 0;
    bench.client.onAccounts(() => told++);
    await give(bench.bootstrapServer, 0, { shortServerId: 7 });
    await finish(bench);
    expect(told).toBe(1);
    expect(bench.client.accounts).toMatchObject([{ shortServerId: 7, lifetimeS: 60 }]);
  });

  it("asks again as long as nobody answers", async () => {
    const { clock, bootstrapServer, client } = await startBench({
      accounts: [],
      bootstrap: {},
      prepare: (_tree, _server) => undefined,
    });
    bootstrapServer.answers.push("COAP_TIMEOUT", "COAP_UNREACHABLE", "5.03");
    await clock.advance(100 + 1000 + 2000 + 4000);
    expect(bootstrapServer.requests).toHaveLength(4);
    expect(client.bootstrap).toMatchObject({ state: "serving" });
  });

  it("keeps the accounts over a restart, and asks for no others", async () => {
    const state = new MemoryState();
    const bench = await asked({ state });
    await give(bench.bootstrapServer, 0);
    await finish(bench);
    await bench.client.close();
    const again = await startBench({ accounts: [], bootstrap: {}, state });
    await again.clock.advance(1000);
    expect(again.bootstrapServer.log).toEqual([]);
    expect(again.client.registrations).toMatchObject([{ shortServerId: 1, state: "registered" }]);
  });

  it("keeps nothing of a bootstrap that was broken off", async () => {
    const state = new MemoryState();
    const bench = await asked({ state });
    await give(bench.bootstrapServer, 0);
    await bench.client.close();
    const again = await startBench({ accounts: [], bootstrap: {}, state });
    await again.clock.advance(1000);
    expect(again.bootstrapServer.log).toEqual([REQUEST]);
    expect(again.client.registrations).toEqual([]);
  });
});

describe("a client with servers and a bootstrap server", () => {
  it("int-6: registers, and does not ask for a bootstrap", async () => {
    const { clock, server, bootstrapServer } = await startBench({ bootstrap: {} });
    await clock.advance(60_000);
    expect(server.log).toHaveLength(1);
    expect(bootstrapServer.log).toEqual([]);
  });

  it("int-5: the trigger of a server begins a bootstrap; with the accounts as they are it registers anew", async () => {
    const bench = await startBench({ bootstrap: {} });
    const { clock, server, bootstrapServer } = bench;
    expect(await server.text("POST", "/1/0/9")).toBe("2.04");
    await clock.advance(100);
    expect(bootstrapServer.log).toEqual([REQUEST]);
    await finish(bench);
    expect(server.log.at(-1)).toMatch(/^POST \/rd\?/);
    expect(server.open.size).toBe(1);
  });

  it("without a bootstrap server, the trigger is refused", async () => {
    const { server } = await startBench();
    expect(await server.text("POST", "/1/0/9")).toBe("4.05");
  });

  it("is silent towards servers while the bootstrap server writes", async () => {
    const { clock, tree, server, bootstrapServer } = await startBench({
      bootstrap: {},
      prepare: (tree) => {
        tree.addInstance(model(3303), 0);
        tree.set([3303, 0, 5700], { value: 20, atMs: 0 });
      },
    });
    await server.ask("GET", "/3303/0/5700", { observe: 0 });
    await server.ask("POST", "/1/0/9");
    await clock.advance(100);
    expect(bootstrapServer.log).toEqual([REQUEST]);
    expect(await server.text("GET", "/3/0/1")).toBe("no answer");
    tree.set([3303, 0, 5700], { value: 21, atMs: clock.nowMs() });
    await clock.advance(1000);
    expect(server.notifications).toEqual([]);
  });

  it("goes on with its servers after a bootstrap that failed", async () => {
    const { clock, server, bootstrapServer, client } = await startBench({ bootstrap: {} });
    await server.ask("POST", "/1/0/9");
    await clock.advance(100);
    expect(await bootstrapServer.text("DELETE", "/")).toBe("2.02");
    await clock.advance(247_000);
    await settle();
    expect(client.registrations).toMatchObject([{ shortServerId: 1, state: "registered" }]);
    expect(await server.text("GET", "/1/0/0", { accept: TEXT })).toBe("2.05 1");
  });

  it("leaves a server whose account is gone, and meets the new one", async () => {
    const bench = await startBench({ accounts: [{}, {}], bootstrap: {} });
    const [first, second] = bench.servers;
    await first?.ask("POST", "/1/0/9");
    await bench.clock.advance(100);
    for (const target of ["/0/0", "/1/0"]) expect(await bench.bootstrapServer.text("DELETE", target)).toBe("2.02");
    await finish(bench);
    expect(bench.client.registrations).toMatchObject([{ shortServerId: 2, state: "registered" }]);
    expect(await first?.text("GET", "/3/0/1")).toBe("no answer");
    expect(second?.log.filter((line) => line.startsWith("POST /rd?"))).toHaveLength(2);
  });

  it("int-7: asks for a bootstrap when no server takes it, unless the account says otherwise", async () => {
    const bench = await startBench({
      bootstrap: {},
      prepare: (_tree, server) => {
        server.answers.push(...Array<string>(20).fill("4.03"));
      },
    });
    const { clock, tree, bootstrapServer } = bench;
    await clock.advance(3_600_000);
    expect(bootstrapServer.log[0]).toBe(REQUEST);
    expect(tree.objects.get(1)?.instances.size).toBe(1);

    const other = await startBench({
      bootstrap: {},
      accounts: [{ registration: { bootstrapOnFailure: false } }],
      prepare: (_tree, server) => {
        server.answers.push(...Array<string>(20).fill("4.03"));
      },
    });
    await other.clock.advance(3_600_000);
    expect(other.bootstrapServer.log).toEqual([]);
  });

  it("stops asking when a server takes it after all", async () => {
    const { clock, server, bootstrapServer } = await startBench({
      bootstrap: {},
      prepare: (_tree, server) => {
        server.answers.push(...Array<string>(5).fill("4.03"));
      },
    });
    bootstrapServer.answers.push(...Array<string>(100).fill("COAP_TIMEOUT"));
    await clock.advance(7_200_000);
    expect(server.log.length).toBeGreaterThan(5);
    const before = bootstrapServer.requests.length;
    expect(before).toBeGreaterThan(0);
    await clock.advance(3_600_000);
    expect(bootstrapServer.requests).toHaveLength(before);
  });

  it("int-8: the bootstrap server writes and reads access rights, which hold afterwards", async () => {
    const bench = await startBench({
      accounts: [{}, {}],
      bootstrap: {},
      access: (tree, clock) => new AccessControl(tree, shippedModels, clock),
    });
    const [first, second] = bench.servers;
    await first?.ask("POST", "/1/0/9");
    await bench.clock.advance(100);
    const list = [
      { bn: "/2/0/", n: "0", v: 3 },
      { n: "1", v: 0 },
      { n: "2/1", v: 1 },
      { n: "3", v: 1 },
    ];
    const payload = JSON.stringify(list);
    expect(await bench.bootstrapServer.text("PUT", "/2/0", { contentFormat: JSON_FORMAT, payload })).toBe("2.04");
    expect(await bench.bootstrapServer.text("GET", "/2", { accept: JSON_FORMAT })).toBe(
      '2.05 [{"bn":"/2/0/","n":"0","v":3},{"n":"1","v":0},{"n":"2/1","v":1},{"n":"3","v":1}]',
    );
    await finish(bench);
    expect(await first?.text("GET", "/3/0/1", { accept: TEXT })).toBe("2.05 gateway");
    expect(await second?.text("GET", "/3/0/1", { accept: TEXT })).toBe("4.01");
  });
});
