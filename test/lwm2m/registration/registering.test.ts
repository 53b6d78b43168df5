import { describe, expect, it } from "vitest";
import { ContentFormat } from "../../../src/lwm2m/codec/formats.js";
import { MemoryState } from "../../../src/lwm2m/state/client-state.js";
import { settle } from "../../fakes/clock.js";
import { model, startBench } from "../../fakes/lwm2m-client.js";

const TEXT = ContentFormat.text;
const never = new AbortController().signal;
const AWAKE_MS = 93_000;

describe("queue mode", () => {
  it("int-108: is told with Q, and with UQ to a server that speaks 1.0", async () => {
    const { server } = await startBench({ accounts: [{ awakeMs: AWAKE_MS }] });
    expect(server.last.query).toEqual(["ep=urn:dev:os:32473-1", "lt=300", "lwm2m=1.2", "b=U", "Q"]);
    const old = await startBench({
      accounts: [{ awakeMs: AWAKE_MS }],
      prepare: (_tree, own) => {
        own.versions = ["1.0"];
      },
    });
    expect(old.server.last.query).toEqual(["ep=urn:dev:os:32473-1", "lt=300", "lwm2m=1.0", "b=UQ"]);
  });

  it("int-109: the client answers while it is awake, and not when it sleeps", async () => {
    const { server, client, clock } = await startBench({ accounts: [{ awakeMs: AWAKE_MS }] });
    await clock.advance(AWAKE_MS - 1000);
    expect(await server.text("GET", "/3/0/1")).toBe("2.05 gateway");
    // What the server asked keeps it awake.
    await clock.advance(AWAKE_MS - 1000);
    expect(client.registrations[0]?.state).toBe("registered");
    await clock.advance(1000);
    expect(client.registrations[0]?.state).toBe("asleep");
    expect(await server.ask("GET", "/3/0/1")).toBeUndefined();
    await clock.advance(300_000 - 93_000 - 2 * AWAKE_MS + 1000);
    expect(server.log.at(-1)).toBe("POST /rd/1");
    expect(await server.text("GET", "/3/0/1")).toBe("2.05 gateway");
  });

  it("an Update wakes the server's queue before a notification, and before a Send", async () => {
    const { server, client, clock, tree } = await startBench({
      accounts: [{ awakeMs: AWAKE_MS, lifetimeS: 86_400 }],
      prepare: (own) => {
        own.addInstance(model(3303), 0);
      },
    });
    const measure = (value: number): void => tree.set([3303, 0, 5700], { value, atMs: clock.nowMs() });
    measure(20);
    await server.ask("GET", "/3303/0/5700", { observe: 0, token: "a" });
    await clock.advance(AWAKE_MS);
    expect(client.registrations[0]?.state).toBe("asleep");
    measure(21);
    await clock.advance(1000);
    expect(server.log.slice(1)).toEqual(["POST /rd/1"]);
    expect(server.notifications).toHaveLength(1);
    await clock.advance(AWAKE_MS);
    const sending = client.send([{ path: [3303, 0, 5700], type: "float", value: 21 }], never);
    await clock.advance(1000);
    await sending;
    expect(server.log.slice(1)).toEqual(["POST /rd/1", "POST /rd/1", "POST /dp"]);
  });
});

describe("a profile id", () => {
  it("int-110: stands for the object list", async () => {
    const { server } = await startBench({ accounts: [{ profile: { id: "6:27354b9a", objects: "omitted" } }] });
    expect(server.last.query).toContain("pid=6:27354b9a");
    expect(server.last.payload).toHaveLength(0);
    expect(server.last.contentFormat).toBeUndefined();
  });

  it("int-111: goes with the object list", async () => {
    const { server } = await startBench({ accounts: [{ profile: { id: "6:27354b9a", objects: "sent" } }] });
    expect(server.last.query).toContain("pid=6:27354b9a");
    expect(Buffer.from(server.last.payload).toString()).toContain("</3/0>");
  });

  it("that the server does not know is followed by the list", async () => {
    const { server, client } = await startBench({
      accounts: [{ profile: { id: "oma:unknown", objects: "omitted" } }],
      prepare: (_tree, own) => {
        own.answers.push("4.09");
      },
    });
    await settle();
    expect(server.requests).toHaveLength(2);
    expect(server.last.query.join()).not.toContain("pid");
    expect(Buffer.from(server.last.payload).toString()).toMatch(/<\/3\/0>/);
    expect(client.registrations[0]?.state).toBe("registered");
  });

  it("is not told to older servers", async () => {
    const { server } = await startBench({
      accounts: [{ profile: { id: "6:27354b9a", objects: "omitted" } }],
      prepare: (_tree, own) => {
        own.versions = ["1.1"];
      },
    });
    expect(server.last.query.join()).not.toContain("pid");
    expect(server.last.payload.length).toBeGreaterThan(0);
  });
});

describe("the order of registrations", () => {
  const state = (bench: Awaited<ReturnType<typeof startBench>>) =>
    bench.client.registrations.map((registration) => registration.state);

  it("goes by priority, the next when the one before is registered", async () => {
    const bench = await startBench({
      accounts: [{ registration: { priority: 2 } }, { registration: { priority: 1 } }, {}],
    });
    await settle();
    expect(state(bench)).toEqual(["registered", "registered", "registered"]);
  });

  it("a server that cannot be registered with holds the next one up until its attempts are over", async () => {
    const tried = { retryCount: 2, retryTimerS: 10 };
    const bench = await startBench({
      accounts: [{ registration: { priority: 1, ...tried } }, { registration: { priority: 2 } }],
      prepare: (_tree, server) => {
        server.answers.push("COAP_TIMEOUT", "COAP_TIMEOUT");
      },
    });
    expect(state(bench)).toEqual(["waiting", "idle"]);
    await bench.clock.advance(10_000);
    expect(state(bench)).toEqual(["waiting", "registered"]);
    await bench.clock.advance(900_000);
    expect(state(bench)).toEqual(["registered", "registered"]);
  });

  it("one that blocks keeps the next from registering", async () => {
    const tried = { retryCount: 1, onFailure: "block" } as const;
    const bench = await startBench({
      accounts: [{ registration: { priority: 1, ...tried } }, { registration: { priority: 2 } }],
      prepare: (_tree, server) => {
        server.answers.push("COAP_TIMEOUT");
      },
    });
    expect(state(bench)).toEqual(["waiting", "idle"]);
    await bench.clock.advance(900_000);
    expect(state(bench)).toEqual(["registered", "registered"]);
  });

  it("waits for the Initial Registration Delay", async () => {
    const bench = await startBench({ accounts: [{ registration: { initialDelayS: 30 } }] });
    await bench.clock.advance(29_000);
    expect(state(bench)).toEqual(["waiting"]);
    await bench.clock.advance(1000);
    expect(state(bench)).toEqual(["registered"]);
  });
});

describe("what is kept", () => {
  it("of accounts gives way to a configuration that has others", async () => {
    const state = new MemoryState();
    const first = await startBench({ state });
    expect(await first.server.text("PUT", "/1/0/1", { contentFormat: TEXT, payload: "77" })).toBe("2.04");
    await first.scope[Symbol.asyncDispose]();
    const same = await startBench({ state });
    expect(await same.server.text("GET", "/1/0/1")).toBe("2.05 77");
    await same.scope[Symbol.asyncDispose]();
    const other = await startBench({ state, accounts: [{ lifetimeS: 1000 }] });
    expect(await other.server.text("GET", "/1/0/1")).toBe("2.05 1000");
  });

  it("that cannot be understood is left out", async () => {
    const state = new MemoryState();
    await (await startBench({ state })).scope[Symbol.asyncDispose]();
    state.put("registrations", "1", { uri: 7 });
    state.put("instances", "/1/0", { "1": "soon" });
    state.put("observations", "1/aa", { method: "POST" });
    state.put("attributes", "1/3", ["pmin"]);
    const again = await startBench({ state });
    expect(again.client.registrations).toMatchObject([{ state: "registered", observations: 0 }]);
    expect(await again.server.text("GET", "/1/0/1")).toBe("2.05 300");
  });
});
