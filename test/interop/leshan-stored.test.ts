import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./child.js";
import type { GatewayProcess } from "./gateway-process.js";
import type { LeshanEvent } from "./leshan-events.js";
import { ENDPOINT, Site } from "./leshan-site.js";

const REGISTER = 100;
const COUNT = "/3331/0/5700";
const POLLS_PER_S = 10;

interface Told {
  readonly atMs: number;
  readonly value: number;
}

function toldBy({ kind, data }: LeshanEvent): readonly Told[] {
  if (kind !== "NOTIFICATION") return [];
  const { history }: { history: readonly Told[] } = JSON.parse(data);
  return history;
}

describe("Leshan goes away, and is told what it missed by stored notifications", () => {
  let site: Site;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    const keys = { history: "notify" };
    site = await Site.open({ edition: "newest", field: "tcp", profile: "interop-counter", lifetime: "60s", keys });
    await site.slave.count(REGISTER);
    gateway = await site.startGateway();
    await site.server.registration(ENDPOINT);
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  it("gets every reading of twenty seconds without it, with its own time, and no Send", async () => {
    const { server, slave } = site;
    let observed = -1;
    // As an application does: after each registration.
    const observe = async (): Promise<void> => {
      const registrations = server.events.filter(({ kind }) => kind === "REGISTRATION").length;
      if (registrations === observed) return;
      observed = registrations;
      const answer = await server.ask("POST", ENDPOINT, `${COUNT}/observe?format=SENML_CBOR`);
      expect(answer.status).toBe("CONTENT(205)");
    };
    await observe();
    await eventually("notifications", () => server.events.flatMap(toldBy).length >= 2 * POLLS_PER_S);
    await site.stopServer();
    const stopped = (await slave.counted()).length;
    const polls = 20 * POLLS_PER_S;
    await eventually("polls", async () => (await slave.counted()).length >= stopped + polls, polls * 300);
    await server.start();
    await server.registration(ENDPOINT, 90_000);
    const counted = await slave.counted();
    const missing = (): readonly number[] => {
      const told = new Set(server.events.flatMap(toldBy).map(({ value }) => value));
      return counted.slice(stopped).flatMap(([value]) => (told.has(value) ? [] : [value]));
    };
    const hasAll = async (): Promise<boolean> => {
      await observe();
      return missing().length === 0;
    };
    await eventually("all arrive", hasAll, 60_000).catch(() => undefined);
    const kinds = server.events
      .map(({ kind, data }) => (kind === "NOTIFICATION" ? `N${toldBy({ kind, data }).length}` : kind))
      .join(" ");
    expect(missing().length, `${kinds}\n${gateway.log}`).toBe(0);
    const all = await slave.counted();
    const wrong = server.events.flatMap(toldBy).filter(({ value, atMs }) => {
      const [, beforeMs = 0] = all[value - 2] ?? [];
      const [, afterMs = Number.POSITIVE_INFINITY] = all[value] ?? [];
      return atMs < Math.floor(beforeMs) || atMs > Math.ceil(afterMs);
    });
    expect(wrong).toEqual([]);
    expect(server.events.filter(({ kind }) => kind === "SEND")).toEqual([]);
  });
});
