import { describe, expect, it } from "vitest";
import { settle } from "../../fakes/clock.js";
import { type Bench, type BenchOptions, model, startBench } from "../../fakes/lwm2m-client.js";
import { formatResponse } from "../../fakes/lwm2m-server.js";

const JSON_ = 110;
const ETCH_JSON = 320;
const LWM2M_CBOR = 11544;

async function start(options: BenchOptions = {}): Promise<Bench> {
  return await startBench({
    ...options,
    prepare(tree, server) {
      for (const instanceId of [0, 1]) {
        tree.addInstance(model(3303), instanceId);
        tree.set([3303, instanceId, 5700], { value: 20, atMs: Date.UTC(2026, 0, 1) });
        tree.set([3303, instanceId, 5701], { value: "Cel", atMs: Date.UTC(2026, 0, 1) });
      }
      tree.addObject(model(16), { by: "servers", create: () => new Map(), removed: () => undefined });
      tree.addInstance(model(16), 0);
      tree.set([16, 0, 0, 0], { value: "a", atMs: Date.UTC(2026, 0, 1) });
      options.prepare?.(tree, server);
    },
  });
}

interface More {
  readonly observe?: number;
  readonly token?: string;
  readonly accept?: number;
}

const observe = (bench: Bench, names: readonly string[], query = "", more: More = {}) =>
  bench.server.ask("FETCH", `/${query}`, {
    contentFormat: ETCH_JSON,
    accept: JSON_,
    payload: JSON.stringify(names.map((n) => ({ n }))),
    observe: 0,
    ...more,
  });

async function notified({ server }: Bench): Promise<string[]> {
  await settle();
  return server.notifications.splice(0).map(({ response }) => formatResponse(response));
}

async function measure({ tree, clock }: Bench, path: readonly number[], value: number | string): Promise<void> {
  tree.set(path, { value, atMs: clock.nowMs() });
  await settle();
}

const ONE = [3303, 0, 5700];
const TWO = [3303, 1, 5700];
const BOTH = ["/3303/0/5700", "/3303/1/5700"];
const values = (one: number, two: number) => `2.05 [{"bn":"/3303/","n":"0/5700","v":${one}},{"n":"1/5700","v":${two}}]`;

describe("Observe-Composite", () => {
  it("begins with all values and tells all of them when one changes", async () => {
    const bench = await start();
    const first = await observe(bench, BOTH);
    expect(first?.observe).toBeTypeOf("number");
    expect(first && formatResponse(first)).toBe(values(20, 20));
    await measure(bench, TWO, 25);
    expect(await notified(bench)).toEqual([values(20, 25)]);
    await measure(bench, ONE, 20);
    await measure(bench, [3303, 0, 5701], "K");
    expect(await notified(bench)).toEqual([]);
    expect(bench.client.registrations[0]?.observations).toBe(1);
  });

  it("joins what changes in one go", async () => {
    const bench = await start();
    await observe(bench, BOTH, "", { accept: LWM2M_CBOR });
    bench.tree.set(ONE, { value: 21, atMs: bench.clock.nowMs() });
    bench.tree.set(TWO, { value: 22, atMs: bench.clock.nowMs() });
    expect(await notified(bench)).toEqual(["2.05 a1190ce7a200a1191644f94d4001a1191644f94d80"]);
  });

  it("int-304: pmin and pmax in the query", async () => {
    const bench = await start();
    await observe(bench, BOTH, "?pmin=30&pmax=45");
    await bench.clock.advance(10_000);
    await measure(bench, ONE, 21);
    expect(await notified(bench)).toEqual([]);
    await bench.clock.advance(20_000);
    expect(await notified(bench)).toEqual([expect.stringContaining('"v":21')]);
    await bench.clock.advance(44_000);
    expect(await notified(bench)).toEqual([]);
    await bench.clock.advance(1_000);
    expect(await notified(bench)).toHaveLength(1);
  });

  it("int-305: cancelled by Observe=1, or by a Reset", async () => {
    const bench = await start();
    await observe(bench, BOTH, "", { token: "x" });
    const answer = await observe(bench, BOTH, "", { token: "x", observe: 1 });
    expect(answer && formatResponse(answer)).toBe(values(20, 20));
    expect(answer?.observe).toBeUndefined();
    expect(bench.client.registrations[0]?.observations).toBe(0);
    await observe(bench, BOTH, "", { token: "y" });
    bench.server.delivery = "reset";
    await measure(bench, ONE, 21);
    expect(bench.client.registrations[0]?.observations).toBe(0);
    await measure(bench, ONE, 22);
    expect(bench.server.notifications).toHaveLength(1);
  });

  it("int-308, 309: what is named may come and go", async () => {
    const bench = await start();
    const first = await observe(bench, ["/3303/0/5700", "/16/1"]);
    expect(first && formatResponse(first)).toBe('2.05 [{"bn":"/3303/0/5700","v":20}]');
    await bench.server.ask("POST", "/16", { contentFormat: JSON_, payload: '[{"n":"/16/1/0/0","vs":"b"}]' });
    const both = '2.05 [{"n":"/3303/0/5700","v":20},{"n":"/16/1/0/0","vs":"b"}]';
    expect(await notified(bench)).toEqual([both]);
    await bench.server.ask("DELETE", "/16/1");
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/3303/0/5700","v":20}]']);
    await bench.server.ask("POST", "/16", { contentFormat: JSON_, payload: '[{"n":"/16/1/0/0","vs":"b"}]' });
    expect(await notified(bench)).toEqual([both]);
  });

  it("hears of a value deep below what comes into being", async () => {
    const bench = await start();
    const first = await observe(bench, ["/16/1/0/0"]);
    expect(first && formatResponse(first)).toBe("2.05 []");
    await bench.server.ask("POST", "/16", { contentFormat: JSON_, payload: '[{"n":"/16/1/0/0","vs":"b"}]' });
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/16/1/0/0","vs":"b"}]']);
    await bench.server.ask("PUT", "/16/1/0/0", { contentFormat: 0, payload: "c" });
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/16/1/0/0","vs":"c"}]']);
    await bench.server.ask("DELETE", "/16/1/0/0");
    expect(await notified(bench)).toEqual(["2.05 []"]);
  });

  it("int-310: follows Write-Attributes of any path", async () => {
    const bench = await start();
    await observe(bench, BOTH);
    await bench.clock.advance(60_000);
    expect(await notified(bench)).toEqual([]);
    await bench.server.ask("PUT", "/3303/1/5700?pmax=5");
    // pmax has run out while there was none.
    expect(await notified(bench)).toHaveLength(1);
    await bench.clock.advance(10_000);
    expect(await notified(bench)).toHaveLength(2);
  });

  it("goes by the conditions of each path", async () => {
    const bench = await start();
    await bench.server.ask("PUT", "/3303/0/5700?gt=30");
    await bench.server.ask("PUT", "/3303/1/5700?st=5");
    await observe(bench, BOTH);
    await measure(bench, ONE, 29);
    await measure(bench, TWO, 24);
    expect(await notified(bench)).toEqual([]);
    await measure(bench, TWO, 26);
    expect(await notified(bench)).toEqual([values(29, 26)]);
    await measure(bench, ONE, 31);
    expect(await notified(bench)).toEqual([values(31, 26)]);
  });

  it("keeps equal ids of different objects apart", async () => {
    const bench = await start({
      prepare(tree) {
        tree.addInstance(model(3304), 0);
        tree.set([3304, 0, 5700], { value: 50, atMs: 0 });
      },
    });
    await bench.server.ask("PUT", "/3303/0/5700?gt=30");
    await observe(bench, ["/3303/0/5700", "/3304/0/5700"]);
    await measure(bench, ONE, 25);
    expect(await notified(bench)).toEqual([]);
    await measure(bench, [3304, 0, 5700], 50);
    expect(await notified(bench)).toEqual([]);
    await measure(bench, [3304, 0, 5700], 51);
    expect(await notified(bench)).toHaveLength(1);
  });

  it("tells of all of the root, of objects to come too", async () => {
    const bench = await start();
    await observe(bench, ["/"]);
    await measure(bench, ONE, 21);
    expect(await notified(bench)).toHaveLength(1);
    bench.tree.addInstance(model(3304), 0);
    await measure(bench, [3304, 0, 5700], 50);
    expect((await notified(bench)).at(-1)).toContain("/3304/0/5700");
  });

  it("says nothing of what cannot be read", async () => {
    const bench = await start({
      prepare: (tree) => {
        tree.addObject(model(5), undefined, "model");
        tree.addInstance(model(5), 0);
      },
    });
    const first = await observe(bench, ["/5/0/0", "/3/0/4", "/3303/0/5700"]);
    expect(first && formatResponse(first)).toBe('2.05 [{"bn":"/3303/0/5700","v":20}]');
    bench.tree.set([5, 0, 0], { value: Uint8Array.of(1), atMs: bench.clock.nowMs() });
    expect(await notified(bench)).toEqual([]);
  });

  it.each([
    ["?con=1", "CON"],
    ["?con=0", "NON"],
    ["", "NON"],
  ])("notifies %s as %s", async (query, delivery) => {
    const bench = await start();
    await observe(bench, BOTH, query);
    await measure(bench, ONE, 21);
    expect(bench.server.notifications.map((notification) => notification.delivery)).toEqual([delivery]);
  });

  it("lets one connected network be enough: what changes under way is told next", async () => {
    const bench = await start();
    await observe(bench, BOTH, "?con=1");
    let acknowledge = (): void => undefined;
    bench.server.acknowledging = new Promise((resolve) => {
      acknowledge = resolve;
    });
    await measure(bench, ONE, 21);
    await measure(bench, TWO, 22);
    expect(bench.server.inFlight).toBe(1);
    acknowledge();
    await settle();
    expect((await notified(bench)).map((text) => text.match(/"v":\d+/g))).toEqual([
      ['"v":21', '"v":20'],
      ['"v":21', '"v":22'],
    ]);
    await bench.clock.advance(60_000);
    expect(await notified(bench)).toEqual([]);
  });

  it("knows what it did about a measurement", async () => {
    const bench = await start();
    await observe(bench, ["/3303/0"]);
    expect(bench.client.telling(1, { path: ONE }, bench.clock.nowMs())).toBe("told");
    expect(bench.client.telling(1, { path: TWO }, bench.clock.nowMs())).toBe("unobserved");
  });

  it.each([
    ["?gt=5", "4.00"],
    ["?edge=1", "4.00"],
    ["?st=1", "4.00"],
    ["?hqmax=3", "4.00"],
    ["?foo=1", "4.00"],
    ["?epmin=5&epmax=5", "4.00"],
  ])("refuses %s", async (query, code) => {
    const bench = await start();
    const answer = await observe(bench, BOTH, query);
    expect(answer && formatResponse(answer)).toBe(code);
    expect(bench.client.registrations[0]?.observations).toBe(0);
  });

  it("refuses attributes of a 1.1 server", async () => {
    const bench = await start({
      prepare: (_tree, server) => {
        server.versions = ["1.1"];
      },
    });
    expect((await observe(bench, BOTH, "?pmin=1"))?.code).toBe(0x80);
    expect((await observe(bench, BOTH))?.code).toBe(0x45);
  });

  it("bounds what one server may observe", async () => {
    const bench = await start();
    const names = Array.from({ length: 20_000 }, (_, id) => `/3303/${id}/5700`);
    expect((await observe(bench, names, "", { token: "all" }))?.observe).toBeTypeOf("number");
    expect((await observe(bench, BOTH, "", { token: "more" }))?.observe).toBeUndefined();
    await observe(bench, names, "", { token: "all", observe: 1 });
    expect((await observe(bench, BOTH, "", { token: "more" }))?.observe).toBeTypeOf("number");
  });
});
