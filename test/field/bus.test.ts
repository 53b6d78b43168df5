import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CausewayError } from "../../src/base/errors.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import type { Point, Station, WatchSink } from "../../src/field/adapter.js";
import { type AnyLink, Bus } from "../../src/field/bus.js";
import { Device } from "../../src/field/device.js";
import { Poller } from "../../src/field/poller.js";
import type { Reading } from "../../src/field/reading.js";
import { FakeClock, settle } from "../fakes/clock.js";

const EXCHANGE_MS = 100;
const STATION: Station<unknown> = { name: "d", address: {}, traits: {} };
const forever = new AbortController().signal;

function point(name: string): Point<unknown> {
  return { name, access: "rw", pollClass: "fast", address: {} };
}

/** A link of some other protocol: each exchange takes its time, and what was asked is noted. */
class NotingLink implements AnyLink {
  readonly asked: string[] = [];
  readonly closed: Promise<Error>;
  sink: WatchSink | undefined;
  stuck = false;
  silent = false;
  readonly #clock: FakeClock;
  #close: (reason: Error) => void = () => undefined;

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  async read(_station: Station<unknown>, points: readonly Point<unknown>[]): Promise<readonly Reading[]> {
    await this.#take(`read ${points.map(({ name }) => name)}`);
    const atMs = this.#clock.nowMs();
    return points.map(({ name }): Reading => {
      if (this.silent) return { point: name, atMs, quality: "timeout", reason: "no answer" };
      return { point: name, atMs, quality: "good", value: 1 };
    });
  }

  async write(_station: Station<unknown>, { name }: Point<unknown>): Promise<void> {
    await this.#take(`write ${name}`);
  }

  async watch(_: Station<unknown>, points: readonly Point<unknown>[], sink: WatchSink): Promise<void> {
    this.asked.push(`watch ${points.map(({ name }) => name)}`);
    this.sink = sink;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new CausewayError("LINK_CLOSED", "closed"));
  }

  #take(what: string): Promise<void> {
    this.asked.push(what);
    return new Promise((resolve) => {
      if (!this.stuck) this.#clock.schedule(EXCHANGE_MS, resolve);
    });
  }
}

describe("a bus", () => {
  let clock: FakeClock;
  let scope: Scope;
  let links: NotingLink[];
  let bus: Bus;

  beforeEach(async () => {
    clock = new FakeClock();
    scope = new Scope((error) => {
      throw error;
    });
    links = [];
    const open = async () => {
      const link = new NotingLink(clock);
      links.push(link);
      return link;
    };
    bus = new Bus({ medium: "m", links: ["l"], open, clock, log: silentLog, random: () => 0 }, scope);
    await clock.advance(0);
  });

  afterEach(async () => {
    const closed = scope[Symbol.asyncDispose]();
    await clock.advance(EXCHANGE_MS);
    await closed;
    expect(clock.pendingCount).toBe(0);
  });

  it("lets one exchange at a time on the link, writes before polls", async () => {
    const all = [
      bus.read(STATION, [point("a")], "slow"),
      bus.read(STATION, [point("b")], "slow"),
      bus.read(STATION, [point("c")], "fast"),
      bus.read(STATION, [point("d")], "read-back"),
      bus.write(STATION, point("e"), 1, 5000, forever),
    ];
    await clock.advance(0);
    expect(links[0]?.asked).toEqual(["read a"]);
    await clock.advance(5 * EXCHANGE_MS);
    await Promise.all(all);
    expect(links[0]?.asked).toEqual(["read a", "write e", "read d", "read c", "read b"]);
    expect(bus.status()).toMatchObject({ exchanges: 5, busyMs: 5 * EXCHANGE_MS, queued: 0, state: "up" });
  });

  it("may have any number of devices that listen for the end of its link", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    bus.onOpened((_link, signal) => {
      for (let device = 0; device < 20; device++) signal.addEventListener("abort", () => undefined);
    });
    await settle();
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("refuses more than it can hold", async () => {
    const reads = Array.from({ length: 1002 }, () => bus.read(STATION, [point("a")], "slow").catch((error) => error));
    expect(await reads[1001]).toMatchObject({ code: "FIELD_QUEUE_FULL" });
    await scope[Symbol.asyncDispose]();
    expect(await reads[1000]).toMatchObject({ code: "LINK_CLOSED" });
  });

  it("gives up a link on which an exchange never ends", async () => {
    for (const link of links) link.stuck = true;
    const read = bus.read(STATION, [point("a")], "fast").catch((error) => error);
    await clock.advance(61_000);
    expect(await read).toMatchObject({ code: "LINK_FAILED" });
    expect(links).toHaveLength(2);
    const next = bus.read(STATION, [point("b")], "fast");
    await clock.advance(EXCHANGE_MS);
    expect(await next).toMatchObject([{ point: "b", quality: "good" }]);
  });

  it("holds an exchange that never ends against the link that it was on, not against the next one", async () => {
    for (const link of links) link.stuck = true;
    const read = bus.read(STATION, [point("a")], "fast").catch((error) => error);
    await links[0]?.[Symbol.asyncDispose]();
    await clock.advance(61_000);
    expect(await read).toMatchObject({ code: "LINK_FAILED" });
    expect([links.length, bus.status().state]).toEqual([2, "up"]);
  });

  it("begins nothing on a link that it gives up for its silence: a write waits for the next one", async () => {
    for (const link of links) link.silent = true;
    const poll = () => bus.read(STATION, [point("a")], "fast");
    const polls = [poll(), poll(), poll(), poll()];
    await clock.advance(30_000);
    polls.push(poll());
    const write = bus.write(STATION, point("b"), 1, 10_000, forever);
    await clock.advance(EXCHANGE_MS);
    await Promise.all(polls);
    await clock.advance(1000);
    expect(links.map(({ asked }) => asked)).toEqual([Array(5).fill("read a"), ["write b"]]);
    await write;
  });

  it("learns from stations that speak on their own, anew after each connect", async () => {
    const told: Reading[] = [];
    const device = new Device(
      {
        name: "d",
        link: "l",
        station: STATION,
        points: [point("a")],
        poll: { fastMs: 1000, normalMs: 1000, slowMs: 1000 },
        plan: () => [],
        fit: (_, value) => value,
        bus,
        poller: new Poller(clock, scope),
        clock,
        log: silentLog,
        onReadings: (readings) => told.push(...readings),
      },
      scope,
    );
    await clock.advance(0);
    expect(await device.read(forever)).toMatchObject([{ point: "a", quality: "never-read" }]);
    const reading: Reading = { point: "a", atMs: clock.nowMs(), quality: "good", value: 5 };
    links[0]?.sink?.readings([reading]);
    expect(told).toEqual([reading]);
    expect(await device.read(forever)).toEqual([reading]);
    expect(device.status()).toMatchObject({ health: "online" });
    await links[0]?.[Symbol.asyncDispose]();
    await clock.advance(1000);
    expect(links.map(({ asked }) => asked)).toEqual([["watch a"], ["watch a"]]);
  });
});
