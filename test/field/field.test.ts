import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CausewayError } from "../../src/base/errors.js";
import type { PollClass } from "../../src/field/adapter.js";
import type { Pace } from "../../src/field/exchanges.js";
import { type PollBounds, paceOf } from "../../src/field/poll-period.js";
import { Rig, register } from "./rig.js";

describe("the field", () => {
  let rig: Rig;
  const forever = new AbortController().signal;

  beforeEach(() => {
    rig = new Rig();
  });

  afterEach(async () => {
    const closed = rig.scope[Symbol.asyncDispose]();
    // The stations in memory may still be answering.
    await rig.clock.advance(20);
    await closed;
    expect(rig.failures).toEqual([]);
    expect(rig.clock.pendingCount).toBe(0);
  });

  /** Lets time pass until the work is done. */
  async function during<T>(work: Promise<T>, ms: number): Promise<T> {
    const settled = work.catch(() => undefined);
    await rig.clock.advance(ms);
    await settled;
    return await work;
  }

  const count = (pattern: RegExp): number => rig.news().filter((line) => pattern.test(line)).length;

  it("polls each class at its pace, and everything soon after the start", async () => {
    rig.station(1);
    await rig.open([["a", 1, [register(0), register(1), register(2, "slow"), register(3, "once")]]]);
    await rig.clock.advance(2500);
    expect(new Set(rig.news())).toEqual(new Set(["a.r0 good 0", "a.r1 good 1", "a.r2 good 2", "a.r3 good 3"]));
    await rig.clock.advance(60_000);
    const news = rig.news();
    const times = (point: string) => news.filter((line) => line.startsWith(`a.${point} `)).length;
    expect([times("r0"), times("r1"), times("r2"), times("r3")]).toEqual([60, 60, 1, 0]);
    expect(rig.messages()).toEqual(["field link up", "device online"]);
  });

  it("polls points within bounds, those of one period together", async () => {
    rig.station(1);
    const field = await rig.open([
      ["a", 1, [register(0), register(1), register(2), register(3, "slow"), register(4, "once")]],
    ]);
    await rig.clock.advance(2500);
    const exchanges = (): number => field.status().buses[0]?.exchanges ?? 0;
    const during = async (ms: number) => {
      rig.news();
      const before = exchanges();
      await rig.clock.advance(ms);
      const news = rig.news();
      const times = [0, 1, 2, 3, 4].map((n) => news.filter((line) => line.startsWith(`a.r${n} `)).length);
      return [times, exchanges() - before];
    };
    const bounds = { minMs: 5000, maxMs: Number.POSITIVE_INFINITY };
    field.setBounds(
      "a",
      new Map([
        ["r1", bounds],
        ["r2", bounds],
        ["r4", { minMs: 0, maxMs: 5000 }],
      ]),
    );
    await rig.clock.advance(5000);
    expect(await during(60_000)).toEqual([[60, 12, 12, 1, 12], 60 + 12 + 1]);
    field.setBounds("a", new Map([["r3", { minMs: 0, maxMs: 1000 }]]));
    await rig.clock.advance(5000);
    expect(await during(60_000)).toEqual([[60, 60, 60, 60, 0], 60]);
    field.setBounds("a", new Map());
    await rig.clock.advance(60_000);
    expect(await during(60_000)).toEqual([[60, 60, 60, 1, 0], 61]);
  });

  it("does not poll what a device does not have, and reads at once what turns out to be there", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0), register(1, "slow"), register(19, "slow")]]]);
    field.setAbsent("a", new Set(["r1", "r19"]));
    await rig.clock.advance(65_000);
    expect(new Set(rig.news())).toEqual(new Set(["a.r0 good 0"]));
    expect((await during(field.read("a", forever), 100)).map(({ point }) => point)).toEqual(["r0"]);
    rig.news();
    field.setAbsent("a", new Set(["r1"]));
    await rig.clock.advance(100);
    expect(rig.news()).toContain("a.r19 good 19");
    field.setAbsent("a", new Set());
    await rig.clock.advance(100);
    expect(rig.news()).toContain("a.r1 good 1");
  });

  it.each<[PollClass, PollBounds, Pace]>([
    ["fast", { minMs: 0, maxMs: Number.POSITIVE_INFINITY }, 1000],
    ["fast", { minMs: 30_000, maxMs: Number.POSITIVE_INFINITY }, 30_000],
    ["slow", { minMs: 0, maxMs: 15_000 }, 15_000],
    ["normal", { minMs: 5_000, maxMs: 60_000 }, 10_000],
    ["normal", { minMs: 60_000, maxMs: 5_000 }, 5_000],
    ["once", { minMs: 5_000, maxMs: Number.POSITIVE_INFINITY }, "once"],
    ["once", { minMs: 0, maxMs: 5_000 }, 5_000],
  ])("a %s point within %j has the pace %s", (pollClass, bounds, pace) => {
    expect(paceOf(pollClass, { fastMs: 1000, normalMs: 10_000, slowMs: 60_000 }, bounds)).toBe(pace);
  });

  it("keeps the pace of the living beside the dead, and gives these at most a tenth of the bus", async () => {
    rig.station(1);
    const dead = [2, 3, 4].map((unit) => [`dead${unit}`, unit, [register(0)]] as const);
    const field = await rig.open([["alive", 1, [register(0)]], ...dead]);
    await rig.clock.advance(15_000);
    expect(rig.messages().filter((message) => message === "device offline")).toHaveLength(3);
    rig.news();
    const busyBeforeMs = field.status().buses[0]?.busyMs ?? 0;
    await rig.clock.advance(100_000);
    expect(count(/^alive.r0 good/)).toBeGreaterThanOrEqual(99);
    const busyMs = (field.status().buses[0]?.busyMs ?? 0) - busyBeforeMs;
    // 100 polls of about 13 ms, and the probes of the dead.
    expect(busyMs - 100 * 13).toBeLessThan(10_500);
    expect(rig.messages().filter((message) => message === "device offline")).toHaveLength(3);
    expect(field.status().devices.map(({ health }) => health)).toEqual(["online", "offline", "offline", "offline"]);
  });

  it("tells that an offline device's values are no longer good, and finds it again", async () => {
    const unit = rig.station(1);
    const field = await rig.open([["a", 1, [register(0), register(1, "slow")]]]);
    await rig.clock.advance(3000);
    rig.line.units.clear();
    rig.news();
    await rig.clock.advance(6000);
    expect(rig.news()).toContain("a.r1 timeout");
    expect(field.status().devices[0]).toMatchObject({ health: "offline" });
    rig.line.units.set(1, unit);
    await rig.clock.advance(11_000);
    expect(rig.news()).toEqual(expect.arrayContaining(["a.r0 good 0", "a.r1 good 1"]));
    expect(rig.messages()).toEqual(["field link up", "device online", "device offline", "device online"]);
    expect(rig.logged.at(-1)?.["offlineMs"]).toBeGreaterThan(0);
  });

  it("isolates one bad register of a strip, remembers it, and tries it again later", async () => {
    const unit = rig.station(1);
    const strip = Array.from({ length: 16 }, (_, index) => register(index));
    const respond = unit.respond.bind(unit);
    let refused = 0;
    unit.respond = (pdu) => {
      const [, , first = 0, , quantity = 0] = pdu;
      if (first > 5 || 5 >= first + quantity) return respond(pdu);
      refused++;
      return Uint8Array.of(0x83, 2);
    };
    const field = await rig.open([["a", 1, strip]]);
    await rig.clock.advance(2500);
    const news = rig.news();
    for (let index = 0; index < 16; index++) {
      expect(news).toContain(index === 5 ? "a.r5 unsupported" : `a.r${index} good ${index}`);
    }
    expect(field.status().devices[0]?.unsupported).toEqual(["r5"]);
    // Reads of 16, 8, 6 registers, of the bad one alone, and once more of all 16.
    expect(refused).toBe(5);
    const requests = rig.line.written.length;
    await rig.clock.advance(8000);
    // What lies before it, and what lies behind.
    expect(rig.line.written.length - requests).toBe(16);
    expect(refused).toBe(5);
    await rig.clock.advance(5000);
    expect(refused).toBe(6);
    expect(rig.messages().filter((message) => message === "device refuses points")).toHaveLength(1);
  });

  it("confirms a write by reading it back, ahead of polls", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw"), register(1)]]]);
    await rig.clock.advance(3000);
    rig.news();
    await during(field.write("a", "r0", 77, forever), 100);
    expect(rig.news()).toContain("a.r0 good 77");
  });

  it("rejects what the device does not keep", async () => {
    const unit = rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw")]]]);
    await rig.clock.advance(3000);
    const respond = unit.respond.bind(unit);
    unit.respond = (pdu) => (pdu[0] === 6 ? pdu.slice() : respond(pdu));
    await expect(during(field.write("a", "r0", 77, forever), 1000)).rejects.toMatchObject({
      code: "FIELD_NOT_CONFIRMED",
      facts: { wanted: "77", found: "0" },
    });
  });

  it("does not read a write-only point back, and refuses what cannot be written", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "fast", "w"), register(1), register(2, "slow", "rw")]]]);
    await rig.clock.advance(3000);
    rig.news();
    await during(field.write("a", "r0", 5, forever), 100);
    expect(count(/r0/)).toBe(0);
    expect(rig.line.unit(1).get("holding", 0)).toBe(5);
    await expect(field.write("a", "r1", 5, forever)).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
    await expect(field.write("a", "r9", 5, forever)).rejects.toMatchObject({ code: "FIELD_NOT_WRITABLE" });
    await expect(field.write("a", "r2", 70_000, forever)).rejects.toMatchObject({ code: "VALUE_INVALID" });
    await expect(during(field.write("a", "r2", 2.6, forever), 100)).resolves.toBeUndefined();
  });

  it("never carries out a stale write", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw")]]]);
    await rig.clock.advance(3000);
    rig.unavailable = new CausewayError("LINK_NOT_FOUND", "bus0 does not exist");
    rig.line.break();
    await rig.clock.advance(0);
    await expect(during(field.write("a", "r0", 77, forever), 11_000)).rejects.toMatchObject({
      code: "FIELD_WRITE_EXPIRED",
    });
    rig.unavailable = undefined;
    await rig.clock.advance(10_000);
    expect(rig.line.unit(1).get("holding", 0)).toBe(0);
  });

  it("carries a write out after a short break", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw")]]]);
    await rig.clock.advance(3000);
    rig.line.break();
    await rig.clock.advance(0);
    await expect(during(field.write("a", "r0", 77, forever), 3000)).resolves.toBeUndefined();
  });

  it("drops a queued write whose caller gives up", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow", "rw")]]]);
    await rig.clock.advance(3000);
    rig.unavailable = new CausewayError("LINK_NOT_FOUND", "bus0 does not exist");
    rig.line.break();
    await rig.clock.advance(100);
    const abort = new AbortController();
    const write = field.write("a", "r0", 77, abort.signal).catch((error) => error);
    abort.abort(new Error("enough"));
    expect(await write).toEqual(new Error("enough"));
  });

  it("reopens a lost link with growing pauses and logs each reason once", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0)]]]);
    await rig.clock.advance(3000);
    rig.news();
    rig.unavailable = new CausewayError("LINK_NOT_FOUND", "bus0 does not exist");
    rig.line.break(new CausewayError("LINK_CLOSED", "bus0 is gone"));
    await rig.clock.advance(20_000);
    expect(rig.news()).toEqual(["a.r0 stale"]);
    expect(field.status().buses[0]).toMatchObject({ state: "down", fault: { code: "LINK_NOT_FOUND" } });
    rig.unavailable = new CausewayError("LINK_PERMISSION", "bus0 may not be opened by this user");
    await rig.clock.advance(20_000);
    rig.unavailable = undefined;
    await rig.clock.advance(5000);
    expect(rig.news()).toContain("a.r0 good 0");
    expect(rig.logged.map(({ msg, code }) => `${msg} ${code ?? ""}`.trim())).toEqual([
      "field link up",
      "device online",
      "field link down LINK_CLOSED",
      "field link down LINK_NOT_FOUND",
      "field link down LINK_PERMISSION",
      "field link up",
    ]);
    // 0.5, 1, 2 s and then every 2.5 s.
    expect(rig.opens).toBeLessThan(22);
  });

  it("says never-read while the link has never been open", async () => {
    rig.unavailable = new CausewayError("LINK_NOT_FOUND", "bus0 does not exist");
    const field = await rig.open([["a", 1, [register(0)]]]);
    await rig.clock.advance(5000);
    expect(rig.news()).toEqual(["a.r0 never-read"]);
    expect(field.status().devices[0]?.health).toBe("unknown");
  });

  it("opens a silent link anew, and says so once", async () => {
    const unit = rig.station(1);
    await rig.open([["a", 1, [register(0)]]]);
    await rig.clock.advance(3000);
    rig.line.units.clear();
    await rig.clock.advance(120_000);
    expect(rig.opens).toBeGreaterThan(1);
    rig.line.units.set(1, unit);
    await rig.clock.advance(30_000);
    expect(rig.messages().filter((message) => message.startsWith("field link"))).toEqual([
      "field link up",
      "field link down",
      "field link up",
    ]);
  });

  it("reads a device at once when asked", async () => {
    rig.station(1);
    const field = await rig.open([["a", 1, [register(0, "slow"), register(1), register(25, "slow")]]]);
    const readings = await during(field.read("a", forever), 2000);
    expect(readings.map(({ point, quality }) => `${point} ${quality}`).sort()).toEqual([
      "r0 good",
      "r1 good",
      "r25 unsupported",
    ]);
  });

  it("rejects a device on a link that is not there", async () => {
    const field = await rig.open([]);
    await expect(field.read("b", forever)).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("ends what is in flight when it closes", async () => {
    const field = await rig.open([["a", 1, [register(0, "slow", "rw")]]]);
    await rig.clock.advance(10);
    const write = field.write("a", "r0", 77, forever).catch((error) => error);
    const read = field.read("a", forever);
    await rig.clock.advance(100);
    const closed = rig.scope[Symbol.asyncDispose]();
    await rig.clock.advance(0);
    await closed;
    expect(await write).toMatchObject({ code: expect.stringMatching(/^LINK_/) });
    expect((await read)[0]?.quality).toBe("never-read");
  });
});
