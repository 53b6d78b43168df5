import { describe, expect, it } from "vitest";
import { utf8Decode } from "../../../src/base/bytes.js";
import { createLog, tee } from "../../../src/base/log.js";
import { ContentFormat, codecOf } from "../../../src/lwm2m/codec/formats.js";
import { EventLog } from "../../../src/lwm2m/objects/event-log.js";
import { settle } from "../../fakes/clock.js";
import { type Bench, model, shippedModels, startBench } from "../../fakes/lwm2m-client.js";

const DATA = "/20/0/4014";
const STATUS = "/20/0/4013";

async function start({ refusals = 0 } = {}) {
  const sent: string[] = [];
  let log = createLog("silent", () => undefined);
  let events: EventLog | undefined;
  const bench = await startBench({
    objects: (tree, clock) => {
      const made = new EventLog(clock, async (entries) => {
        if (refusals-- > 0) throw new Error("no server is registered");
        for (const { value } of entries) sent.push(Buffer.from(value as Uint8Array).toString());
      });
      made.addTo(tree, shippedModels);
      log = tee(log, (event) => made.append(event));
      events = made;
    },
  });
  if (events === undefined) throw new Error("there is no event log");
  return { ...bench, log, events, sent };
}

async function linesOf({ server }: Pick<Bench, "server">): Promise<readonly string[]> {
  const response = await server.ask("GET", DATA, { accept: ContentFormat.opaque });
  return (utf8Decode(response?.payload ?? new Uint8Array()) ?? "").split("\n").filter((line) => line !== "");
}

describe("the event log", () => {
  it("has what was logged at info or above, with time and facts", async () => {
    const bench = await start();
    expect(await bench.server.text("GET", STATUS)).toBe("2.05 0");
    bench.log.debug("nothing");
    bench.log.info("registered", { server: 1 });
    bench.log.warn("device is offline");
    expect(await linesOf(bench)).toEqual([
      '2026-01-01T00:00:00.000Z info registered {"server":1}',
      "2026-01-01T00:00:00.000Z warn device is offline",
    ]);
    expect(await bench.server.text("GET", STATUS)).toBe("2.05 2");
  });

  it("forgets the oldest beyond 16 KiB", async () => {
    const bench = await start();
    for (let count = 0; count < 1000; count++) bench.log.info(`event ${count}`);
    const lines = await linesOf(bench);
    expect(lines.at(-1)).toContain("event 999");
    expect(lines.join("\n").length).toBeLessThanOrEqual(16_384);
    expect(lines.length).toBeGreaterThan(300);
    bench.log.info("x".repeat(100_000));
    expect((await linesOf(bench)).at(-1)?.length).toBe(2048);
  });

  it.each([
    ["stops, and keeps what it has", "4012", "", 3, 1],
    ["stops, and is empty", "4012", "0='1'", 1, 0],
    ["starts anew, and is empty", "4011", "", 0, 0],
    ["starts anew with what it has", "4011", "0='1'", 2, 1],
    ["starts anew for a period", "4011", "0='0',1='100'", 0, 0],
  ])("%s", async (_, resource, payload, status, lines) => {
    const bench = await start();
    bench.log.info("before");
    expect(await bench.server.text("POST", `/20/0/${resource}`, { payload })).toBe("2.04");
    expect(await bench.server.text("GET", STATUS)).toBe(`2.05 ${status}`);
    expect(await linesOf(bench)).toHaveLength(lines);
  });

  it("collects nothing while it is stopped, and stops when the period is over", async () => {
    const bench = await start();
    await bench.server.text("POST", "/20/0/4011", { payload: "1='100'" });
    bench.log.info("in time");
    await bench.clock.advance(100_000);
    bench.log.info("too late");
    expect(await linesOf(bench)).toHaveLength(1);
    expect(await bench.server.text("GET", STATUS)).toBe("2.05 3");
    await bench.server.text("POST", "/20/0/4011", { payload: "0='1'" });
    bench.log.info("again");
    expect(await linesOf(bench)).toHaveLength(2);
  });

  it.each([["0='2'"], ["1='-5'"], ["1='soon'"], ["0,0"]])("refuses the arguments %s", async (payload) => {
    const { server } = await start();
    expect(await server.text("POST", "/20/0/4011", { payload })).toBe("4.00");
  });

  it.each([
    [1, ContentFormat.tlv],
    [2, ContentFormat.json],
    [3, ContentFormat.lwm2mCbor],
  ])("has its lines in format %i, when a server wants that", async (format, contentFormat) => {
    const { server, log } = await start();
    expect(await server.text("PUT", "/20/0/4015", { contentFormat: 0, payload: String(format) })).toBe("2.04");
    expect(await server.text("GET", "/20/0/4015")).toBe(`2.05 ${format}`);
    log.info("one");
    log.info("two");
    const data = (await server.ask("GET", DATA, { accept: ContentFormat.opaque }))?.payload ?? new Uint8Array();
    const entries = codecOf(contentFormat)?.decode(data, {
      target: [20, 0, 4014],
      resource: () => ({ id: 4014, name: "", operations: "R", multiple: true, mandatory: true, type: "string" }),
      nowMs: 0,
    });
    expect(entries?.map(({ value }) => String(value).slice(-3))).toEqual(["one", "two"]);
    expect(await server.text("PUT", "/20/0/4015", { contentFormat: 0, payload: "4" })).toBe("4.00");
  });

  it("tells observers of new events", async () => {
    const { server, log } = await start();
    await server.ask("GET", DATA, { observe: 0, accept: ContentFormat.opaque });
    log.info("one");
    log.info("two");
    await settle();
    expect(server.notifications).toHaveLength(1);
  });

  it("sends what is new, not more often than the interval, whether or not it collects", async () => {
    const { server, clock, log, sent } = await start();
    log.info("before");
    await server.text("POST", "/20/0/4012");
    expect(await server.text("PUT", "/20/0/4017", { contentFormat: 0, payload: "60" })).toBe("2.04");
    expect(await server.text("GET", STATUS)).toBe("2.05 11");
    expect(await server.text("GET", "/20/0/4016")).toBe("4.05");
    await clock.advance(100_000);
    expect(sent).toEqual([]);
    log.info("one");
    log.info("two");
    await clock.advance(0);
    log.info("three");
    await clock.advance(59_999);
    expect(sent.map((text) => text.trimEnd().split("\n").length)).toEqual([2]);
    await clock.advance(1);
    expect(sent[1]).toMatch(/ info three\n$/);
    await server.text("PUT", "/20/0/4017", { contentFormat: 0, payload: "0" });
    log.info("four");
    await clock.advance(100_000);
    expect(sent).toHaveLength(2);
    expect(await server.text("GET", STATUS)).toBe("2.05 3");
  });

  it("sends again what no server took", async () => {
    const { server, clock, log, sent } = await start({ refusals: 2 });
    await server.text("PUT", "/20/0/4017", { contentFormat: 0, payload: "10" });
    log.info("one");
    await clock.advance(9_000);
    log.info("two");
    await clock.advance(10_000);
    expect(sent).toEqual([]);
    await clock.advance(1_000);
    expect(sent.map((text) => text.trimEnd().split("\n").length)).toEqual([2]);
  });

  it("is version 2.1", () => {
    expect(model(20).version).toBe("2.1");
  });
});
