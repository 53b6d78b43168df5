import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./child.js";
import type { GatewayProcess } from "./gateway-process.js";
import type { LeshanEvent } from "./leshan-events.js";
import type { LeshanNode, LeshanServer } from "./leshan-server.js";
import { ENDPOINT, Site } from "./leshan-site.js";
import type { Counted, PymodbusSlave } from "./pymodbus-slave.js";

const REGISTER = 100;
const COUNT = "/3331/0/5700";
const POLLS_PER_S = 10;

/** A reading as a Send brought it. */
interface Sent {
  readonly path: string;
  readonly atMs: number;
  readonly value: number;
}

function sentBy({ kind, data }: LeshanEvent): readonly Sent[] {
  if (kind !== "SEND") return [];
  const { val }: { val: readonly Sent[] } = JSON.parse(data);
  return val.filter(({ path }) => path === COUNT);
}

function notifiedBy({ kind, data }: LeshanEvent): readonly number[] {
  if (kind !== "NOTIFICATION") return [];
  const { val }: { val: LeshanNode } = JSON.parse(data);
  return [Number(val.value)];
}

describe("Leshan goes away while ten readings a second come in", () => {
  let site: Site;
  let server: LeshanServer;
  let slave: PymodbusSlave;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    site = await Site.open({ edition: "newest", field: "tcp", profile: "interop-counter", lifetime: "60s" });
    ({ server, slave } = site);
    await slave.count(REGISTER);
    gateway = await site.startGateway();
    await server.registration(ENDPOINT);
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  /** As an application does: observes as soon as the client has registered. */
  async function watch(): Promise<void> {
    await server.registration(ENDPOINT, 90_000);
    expect((await server.ask("POST", ENDPOINT, `${COUNT}/observe`)).status).toBe("CONTENT(205)");
  }

  /** Resolves when the slave has answered so many further reads. */
  async function polled(reads: number): Promise<void> {
    const before = (await slave.counted()).length;
    await eventually(`${reads} polls`, async () => (await slave.counted()).length >= before + reads, reads * 300);
  }

  function missing(expected: readonly Counted[]): readonly number[] {
    const arrived = new Set([
      ...server.events.flatMap(notifiedBy),
      ...server.events.flatMap(sentBy).map(({ value }) => value),
    ]);
    return expected.map(([value]) => value).filter((value) => !arrived.has(value));
  }

  async function expectAll(counted: readonly Counted[]): Promise<void> {
    await eventually("all arrive", () => missing(counted).length === 0, 60_000).catch(() => undefined);
    const lost = missing(counted);
    const summary = { lost: lost.length, from: lost[0], to: lost.at(-1), registered: await server.client(ENDPOINT) };
    expect(lost.length, `${JSON.stringify(summary)}\n${gateway.log}`).toBe(0);
  }

  /** Each time lies between the polls before and after its own. */
  function expectOwnTimes(sent: readonly Sent[], counted: readonly Counted[]): void {
    const wrong = sent.filter(({ value, atMs }) => {
      const [, beforeMs = 0] = counted[value - 2] ?? [];
      const [, afterMs = Number.POSITIVE_INFINITY] = counted[value] ?? [];
      return atMs < Math.floor(beforeMs) || atMs > Math.ceil(afterMs);
    });
    expect(wrong).toEqual([]);
  }

  function expectOrder(sent: readonly Sent[]): void {
    for (const numbers of [sent.map(({ value }) => value), sent.map(({ atMs }) => atMs)]) {
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(new Set(sent.map(({ value }) => value)).size).toBe(sent.length);
  }

  it("gets every reading although it was started anew and knows the gateway no more", async () => {
    await eventually("Sends", () => server.events.flatMap(sentBy).length >= 2 * POLLS_PER_S);
    await site.stopServer();
    await polled(POLLS_PER_S);
    await server.start();
    await server.registration(ENDPOINT, 60_000);
    await expectAll(await slave.counted());
  });

  it("gets every reading of a network that was dark for a while", async () => {
    await watch();
    await eventually("notifications", () => server.events.flatMap(notifiedBy).length >= 2 * POLLS_PER_S);
    site.network.state = "dark";
    await polled(20 * POLLS_PER_S);
    site.network.state = "open";
    const counted = await slave.counted();
    await expectAll(counted);
    expectOwnTimes(server.events.flatMap(sentBy), await slave.counted());
  });

  it("gets every reading of a minute without it, in order and with its own time", async () => {
    await site.stopServer();
    const stopped = (await slave.counted()).length;
    await polled(60 * POLLS_PER_S);
    const from = server.events.length;
    await server.start();
    await watch();
    const counted = await slave.counted();
    await expectAll(counted);
    const sent = server.events.slice(from).flatMap(sentBy);
    expect(sent.filter(({ value }) => value > stopped).length).toBeGreaterThanOrEqual(60 * POLLS_PER_S);
    expectOrder(sent);
    expectOwnTimes(sent, await slave.counted());
  });

  it("gets what a gateway had that was killed meanwhile, but for its last second", async () => {
    await site.stopServer();
    await polled(15 * POLLS_PER_S);
    const killedMs = Date.now();
    await gateway.kill();
    const kept = (await slave.counted()).filter(([, atMs]) => atMs < killedMs - 1000);
    const from = server.events.length;
    gateway = await site.startGateway();
    await polled(3 * POLLS_PER_S);
    await server.start();
    await watch();
    await expectAll(kept);
    const sent = server.events.slice(from).flatMap(sentBy);
    expectOrder(sent);
    expectOwnTimes(sent, await slave.counted());
  });
});
