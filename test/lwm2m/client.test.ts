import { describe, expect, it } from "vitest";
import { NO_BYTES, toHex, utf8Decode } from "../../src/base/bytes.js";
import { createLog } from "../../src/base/log.js";
import { Code } from "../../src/coap/code.js";
import type { CoapResponse } from "../../src/coap/request.js";
import type { RegistrationStatus } from "../../src/lwm2m/client.js";
import type { Entry } from "../../src/lwm2m/codec/codec.js";
import { settle } from "../fakes/clock.js";
import { model, startBench } from "../fakes/lwm2m-client.js";

const TEXT = 0;
const REGISTER = "POST /rd?ep=urn:dev:os:32473-1&lt=300&lwm2m=1.2&b=U";
const never = new AbortController().signal;

const sample: Entry = { path: [3303, 0, 5700], type: "float", value: 21.5, atMs: Date.UTC(2026, 0, 1) };

describe("registration", () => {
  it("int-101: endpoint, lifetime, version, binding and the objects without 0 and 21", async () => {
    const { server, client } = await startBench({ prepare: (tree) => tree.addInstance(model(3303), 0) });
    expect(server.log).toEqual([REGISTER]);
    expect(server.last.contentFormat).toBe(40);
    expect(utf8Decode(server.last.payload)).toBe(
      '</>;ct="112 110 60 11542 11544 322 320",</1/0>,</3/0>,</3303>;ver=1.1,</3303/0>',
    );
    expect(client.registrations).toEqual([
      {
        shortServerId: 1,
        uri: "coap://192.0.2.1:5683",
        state: "registered",
        version: "1.2",
        registeredAtMs: Date.UTC(2026, 0, 1),
        provenAtMs: Date.UTC(2026, 0, 1),
        observations: 0,
      },
    ]);
  });

  it.each([
    [["1.0", "1.1"], "1.1", 2],
    [["1.0"], "1.0", 3],
  ])("steps down for a server that knows %j", async (versions, version, requests) => {
    const { server, client } = await startBench({
      prepare: (_tree, server) => {
        server.versions = versions;
      },
    });
    expect(server.requests).toHaveLength(requests);
    expect(server.opened).toBe(1);
    expect(client.registrations[0]).toMatchObject({ state: "registered", version });
  });

  it("uses the path of the server's URI", async () => {
    const { server } = await startBench({ accounts: [{ uri: "coap://192.0.2.1/lwm2m/" }] });
    expect(server.log[0]).toMatch(/^POST \/lwm2m\/rd\?/);
  });

  it("refreshes in time, with nothing in it", async () => {
    const { server, clock } = await startBench();
    await clock.advance(206_999);
    expect(server.requests).toHaveLength(1);
    await clock.advance(1);
    expect(server.log.slice(1)).toEqual(["POST /rd/1"]);
    expect(server.last.payload).toHaveLength(0);
    expect(server.last.contentFormat).toBeUndefined();
    await clock.advance(207_000);
    expect(server.log.slice(1)).toEqual(["POST /rd/1", "POST /rd/1"]);
  });

  it("int-102, 107: tells of another lifetime at once, and keeps to it", async () => {
    const { server, clock } = await startBench();
    expect(await server.text("PUT", "/1/0/1", { contentFormat: TEXT, payload: "20" })).toBe("2.04");
    await clock.advance(100);
    expect(server.log.slice(1)).toEqual(["POST /rd/1?lt=20"]);
    await clock.advance(10_000);
    expect(server.log.slice(1)).toEqual(["POST /rd/1?lt=20", "POST /rd/1"]);
  });

  it("int-104: Registration Update Trigger", async () => {
    const { server, clock } = await startBench();
    expect(await server.text("POST", "/1/0/8")).toBe("2.04");
    await clock.advance(100);
    expect(server.log.slice(1)).toEqual(["POST /rd/1"]);
  });

  it("int-105: registers again when the server has forgotten it", async () => {
    const { server, clock } = await startBench();
    server.answers.push("4.04");
    await clock.advance(207_000);
    expect(server.log.slice(1)).toEqual(["POST /rd/1", REGISTER]);
    await clock.advance(207_000);
    expect(server.log.at(-1)).toBe("POST /rd/2");
    expect(server.opened).toBe(1);
  });

  it("tells of new and of removed instances in one Update", async () => {
    const { server, clock, tree } = await startBench();
    for (const id of [0, 1, 2]) tree.addInstance(model(3303), id);
    await clock.advance(50);
    tree.removeInstance(3303, 1);
    await clock.advance(50);
    expect(server.log.slice(1)).toEqual(["POST /rd/1"]);
    expect(utf8Decode(server.last.payload)).toContain("</3/0>,</3303>;ver=1.1,</3303/0>,</3303/2>");
    await clock.advance(10_000);
    expect(server.requests).toHaveLength(2);
  });

  it("tells afterwards of what changed while an Update was under way", async () => {
    const { server, clock, tree } = await startBench();
    let answer: (response: CoapResponse) => void = () => undefined;
    server.answers.push(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    await clock.advance(207_000);
    tree.addInstance(model(3303), 0);
    await clock.advance(1000);
    expect(server.log.slice(1)).toEqual(["POST /rd/1"]);
    answer({ code: Code.Changed, payload: NO_BYTES });
    await clock.advance(100);
    expect(server.log.slice(1)).toEqual(["POST /rd/1", "POST /rd/1"]);
    expect(utf8Decode(server.last.payload)).toContain("</3303/0>");
  });

  it("int-103: Disable de-registers, is silent, and comes back", async () => {
    const { server, clock, client } = await startBench();
    await server.ask("PUT", "/1/0/5", { contentFormat: TEXT, payload: "600" });
    expect(await server.text("POST", "/1/0/4")).toBe("2.04");
    await clock.advance(100);
    expect(server.log.slice(1)).toEqual(["DELETE /rd/1"]);
    expect(server.open.size).toBe(0);
    expect(client.registrations[0]).toMatchObject({ state: "disabled", retryAtMs: clock.nowMs() + 600_000 });
    expect(await server.text("GET", "/3/0/0")).toBe("no answer");
    await clock.advance(600_000);
    expect(server.log.slice(2)).toEqual([REGISTER]);
    expect(client.registrations[0]?.state).toBe("registered");
  });

  it("ignores requests until it is registered", async () => {
    const { server } = await startBench({
      prepare: (_tree, server) => {
        server.answers.push("never");
      },
    });
    expect(await server.text("GET", "/3/0/0")).toBe("no answer");
  });

  it("opens a new connection for each attempt after nothing answered", async () => {
    const { server, clock, client } = await startBench({
      prepare: (_tree, server) => {
        server.answers.push("COAP_TIMEOUT", "COAP_TIMEOUT");
      },
    });
    expect(client.registrations[0]).toMatchObject({
      state: "waiting",
      lastFailure: "COAP_TIMEOUT",
      retryAtMs: clock.nowMs() + 60_000,
    });
    await clock.advance(60_000);
    expect(client.registrations[0]?.retryAtMs).toBe(clock.nowMs() + 120_000);
    await clock.advance(120_000);
    expect(client.registrations[0]?.state).toBe("registered");
    expect(client.registrations[0]?.lastFailure).toBeUndefined();
    expect(server.opened).toBe(3);
    expect(server.open.size).toBe(1);
  });

  it("comes back soon when the server is not up yet", async () => {
    const { server, clock, client } = await startBench({
      prepare: (_tree, server) => {
        server.answers.push("COAP_UNREACHABLE", "COAP_UNREACHABLE", "COAP_UNREACHABLE");
      },
    });
    await clock.advance(7000);
    expect(server.requests).toHaveLength(4);
    expect(client.registrations[0]?.state).toBe("registered");
  });

  it("logs each change once and no retry", async () => {
    const lines: string[] = [];
    const { clock } = await startBench({
      log: createLog("info", (line) => lines.push(line)),
      prepare: (_tree, server) => {
        server.answers.push(...Array.from({ length: 5 }, () => "4.03"));
      },
    });
    await clock.advance(60 * 60 * 1000);
    const events = lines.map((line) => JSON.parse(line)).map(({ msg, failure, server }) => [msg, failure, server]);
    expect(events).toEqual([
      ["registration failed, it is tried again", "4.03", 1],
      ["registered", undefined, 1],
    ]);
  });
});

describe("several servers", () => {
  it("have their own Server object instance, lifetime and fate", async () => {
    const { servers, client, clock } = await startBench({
      accounts: [{}, { lifetimeS: 60 }],
      prepare: (_tree, server) => {
        server.answers.push("4.03");
      },
    });
    expect(client.registrations.map(({ state }) => state)).toEqual(["waiting", "registered"]);
    expect(servers[1]?.log[0]).toContain("lt=60");
    expect(utf8Decode(servers[1]?.last.payload ?? new Uint8Array())).toContain("</1/0>,</1/1>");
    await servers[1]?.ask("PUT", "/1/1/1", { contentFormat: TEXT, payload: "50" });
    await clock.advance(100);
    expect(servers[1]?.log.at(-1)).toBe("POST /rd/1?lt=50");
    expect(servers[0]?.requests).toHaveLength(1);
  });
});

describe("Send", () => {
  it("int-306: SenML CBOR with the time of the measurement", async () => {
    const { server, client, clock } = await startBench();
    await clock.advance(5000);
    await client.send([sample], never);
    expect(server.log.at(-1)).toBe("POST /dp");
    expect(server.last.contentFormat).toBe(112);
    // bn "/3303/0/5700", bt 1767225600, v 21.5
    expect(toHex(server.last.payload)).toMatch(/^81a3.*6c2f333330332f302f35373030.*f94d60/);
    expect(client.registrations[0]?.provenAtMs).toBe(clock.nowMs());
  });

  it("int-307: obeys Mute Send", async () => {
    const { server, client } = await startBench();
    await server.ask("PUT", "/1/0/23", { contentFormat: TEXT, payload: "1" });
    await expect(client.send([sample], never)).rejects.toMatchObject({ code: "LWM2M_SEND_UNAVAILABLE" });
    await server.ask("PUT", "/1/0/23", { contentFormat: TEXT, payload: "0" });
    await client.send([sample], never);
    expect(server.log.at(-1)).toBe("POST /dp");
  });

  it.each([
    ["4.00", "LWM2M_BAD_REQUEST"],
    ["4.15", "LWM2M_BAD_REQUEST"],
    ["4.04", "LWM2M_NOT_REGISTERED"],
    ["5.03", "LWM2M_NOT_REGISTERED"],
    ["COAP_RESET", "COAP_RESET"],
    ["COAP_TIMEOUT", "COAP_TIMEOUT"],
  ] as const)("answered with %s rejects with %s", async (answer, code) => {
    const { server, client } = await startBench();
    server.answers.push(answer);
    await expect(client.send([sample], never)).rejects.toMatchObject({ code });
  });

  it.each(["4.00", "4.15"])(
    "takes %s for no refusal when the server has forgotten the registration",
    async (answer) => {
      const { server, client, clock } = await startBench();
      server.answers.push(answer, "4.04", "4.04");
      await expect(client.send([sample], never)).rejects.toMatchObject({ code: "LWM2M_NOT_REGISTERED" });
      await clock.advance(1000);
      expect(server.log.slice(1)).toEqual(["POST /dp", "POST /rd/1", "POST /rd/1", REGISTER]);
      await client.send([sample], never);
      expect(server.log.at(-1)).toBe("POST /dp");
    },
  );

  it("finds out whether the server still knows it when a Send is lost", async () => {
    const { server, client } = await startBench();
    server.answers.push("COAP_TIMEOUT", "4.04");
    await client.send([sample], never).catch(() => undefined);
    await settle();
    expect(server.log.slice(1)).toEqual(["POST /dp", "POST /rd/1", REGISTER]);
    expect(client.registrations[0]?.state).toBe("registered");
  });

  it("needs a registration, and a version that has it", async () => {
    const { client } = await startBench({
      accounts: [{ send: "muted" }, {}, {}],
      prepare: (_tree, server) => {
        server.versions = ["1.1"];
      },
    });
    await expect(client.send([sample], never, 1)).rejects.toMatchObject({ code: "LWM2M_SEND_UNAVAILABLE" });
    await client.send([sample], never, 2);
    await client.close();
    await expect(client.send([sample], never, 3)).rejects.toMatchObject({ code: "LWM2M_NOT_REGISTERED" });
    await expect(client.send([sample], never)).rejects.toMatchObject({ code: "LWM2M_NOT_REGISTERED" });
    await expect(client.send([sample], never, 9)).rejects.toMatchObject({ code: "LWM2M_NOT_REGISTERED" });
  });

  it("is not possible with LwM2M 1.0", async () => {
    const { client } = await startBench({
      prepare: (_tree, server) => {
        server.versions = ["1.0"];
      },
    });
    await expect(client.send([sample], never)).rejects.toMatchObject({ code: "LWM2M_SEND_UNAVAILABLE" });
  });

  it("ends when the signal aborts", async () => {
    const { server, client } = await startBench();
    server.answers.push("never");
    const abort = new AbortController();
    const sending = client.send([sample], abort.signal);
    abort.abort(new Error("enough"));
    await expect(sending).rejects.toThrow("enough");
    expect(client.registrations[0]?.state).toBe("registered");
  });
});

describe("close", () => {
  it("de-registers and closes the connection", async () => {
    const { server, client, clock, scope } = await startBench();
    await scope[Symbol.asyncDispose]();
    expect(server.log.slice(1)).toEqual(["DELETE /rd/1"]);
    expect(server.open.size).toBe(0);
    expect(client.registrations[0]?.state).toBe("closed");
    expect(clock.pendingCount).toBe(0);
    await client.close();
  });

  it("does not wait for a server that is silent", async () => {
    const { server, client, clock } = await startBench();
    server.answers.push("never");
    const closing = client.close();
    await clock.advance(5000);
    await closing;
    expect(server.open.size).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  it("breaks off an attempt that is under way, and one that waits", async () => {
    const { servers, client, clock } = await startBench({
      accounts: [{}, {}],
      prepare: (_tree, server) => {
        server.answers.push("never");
      },
    });
    await client.close();
    expect(servers[0]?.open.size).toBe(0);
    expect(servers[1]?.log.at(-1)).toBe("DELETE /rd/1");
    expect(clock.pendingCount).toBe(0);
  });

  it("before it has begun is no work", async () => {
    const { clock, client } = await startBench({ accounts: [] });
    await client.close();
    expect(clock.pendingCount).toBe(0);
  });
});

describe("onState", () => {
  it("hears of states, proofs and observations", async () => {
    const { client, server, clock } = await startBench();
    const heard: RegistrationStatus[] = [];
    const listening = client.onState((status) => heard.push(status));
    await server.ask("GET", "/3/0/0", { observe: 0, token: "x" });
    await server.ask("GET", "/3/0/0", { observe: 1, token: "x" });
    expect(heard.map(({ observations }) => observations)).toEqual([1, 0]);
    await clock.advance(1000);
    await client.send([sample], never);
    expect(heard.at(-1)?.provenAtMs).toBe(clock.nowMs());
    listening[Symbol.dispose]();
    const before = heard.length;
    await client.close();
    expect(heard).toHaveLength(before);
  });
});
