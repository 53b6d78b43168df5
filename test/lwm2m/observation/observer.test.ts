import { describe, expect, it } from "vitest";
import { utf8Decode } from "../../../src/base/bytes.js";
import { settle } from "../../fakes/clock.js";
import { type Bench, type BenchOptions, model, startBench } from "../../fakes/lwm2m-client.js";
import { formatResponse } from "../../fakes/lwm2m-server.js";

const TEXT = 0;
const JSON_ = 110;
const TEMPERATURE = [3303, 0, 5700];

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

/** Takes the notifications that came since the last call, as text. */
async function notified({ server }: Bench): Promise<string[]> {
  await settle();
  return server.notifications.splice(0).map(({ response }) => formatResponse(response));
}

async function measure({ tree, clock }: Bench, value: number, path = TEMPERATURE): Promise<void> {
  tree.set(path, { value, atMs: clock.nowMs() });
  await settle();
}

const observe = (bench: Bench, target: string, more: { accept?: number; token?: string } = {}) =>
  bench.server.ask("GET", target, { observe: 0, accept: TEXT, ...more });

describe("observations", () => {
  it("int-301: begins with the value and a sequence number, then tells of changes in order", async () => {
    const bench = await start();
    const first = await observe(bench, "/3303/0/5700", { token: "t" });
    expect(first).toMatchObject({ code: 0x45, contentFormat: TEXT });
    await measure(bench, 20);
    await measure(bench, 21);
    await measure(bench, 22);
    const numbers = bench.server.notifications.map(({ response }) => response.observe ?? -1);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers[0]).toBeGreaterThan(first?.observe ?? 0);
    expect(bench.server.notifications.map(({ token }) => utf8Decode(token))).toEqual(["t", "t"]);
    expect(await notified(bench)).toEqual(["2.05 21", "2.05 22"]);
  });

  it("int-301: pmin holds the change back, pmax repeats", async () => {
    const bench = await start();
    await bench.server.ask("PUT", "/3303/0/5700?pmin=10&pmax=60");
    await observe(bench, "/3303/0/5700");
    await measure(bench, 21);
    await bench.clock.advance(9_999);
    expect(await notified(bench)).toEqual([]);
    await bench.clock.advance(1);
    expect(await notified(bench)).toEqual(["2.05 21"]);
    await bench.clock.advance(59_999);
    expect(await notified(bench)).toEqual([]);
    await bench.clock.advance(1);
    expect(await notified(bench)).toEqual(["2.05 21"]);
    await bench.clock.advance(60_000);
    expect(await notified(bench)).toEqual(["2.05 21"]);
  });

  it("tells the newest value when pmin ends", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?pmin=10");
    for (const value of [21, 22, 23]) await measure(bench, value);
    await bench.clock.advance(10_000);
    expect(await notified(bench)).toEqual(["2.05 23"]);
  });

  it("does not lose a change that came and went while pmin lasted", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?pmin=10");
    await measure(bench, 99);
    await measure(bench, 20);
    await bench.clock.advance(10_000);
    expect(await notified(bench)).toEqual(["2.05 99"]);
    await bench.clock.advance(10_000);
    expect(await notified(bench)).toEqual(["2.05 20"]);
    await bench.clock.advance(100_000);
    expect(await notified(bench)).toEqual([]);
  });

  it("evaluates gt and st against what was last told", async () => {
    const bench = await start();
    await bench.server.ask("PUT", "/3303/0/5700?gt=30&st=5");
    await observe(bench, "/3303/0/5700");
    for (const value of [22, 24, 26, 29, 30.5, 31, 29.5]) await measure(bench, value);
    expect(await notified(bench)).toEqual(["2.05 26", "2.05 30.5", "2.05 29.5"]);
  });

  it("int-312: attributes of the Observe replace the attached ones and stay private", async () => {
    const bench = await start();
    await bench.server.ask("PUT", "/3303/0/5700?gt=30");
    await observe(bench, "/3303/0/5700?lt=10");
    await measure(bench, 40);
    expect(await notified(bench)).toEqual([]);
    await measure(bench, 5);
    expect(await notified(bench)).toEqual(["2.05 5"]);
    expect(await bench.server.text("GET", "/3303/0/5700", { accept: 40 })).toBe("2.05 </3303/0/5700>;gt=30");
  });

  it.each(["/3303/0/5700?gt=1&lt=2", "/3303/0/5700?foo=1", "/3303/0/5700?edge=1", "/3303/0?gt=1"])(
    "refuses GET %s",
    async (target) => {
      const bench = await start();
      expect((await observe(bench, target, { accept: JSON_ }))?.code).toBe(0x80);
      expect(bench.client.registrations[0]?.observations).toBe(0);
    },
  );

  it("refuses attributes in an Observe of a 1.1 server", async () => {
    const bench = await start({
      prepare: (_tree, server) => {
        server.versions = ["1.1"];
      },
    });
    expect((await observe(bench, "/3303/0/5700?pmin=1"))?.code).toBe(0x80);
  });

  it("follows changed attributes and server defaults", async () => {
    const bench = await start();
    await bench.server.ask("PUT", "/1/0/3", { contentFormat: TEXT, payload: "30" });
    await observe(bench, "/3303/0/5700");
    await bench.clock.advance(30_000);
    expect(await notified(bench)).toEqual(["2.05 20"]);
    await bench.server.ask("PUT", "/3303/0?pmax=5");
    await bench.clock.advance(5_000);
    expect(await notified(bench)).toEqual(["2.05 20"]);
    await bench.server.ask("PUT", "/3303/0?pmax=0");
    await bench.clock.advance(100_000);
    expect(await notified(bench)).toEqual([]);
  });

  it("joins what changes in one go, and tells of all of an instance", async () => {
    const bench = await start();
    await observe(bench, "/3303/1", { accept: JSON_ });
    bench.tree.set([3303, 1, 5700], { value: 30, atMs: bench.clock.nowMs() });
    bench.tree.set([3303, 1, 5701], { value: "K", atMs: bench.clock.nowMs() });
    bench.tree.set([3303, 0, 5700], { value: 99, atMs: bench.clock.nowMs() });
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/3303/1/","n":"5700","v":30},{"n":"5701","vs":"K"}]']);
  });

  it("says when a value was measured if that is not now", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?pmin=10", { accept: JSON_ });
    await bench.clock.advance(4_000);
    await measure(bench, 25);
    await bench.clock.advance(6_000);
    expect(await notified(bench)).toEqual([expect.stringMatching(/^2\.05 \[\{.*"(t|bt)":.*"v":25\}\]$/)]);
    await bench.clock.advance(20_000);
    await measure(bench, 26);
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/3303/0/5700","v":26}]']);
  });

  it("says when a value was measured if the notification may be repeated later", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?con=1", { accept: JSON_ });
    await measure(bench, 25);
    const timeS = bench.clock.nowMs() / 1000;
    expect(await notified(bench)).toEqual([`2.05 [{"bn":"/3303/0/5700","bt":${timeS},"v":25}]`]);
  });

  it("int-302: a Reset ends it", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700");
    bench.server.delivery = "reset";
    await measure(bench, 21);
    expect(bench.client.registrations[0]?.observations).toBe(0);
    await measure(bench, 22);
    expect(bench.server.notifications).toHaveLength(1);
  });

  it("int-302: also a late one, of a notification that was not confirmable", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700", { token: "x" });
    await measure(bench, 21);
    bench.server.resetObservation("x");
    await measure(bench, 22);
    expect(await notified(bench)).toEqual(["2.05 21"]);
  });

  it("asks a server that rejects a notification whether it still knows the registration", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700", { token: "x" });
    await observe(bench, "/3303/1/5700?con=1");
    bench.server.resetObservation("x");
    await bench.clock.advance(100);
    expect(bench.server.log.slice(1)).toEqual(["POST /rd/1"]);
    bench.server.answers.push("4.04");
    bench.server.delivery = "reset";
    await measure(bench, 21, [3303, 1, 5700]);
    await bench.clock.advance(100);
    expect(bench.server.log.slice(2)).toEqual(["POST /rd/1", expect.stringMatching(/^POST \/rd\?/)]);
  });

  it("int-303: Observe=1 ends it and answers without a sequence number", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700", { token: "x" });
    const answer = await bench.server.ask("GET", "/3303/0/5700", { observe: 1, token: "x", accept: TEXT });
    expect(answer && formatResponse(answer)).toBe("2.05 20");
    expect(answer?.observe).toBeUndefined();
    await measure(bench, 21);
    expect(await notified(bench)).toEqual([]);
  });

  it("begins anew when the same token observes again", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700", { token: "x" });
    await observe(bench, "/3303/1/5700", { token: "x" });
    await measure(bench, 21);
    expect(await notified(bench)).toEqual([]);
    await measure(bench, 22, [3303, 1, 5700]);
    expect(await notified(bench)).toEqual(["2.05 22"]);
  });

  it("says that the target has gone, confirmably and without a sequence number", async () => {
    const bench = await start();
    for (const target of ["/16/0/0/0", "/16/0/0", "/16/0", "/16"]) await observe(bench, target, { accept: JSON_ });
    await bench.server.ask("DELETE", "/16/0");
    await settle();
    const ended = bench.server.notifications.filter(({ response }) => response.code === 0x84);
    expect(ended).toHaveLength(3);
    expect(ended.every(({ delivery, response }) => delivery === "CON" && response.observe === undefined)).toBe(true);
    expect(await notified(bench)).toContain("2.05 []");
    expect(bench.client.registrations[0]?.observations).toBe(1);
  });

  it("tells of new instances and of written values", async () => {
    const bench = await start();
    await observe(bench, "/16", { accept: JSON_ });
    await bench.server.ask("POST", "/16", { contentFormat: JSON_, payload: '[{"n":"/16/4/0/0","vs":"b"}]' });
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/16/","n":"0/0/0","vs":"a"},{"n":"4/0/0","vs":"b"}]']);
    await bench.server.ask("PUT", "/16/0/0/0", { contentFormat: TEXT, payload: "c" });
    expect(await notified(bench)).toEqual(['2.05 [{"bn":"/16/","n":"0/0/0","vs":"c"},{"n":"4/0/0","vs":"b"}]']);
  });

  it.each([
    ["", "NON"],
    ["?con=1", "CON"],
    ["?con=0", "NON"],
  ])("notifies %s as %s", async (query, delivery) => {
    const bench = await start();
    await observe(bench, `/3303/0/5700${query}`);
    await measure(bench, 21);
    expect(bench.server.notifications.map((notification) => notification.delivery)).toEqual([delivery]);
  });

  it("follows con below the path and the Default Notification Mode", async () => {
    const bench = await start({ accounts: [{ notify: "CON" }] });
    await observe(bench, "/3303/0/5700");
    await bench.server.ask("PUT", "/3303/1/5700?con=1");
    await bench.server.ask("PUT", "/1/0/26", { contentFormat: TEXT, payload: "0" });
    await observe(bench, "/3303/1", { accept: JSON_ });
    await measure(bench, 21);
    await measure(bench, 21, [3303, 1, 5700]);
    expect(bench.server.notifications.map(({ delivery }) => delivery)).toEqual(["NON", "CON"]);
  });

  it("follows con below the path while it observes", async () => {
    const bench = await start();
    await observe(bench, "/3303/1", { accept: JSON_ });
    await observe(bench, "/3303/1?con=0", { accept: JSON_ });
    await bench.server.ask("PUT", "/3303/1/5700?con=1");
    await measure(bench, 21, [3303, 1, 5700]);
    await bench.server.ask("PUT", "/3303/1/5700?con");
    await measure(bench, 22, [3303, 1, 5700]);
    expect(bench.server.notifications.map(({ delivery }) => delivery)).toEqual(["CON", "NON", "NON", "NON"]);
  });

  it("asks for an acknowledgement at least once a day (RFC 7641 §4.5)", async () => {
    const bench = await start({ accounts: [{ lifetimeS: 0 }] });
    await observe(bench, "/3303/0/5700?pmax=3600");
    await bench.clock.advance(48 * 3600 * 1000);
    const confirmable = bench.server.notifications.filter(({ delivery }) => delivery === "CON");
    expect(bench.server.notifications).toHaveLength(48);
    expect(confirmable).toHaveLength(2);
  });

  it("finds out whether the server is there when a confirmable notification is not acknowledged", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?con=1");
    bench.server.deliveries.push("timeout");
    await measure(bench, 21);
    expect(bench.server.notifications).toHaveLength(2);
    expect(bench.server.log.slice(1)).toEqual(["POST /rd/1"]);
    expect(bench.client.registrations[0]).toMatchObject({ state: "registered", observations: 1 });
  });

  it("registers anew when the server answers Updates but acknowledges no notification", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?con=1");
    bench.server.delivery = "timeout";
    await measure(bench, 21);
    expect(bench.server.log.filter((request) => request.startsWith("POST /rd?"))).toHaveLength(2);
    expect(bench.client.registrations[0]).toMatchObject({ state: "registered", observations: 0 });
    expect(bench.server.opened).toBe(3);
  });

  it("ends with the registration", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700");
    bench.server.answers.push("4.04");
    await bench.server.ask("POST", "/1/0/8");
    await bench.clock.advance(100);
    expect(bench.client.registrations[0]).toMatchObject({ state: "registered", observations: 0 });
    await measure(bench, 21);
    expect(await notified(bench)).toEqual([]);
  });

  it("knows what it did about a measurement", async () => {
    const bench = await start();
    const before = bench.clock.nowMs();
    await bench.clock.advance(1000);
    await observe(bench, "/3303/0", { accept: JSON_ });
    expect(bench.client.telling(1, { path: TEMPERATURE }, before)).toBe("earlier");
    expect(bench.client.telling(1, { path: TEMPERATURE }, bench.clock.nowMs())).toBe("told");
    expect(bench.client.telling(1, { path: [3303, 1, 5700] }, bench.clock.nowMs())).toBe("unobserved");
    expect(bench.client.telling(2, { path: TEMPERATURE }, bench.clock.nowMs())).toBe("unobserved");
  });

  it("knows what is not acknowledged, and what newer measurements overtook meanwhile", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700");
    let acknowledge = (): void => undefined;
    bench.server.acknowledging = new Promise((resolve) => {
      acknowledge = resolve;
    });
    const times: number[] = [];
    for (const value of [21, 22, 23, 24]) {
      times.push(bench.clock.nowMs());
      await measure(bench, value);
      await bench.clock.advance(10);
    }
    const tellings = (): readonly string[] => times.map((atMs) => bench.client.telling(1, { path: TEMPERATURE }, atMs));
    expect(tellings()).toEqual(["underway", "overtaken", "overtaken", "underway"]);
    acknowledge();
    await settle();
    expect(await notified(bench)).toEqual(["2.05 21", "2.05 24"]);
    expect(tellings()).toEqual(["told", "overtaken", "overtaken", "told"]);
  });

  it("does not count as overtaken what pmin leaves out", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?pmin=10");
    const atMs = bench.clock.nowMs();
    for (const value of [21, 22, 23]) {
      await measure(bench, value);
      await bench.clock.advance(10);
    }
    expect(bench.client.telling(1, { path: TEMPERATURE }, atMs)).toBe("told");
  });

  it("keeps one server's observations and attributes from the other", async () => {
    const bench = await start({ accounts: [{}, {}] });
    const [one, two] = bench.servers;
    await one?.ask("PUT", "/3303/0/5700?gt=30");
    for (const server of bench.servers) await server.ask("GET", "/3303/0/5700", { observe: 0, accept: TEXT });
    await measure(bench, 25);
    expect([one?.notifications.length, two?.notifications.length]).toEqual([0, 1]);
    expect(await two?.text("GET", "/3303/0/5700", { accept: 40 })).toBe("2.05 </3303/0/5700>");
  });

  it("has one timer per observation at most, however often it notifies", async () => {
    const bench = await start();
    const before = bench.clock.pendingCount;
    for (let id = 0; id < 100; id++) await observe(bench, "/3303/0/5700?pmin=1&pmax=60", { token: `t${id}` });
    for (let round = 0; round < 50; round++) {
      await bench.clock.advance(2000);
      await measure(bench, 100 + round);
    }
    // And one that writes down what was told.
    expect(bench.clock.pendingCount).toBeLessThanOrEqual(before + 100 + 1);
    expect(bench.server.notifications).toHaveLength(100 * 50);
    await bench.scope[Symbol.asyncDispose]();
    expect(bench.clock.pendingCount).toBe(0);
  });

  it("keeps what waits for its turn up to date instead of queueing it", async () => {
    const bench = await start();
    for (let id = 0; id < 100; id++) await observe(bench, "/3303/0/5700?con=1", { token: `t${id}` });
    let acknowledge = (): void => undefined;
    bench.server.acknowledging = new Promise((resolve) => {
      acknowledge = resolve;
    });
    await measure(bench, 21);
    await measure(bench, 22);
    expect(bench.server.inFlight).toBe(16);
    acknowledge();
    await settle();
    const told = new Map(
      bench.server.notifications.map(({ token, response }) => [utf8Decode(token), formatResponse(response)]),
    );
    expect([...told.values()]).toEqual(Array.from({ length: 100 }, () => "2.05 22"));
    expect(bench.server.notifications).toHaveLength(116);
  });

  it("asks for a proof of life as often as wanted", async () => {
    const bench = await start({ accounts: [{ lifetimeS: 0 }], confirmEveryMs: 60_000 });
    await observe(bench, "/3303/0/5700?pmax=10");
    await bench.clock.advance(180_000);
    const confirmable = bench.server.notifications.filter(({ delivery }) => delivery === "CON");
    expect([bench.server.notifications.length, confirmable.length]).toEqual([18, 3]);
  });

  it("is over, with an error, when the value has gone", async () => {
    const bench = await start();
    await observe(bench, "/3303/0/5700?pmax=10");
    bench.tree.unset(TEMPERATURE);
    await bench.clock.advance(10_000);
    expect(bench.server.notifications.map(({ response }) => response.code)).toEqual([0x84]);
  });
});
