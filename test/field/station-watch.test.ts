import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CausewayError } from "../../src/base/errors.js";
import { createLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import type { DeviceTraits, Link, Point, WatchSink } from "../../src/field/adapter.js";
import { type Field, openField } from "../../src/field/field.js";
import { defineAdapter, object, type Reading } from "../../src/field/index.js";
import { FakeClock } from "../fakes/clock.js";

const SILENCE_MS = 300_000;
const point: Point<object> = { name: "temperature", access: "rw", pollClass: "normal", address: {} };

/** A field whose one station only speaks on its own. */
class Listening {
  readonly clock = new FakeClock();
  readonly scope = new Scope((error) => {
    throw error;
  });
  readonly told: Reading[] = [];
  readonly logged: string[] = [];
  sink: WatchSink | undefined;
  lose: (reason: Error) => void = () => undefined;
  refusals = 0;
  watched = 0;
  onWrite: () => void = () => undefined;
  traits: DeviceTraits = {};

  async open(): Promise<Field> {
    const link = (): Link<object, object> => ({
      closed: new Promise((resolve) => {
        this.lose = resolve;
      }),
      read: () => Promise.resolve([]),
      write: async () => this.onWrite(),
      watch: async (_station, _points, sink) => {
        this.watched++;
        if (this.refusals-- > 0) throw new Error("not yet");
        this.sink = sink;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
    const adapter = defineAdapter({
      name: "radio",
      link: object({}),
      station: object({}),
      point: object({}),
      medium: () => "air",
      plan: () => [],
      open: () => Promise.resolve(link()),
      silenceMs: SILENCE_MS,
    });
    const poll = { fastMs: 1000, normalMs: 1000, slowMs: 1000 };
    const field = await openField(
      {
        links: [{ name: "air", adapter: "radio", options: {} }],
        devices: [{ name: "tag", link: "air", address: {}, traits: this.traits, points: [point], poll }],
        loadAdapter: () => Promise.resolve(adapter),
        clock: this.clock,
        log: createLog("info", (line) => this.logged.push(JSON.parse(line).msg)),
        onReadings: (_device, readings) => this.told.push(...readings),
        random: () => 0,
      },
      this.scope,
    );
    await this.clock.advance(0);
    return field;
  }

  say(value: number): void {
    this.sink?.readings([{ point: "temperature", atMs: this.clock.nowMs(), quality: "good", value }]);
  }

  news(): string[] {
    return this.told.splice(0).map((r) => ("reason" in r ? `${r.quality}: ${r.reason}` : `${r.quality} ${r.value}`));
  }
}

describe("a station that speaks on its own", () => {
  let rig: Listening;
  let field: Field;
  const health = (): string | undefined => field.status().devices[0]?.health;

  beforeEach(async () => {
    rig = new Listening();
    field = await rig.open();
  });
  afterEach(async () => {
    await rig.scope[Symbol.asyncDispose]();
  });

  it("is gone after its silence, says so once, and comes back with its next word", async () => {
    rig.say(20);
    expect([rig.news(), health()]).toEqual([["good 20"], "online"]);
    await rig.clock.advance(SILENCE_MS - 1);
    expect([rig.news(), health()]).toEqual([[], "online"]);
    await rig.clock.advance(1);
    expect([rig.news(), health()]).toEqual([["timeout: nothing was heard for 300 s"], "offline"]);
    await rig.clock.advance(10 * SILENCE_MS);
    expect(rig.news()).toEqual([]);
    rig.say(21);
    expect([rig.news(), health()]).toEqual([["good 21"], "online"]);
    expect(rig.logged.filter((message) => message.startsWith("device"))).toEqual([
      "device online",
      "device offline",
      "device online",
    ]);
  });

  it("was never there when it is never heard", async () => {
    await rig.clock.advance(SILENCE_MS);
    expect([rig.news(), health()]).toEqual([[], "offline"]);
  });

  it("may be silent for five times its usual interval", async () => {
    for (let word = 0; word < 20; word++) {
      rig.say(word);
      await rig.clock.advance(200_000);
    }
    await rig.clock.advance(799_999);
    expect(health()).toBe("online");
    await rig.clock.advance(1);
    expect(health()).toBe("offline");
  });

  it("is gone at once when somebody knows", () => {
    rig.say(20);
    rig.sink?.gone("its last will was published");
    expect([rig.news(), health()]).toEqual([["good 20", "timeout: its last will was published"], "offline"]);
  });

  it("is neither lost nor found by what somebody kept of its earlier words", async () => {
    const keep = (value: number): void => {
      const reading = { point: "temperature", quality: "stale", reason: "kept by the broker", value } as const;
      rig.sink?.readings([{ ...reading, atMs: rig.clock.nowMs() }]);
    };
    rig.say(20);
    await rig.clock.advance(10_000);
    keep(19);
    keep(20);
    expect([rig.news(), health()]).toEqual([
      ["good 20", "stale: kept by the broker", "stale: kept by the broker"],
      "online",
    ]);
    await rig.clock.advance(SILENCE_MS - 10_001);
    keep(20);
    await rig.clock.advance(1);
    expect(health()).toBe("offline");
    keep(20);
    expect(health()).toBe("offline");
  });

  it("has stale values while nobody listens, and is watched anew", async () => {
    rig.say(20);
    const before = rig.sink;
    rig.lose(new Error("pulled out"));
    await rig.clock.advance(0);
    expect(rig.news()).toEqual(["good 20", "stale: pulled out"]);
    before?.readings([{ point: "temperature", atMs: 0, quality: "good", value: 99 }]);
    expect(rig.news()).toEqual([]);
    await rig.clock.advance(1000);
    expect(rig.watched).toBe(2);
    rig.say(22);
    expect(rig.news()).toEqual(["good 22"]);
  });

  it("is asked again for as long as it cannot be watched", async () => {
    rig.refusals = 3;
    rig.lose(new Error("pulled out"));
    await rig.clock.advance(20_000);
    expect(rig.watched).toBe(5);
    expect(rig.logged.filter((message) => message === "device cannot be watched yet")).toHaveLength(1);
  });

  describe("and is written to", () => {
    const forever = new AbortController().signal;
    const write = async (value: number, signal = forever) =>
      await field.write("tag", "temperature", value, signal).then(
        () => "confirmed",
        (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
      );

    it("confirms by what it says next, even before the acknowledgement", async () => {
      rig.onWrite = () => rig.say(21);
      expect(await write(21)).toBe("confirmed");
      expect(rig.news()).toEqual(["good 21"]);
    });

    it("may say something else first", async () => {
      const written = write(21);
      await rig.clock.advance(1000);
      rig.say(20);
      await rig.clock.advance(3000);
      rig.say(21);
      expect(await written).toBe("confirmed");
    });

    it.each<[string, number[], string]>([
      ["silent", [], "FIELD_TIMEOUT: tag.temperature was written but not told of within 5000 ms"],
      ["of another opinion", [19, 20], "FIELD_NOT_CONFIRMED: tag.temperature took 20, not 21"],
    ])(
      "does not confirm when it is %s, and its health is not that of who passes the write on",
      async (_, said, end) => {
        const written = write(21);
        await rig.clock.advance(10);
        for (const value of said) rig.say(value);
        await rig.clock.advance(5000);
        expect(await written).toBe(end);
        expect(health()).toBe(said.length === 0 ? "unknown" : "online");
      },
    );

    it("leaves the bus to others meanwhile", async () => {
      const first = write(21);
      const second = write(22);
      await rig.clock.advance(10);
      rig.say(22);
      expect(await second).toBe("confirmed");
      rig.say(21);
      expect(await first).toBe("confirmed");
    });

    it("is given up with the signal", async () => {
      const abort = new AbortController();
      const written = write(21, abort.signal);
      await rig.clock.advance(10);
      abort.abort(new Error("enough"));
      expect(await written).toBe("undefined: enough");
    });
  });

  it("is set up although nobody polls it, and believed from then on", async () => {
    let deaf = true;
    let writes = 0;
    await rig.scope[Symbol.asyncDispose]();
    rig = new Listening();
    rig.traits = { setup: [{ point, value: 1 }] };
    rig.onWrite = () => {
      writes++;
      if (deaf) throw new CausewayError("FIELD_TIMEOUT", "nothing came");
    };
    field = await rig.open();
    await rig.clock.advance(3000);
    rig.say(20);
    expect(rig.news()).toEqual([]);
    deaf = false;
    await rig.clock.advance(6000);
    expect(writes).toBe(2);
    rig.say(21);
    expect(rig.news()).toEqual(["good 21"]);
  });
});
