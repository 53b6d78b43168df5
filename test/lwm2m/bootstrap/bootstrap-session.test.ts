import { describe, expect, it } from "vitest";
import { NO_BYTES, utf8Encode } from "../../../src/base/bytes.js";
import { silentLog } from "../../../src/base/log.js";
import { Code } from "../../../src/coap/code.js";
import type { Method } from "../../../src/coap/request.js";
import { type BootstrapOptions, BootstrapSession } from "../../../src/lwm2m/bootstrap/bootstrap-session.js";
import type { ObjectTree } from "../../../src/lwm2m/tree.js";
import { type AccountsOfTree, bootstrapTree, contentOf } from "../../fakes/bootstrap-tree.js";
import { FakeClock, settle } from "../../fakes/clock.js";
import { type Answer, FakeLwm2mServer } from "../../fakes/lwm2m-server.js";

const JSON_FORMAT = 110;
const LINKS = 40;
const REQUEST = "POST /bs?ep=urn:dev:os:32473-1&pct=112";
const BARE_REQUEST = "POST /bs?ep=urn:dev:os:32473-1";
const PACK_REQUEST = "GET /bspack?ep=urn:dev:os:32473-1&acc=</0/1>";

const ACCOUNT = [
  { bn: "/0/0/", n: "0", vs: "coap://192.0.2.7" },
  { n: "1", vb: false },
  { n: "2", v: 3 },
  { n: "10", v: 1 },
  { bn: "/1/0/", n: "0", v: 1 },
  { n: "1", v: 86_400 },
  { n: "6", vb: false },
  { n: "7", vs: "U" },
];
/** An account without its Server object instance. */
const HALF = JSON.stringify([
  { bn: "/0/5/", n: "0", vs: "coap://192.0.2.7" },
  { n: "1", vb: false },
  { n: "2", v: 3 },
  { n: "10", v: 5 },
]);
const SECURITY = ACCOUNT.slice(0, 4);
const SERVER = ACCOUNT.slice(4);

function bench(options: AccountsOfTree & Partial<BootstrapOptions> = {}) {
  const { servers, bootstrap, ...rest } = options;
  const clock = new FakeClock();
  const tree = bootstrapTree(
    { ...(servers === undefined ? {} : { servers }), ...(bootstrap === undefined ? {} : { bootstrap }) },
    clock,
  );
  const server = new FakeLwm2mServer();
  const events: string[] = [];
  const session = new BootstrapSession({
    endpoint: "urn:dev:os:32473-1",
    tree,
    openPeer: server.openPeer,
    clock,
    log: silentLog,
    random: () => 0,
    pack: "never",
    onBegin: () => events.push("begin"),
    onRolledBack: () => events.push("rolled back"),
    onFinished: () => events.push("finished"),
    ...rest,
  });
  const put = (target: string, records: unknown) =>
    server.text("PUT", target, { contentFormat: JSON_FORMAT, payload: JSON.stringify(records) });
  return { clock, tree, server, session, events, put };
}

async function started(options: Parameters<typeof bench>[0] = {}, answers: readonly Answer[] = []) {
  const made = bench(options);
  made.server.answers.push(...answers);
  made.session.start("no-server");
  await made.clock.advance(100);
  return made;
}

function everything(tree: ObjectTree): Readonly<Record<string, unknown>> {
  return contentOf(tree, [...tree.objects.keys()]);
}

describe("Client Initiated Bootstrap", () => {
  it("int-0: is written to, discovered and finished", async () => {
    const { clock, tree, server, session, events, put } = await started();
    expect(server.log).toEqual([REQUEST]);
    expect(session.status).toEqual({ uri: "coap://192.0.2.9", state: "serving" });
    expect(await put("/0", SECURITY)).toBe("2.04");
    expect(await put("/1", SERVER)).toBe("2.04");
    expect(await server.text("GET", "/", { accept: LINKS })).toBe(
      '2.05 </>;lwm2m=1.2,</0/0>;ssid=1;uri="coap://192.0.2.7",</0/1>,</1/0>;ssid=1,</2>,</3/0>,</16>,</3303>;ver=1.1,</3303/0>',
    );
    expect(tree.objects.get(1)?.instances.size).toBe(0);
    expect(await server.text("POST", "/bs")).toBe("2.04");
    expect(events).toEqual(["begin"]);
    await clock.advance(100);
    expect(events).toEqual(["begin", "finished"]);
    expect(contentOf(tree, [1])).toMatchObject({ "/1/0/0": 1, "/1/0/12": Math.floor(Date.UTC(2026, 0, 1) / 1000) });
    expect(session.status).toMatchObject({ state: "idle", finishedAtMs: expect.any(Number) });
  });

  it("waits for the hold-off time, and uses the path of the server's URI", async () => {
    const { clock, server } = await started({ bootstrap: { uri: "coap://192.0.2.9/a/b", holdOffS: 5 } });
    expect(server.log).toEqual([]);
    await clock.advance(4900);
    expect(server.log).toEqual(["POST /a/b/bs?ep=urn:dev:os:32473-1&pct=112"]);
  });

  it("leaves the content format out where it is not known", async () => {
    const { server, session } = await started({}, ["4.15"]);
    expect(server.log).toEqual([REQUEST, BARE_REQUEST]);
    expect(session.status?.state).toBe("serving");
  });

  it("int-9: answers an inconsistent configuration with 4.06, and lets the server mend it", async () => {
    const { clock, tree, server, events, put } = await started();
    expect(await server.text("PUT", "/1/0/5", { payload: "86400" })).toBe("2.04");
    expect(await server.text("POST", "/bs")).toBe("4.06");
    expect(tree.objects.get(1)?.instances.size).toBe(0);
    await put("/0", SECURITY);
    await put("/1", SERVER);
    expect(await server.text("POST", "/bs")).toBe("2.04");
    await clock.advance(100);
    expect(events).toEqual(["begin", "finished"]);
  });

  it("answers a Finish that comes again as the first one", async () => {
    const { clock, server, events, put } = await started();
    await put("/0", SECURITY);
    await put("/1", SERVER);
    expect(await server.text("POST", "/bs")).toBe("2.04");
    expect(await server.text("POST", "/bs")).toBe("2.04");
    await clock.advance(100);
    expect(await server.text("POST", "/bs")).toBe("2.04");
    await clock.advance(1000);
    expect(events).toEqual(["begin", "finished"]);
  });

  it("tries again for ever, later each time, over a new connection", async () => {
    const { clock, server, session } = await started({}, Array<Answer>(40).fill("COAP_TIMEOUT"));
    expect(session.status).toMatchObject({
      state: "waiting",
      lastFailure: "COAP_TIMEOUT",
      retryAtMs: clock.nowMs() + 1000,
    });
    await clock.advance(7000);
    expect(server.requests).toHaveLength(4);
    expect(server.opened).toBe(4);
    await clock.advance(3_600_000);
    expect(server.requests).toHaveLength(20);
    expect(server.open.size).toBe(0);
  });

  it("says which refusal it was", async () => {
    const { session } = await started({}, ["4.03"]);
    expect(session.status).toMatchObject({ state: "waiting", lastFailure: "4.03" });
  });

  it("serves a request that overtakes the answer to its own", async () => {
    const { server, session } = await started({}, ["never"]);
    expect(session.status?.state).toBe("requesting");
    expect(await server.text("GET", "/1")).toMatch(/^2\.05/);
    expect(session.status?.state).toBe("serving");
  });

  it("does nothing without an account", async () => {
    const { clock, server, session, tree } = bench();
    tree.removeInstance(0, 1);
    session.start("no-server");
    await clock.advance(1000);
    expect(server.requests).toEqual([]);
    expect(session.status).toBeUndefined();
  });

  it("ends a search that is not needed any more", async () => {
    const { clock, server, session } = await started({}, ["COAP_TIMEOUT"]);
    session.stop();
    await clock.advance(60_000);
    expect(server.requests).toHaveLength(1);
    expect(session.status?.state).toBe("idle");
  });

  it("may be begun by the server, over the connection that there is", async () => {
    const { clock, server, events, put } = await started();
    await put("/0", SECURITY);
    await put("/1", SERVER);
    await server.text("POST", "/bs");
    await clock.advance(100);
    expect(await server.text("PUT", "/1/0/1", { payload: "60" })).toBe("2.04");
    expect(await server.text("POST", "/bs")).toBe("2.04");
    await clock.advance(100);
    expect(events).toEqual(["begin", "finished", "begin", "finished"]);
    expect(server.opened).toBe(1);
  });

  it("closes in the middle of it, and answers nothing afterwards", async () => {
    const { tree, server, session, events, put } = await started();
    const before = everything(tree);
    await put("/0", SECURITY);
    await session.close();
    await session.close();
    expect(server.open.size).toBe(0);
    expect(events).toEqual(["begin", "rolled back"]);
    expect(await server.text("POST", "/bs")).toBe("no answer");
    expect(everything(tree)).toEqual(before);
  });
});

describe("Bootstrap-Pack", () => {
  const pack = (records: unknown, code: number = Code.Content): Answer => ({
    code,
    contentFormat: JSON_FORMAT,
    payload: utf8Encode(JSON.stringify(records)),
  });

  it("1.2-int-12: takes effect at once", async () => {
    const { clock, tree, server, events } = await started({ pack: "try" }, [pack(ACCOUNT)]);
    expect(server.log).toEqual([PACK_REQUEST]);
    expect(server.last.accept).toBe(112);
    await clock.advance(100);
    expect(events).toEqual(["begin", "finished"]);
    expect(contentOf(tree, [0, 1])).toMatchObject({ "/0/0/10": 1, "/0/1/1": true, "/1/0/0": 1 });
  });

  it.each<[string, Answer]>([
    ["is not known", "5.01"],
    ["is refused", "4.05"],
    ["is not found", "4.04"],
    ["is no pack", { code: Code.Changed, payload: NO_BYTES }],
    ["is inconsistent", pack(SERVER)],
    ["is garbage", { code: Code.Content, contentFormat: JSON_FORMAT, payload: utf8Encode("[{") }],
    ["is of an unknown format", { code: Code.Content, contentFormat: 50, payload: NO_BYTES }],
  ])("goes on with a Bootstrap-Request where it %s", async (_what, answer) => {
    const { tree, server, session } = await started({ pack: "try" }, [answer]);
    expect(server.log).toEqual([PACK_REQUEST, REQUEST]);
    expect(session.status?.state).toBe("serving");
    expect(tree.objects.get(1)?.instances.size).toBe(0);
  });
});

describe("the bootstrap server's account", () => {
  it("is purged when its time is over", async () => {
    const { clock, tree, server, session, put } = await started({ bootstrap: { accountTimeoutS: 3600 } });
    await put("/0", SECURITY);
    await put("/1", SERVER);
    await server.text("POST", "/bs");
    await clock.advance(3_590_000);
    expect(session.status).toBeDefined();
    await clock.advance(10_000);
    expect(session.status).toBeUndefined();
    expect(contentOf(tree, [0])).toMatchObject({ "/0/0/10": 1 });
    expect(tree.instance(0, 1)).toBeUndefined();
    expect(server.open.size).toBe(0);
  });

  it("is purged also after a restart", async () => {
    const clock = new FakeClock();
    const { tree, session } = bench({ servers: [{}], bootstrap: { accountTimeoutS: 60 }, clock });
    await session.close();
    tree.set([1, 0, 12], { value: Math.floor(clock.nowMs() / 1000) - 50, atMs: clock.nowMs() });
    const again = new BootstrapSession({
      endpoint: "a",
      tree,
      openPeer: () => Promise.reject(new Error("nothing is opened")),
      clock,
      log: silentLog,
      random: () => 0,
      pack: "never",
      onBegin: () => undefined,
      onRolledBack: () => undefined,
      onFinished: () => undefined,
    });
    await clock.advance(9_999);
    expect(again.status).toBeDefined();
    await clock.advance(1);
    expect(again.status).toBeUndefined();
  });

  it("is another one after a bootstrap that replaced it", async () => {
    const { clock, server, session, put } = await started({ servers: [{}] });
    expect(
      await put("/0/1", [
        { bn: "/0/1/", n: "0", vs: "coap://192.0.2.8" },
        { n: "1", vb: true },
        { n: "2", v: 3 },
      ]),
    ).toBe("2.04");
    expect(await server.text("POST", "/bs")).toBe("2.04");
    expect(server.open.size).toBe(1);
    await clock.advance(100);
    expect(session.status?.uri).toBe("coap://192.0.2.8");
    expect(server.open.size).toBe(0);
  });
});

describe("a bootstrap server gone mad", () => {
  it.each<[what: string, requests: readonly (readonly [Method, string, string])[]]>([
    ["deletes everything and is silent", [["DELETE", "/", ""]]],
    [
      "deletes everything and finishes",
      [
        ["DELETE", "/", ""],
        ["POST", "/bs", ""],
      ],
    ],
    ["writes half of it", [["PUT", "/0", HALF]]],
    [
      "writes half of it and finishes, again and again",
      [
        ["PUT", "/0", HALF],
        ["POST", "/bs", ""],
        ["POST", "/bs", ""],
      ],
    ],
    [
      "writes the Server object first, then garbage",
      [
        ["PUT", "/1", JSON.stringify(SERVER)],
        ["PUT", "/0", "[{"],
        ["PUT", "/0/0/2", "[]"],
        ["PUT", "/2", JSON.stringify([{ n: "/2/0/2/1", v: 4711 }])],
      ],
    ],
    [
      "takes its own account for a server's",
      [
        ["PUT", "/0/1", JSON.stringify([{ n: "/0/1/1", vb: false }])],
        ["DELETE", "/0", ""],
        ["POST", "/bs", ""],
      ],
    ],
    [
      "asks what only servers may",
      [
        ["POST", "/1/0/4", ""],
        ["FETCH", "/", "[]"],
        ["GET", "/3303/0/5700", ""],
        ["PUT", "/3303/0/5700", JSON.stringify([{ n: "/3303/0/5700", v: 1 }])],
      ],
    ],
  ])("%s: everything is as before", async (_what, requests) => {
    const { clock, tree, server, session, events } = await started({ servers: [{}, { uri: "coap://192.0.2.3" }] });
    const before = everything(tree);
    for (const [method, target, payload] of requests) {
      const answer = await server.text(method, target, { contentFormat: JSON_FORMAT, payload });
      expect(answer).toMatch(/^(2|4)\.\d\d/);
      expect(everything(tree)).toEqual(before);
    }
    await clock.advance(246_999);
    expect(session.status?.state).toBe("serving");
    await clock.advance(1);
    expect(events).toEqual(["begin", "rolled back"]);
    expect(everything(tree)).toEqual(before);
    expect(session.status).toMatchObject({ state: "waiting", lastFailure: "COAP_TIMEOUT" });
    await clock.advance(1000);
    expect(server.log).toEqual([REQUEST, REQUEST]);
  });

  it("deletes everything, also itself, and then makes it good", async () => {
    const { clock, tree, server, put } = await started({ servers: [{}, { uri: "coap://192.0.2.3" }] });
    for (const target of ["/0/2", "/0", "/1", "/3/0", "/"]) expect(await server.text("DELETE", target)).toBe("2.02");
    await put("/1", SERVER);
    await put("/0", SECURITY);
    expect(await server.text("POST", "/bs")).toBe("2.04");
    await clock.advance(100);
    expect([...(tree.objects.get(0)?.instances.keys() ?? [])].sort()).toEqual([0, 2]);
    expect([...(tree.objects.get(1)?.instances.keys() ?? [])]).toEqual([0]);
  });

  it("never ends: a request every few minutes keeps it going, without a change to anything", async () => {
    const { clock, server, session } = await started({ servers: [{}] });
    for (let turn = 0; turn < 20; turn++) {
      await clock.advance(240_000);
      expect(await server.text("GET", "/1")).toMatch(/^2\.05/);
    }
    await settle();
    expect(session.status?.state).toBe("serving");
  });

  it("gives up after some attempts what a server's trigger began", async () => {
    const { clock, server, session } = bench({ servers: [{}] });
    server.answers.push(...Array<Answer>(20).fill("5.00"));
    session.start("trigger");
    await clock.advance(3_600_000);
    expect(server.requests).toHaveLength(5);
    expect(session.status).toMatchObject({ state: "idle", lastFailure: "5.00" });
  });
});
