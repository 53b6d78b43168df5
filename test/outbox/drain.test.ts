import { describe, expect, it } from "vitest";
import { CausewayError } from "../../src/base/errors.js";
import { createLog, silentLog } from "../../src/base/log.js";
import type { Telling } from "../../src/lwm2m/observation/observed.js";
import type { Path } from "../../src/lwm2m/path.js";
import { Database } from "../../src/outbox/database.js";
import { Drain, type Fate, fateOf, type ServerView, split } from "../../src/outbox/drain.js";
import { Outbox, type Queue } from "../../src/outbox/outbox.js";
import type { StoredSample } from "../../src/outbox/row.js";
import { FakeClock } from "../fakes/clock.js";

const QUEUE: Queue = { endpoint: "gw", shortServerId: 1 };
/** What one message of the test takes. */
const MESSAGE_SAMPLES = 30;
const PATH: Path = [3303, 0, 5700];
const NEW = { registeredAtMs: 130_000, provenAtMs: 130_000 };

function server(view: Partial<Omit<ServerView, "telling">> & { told?: Telling }): ServerView {
  const { told = "unobserved", ...rest } = view;
  return { state: "registered", nowMs: 1e15, registeredAtMs: 0, provenAtMs: 0, telling: () => told, ...rest };
}

describe("fateOf a sample measured at 100 s", () => {
  it.each<[string, ServerView, Fate]>([
    ["no server", server({ state: "away" }), "wait"],
    ["measured before the registration", server({ registeredAtMs: 200_000, provenAtMs: 200_000 }), "send"],
    ["just registered, not yet observed", server({ registeredAtMs: 95_000, provenAtMs: 99_000 }), "send"],
    ["the Observe may still be repeated", server({ registeredAtMs: 50_000, provenAtMs: 200_000 }), "send"],
    ["registered long ago, never observed, proven", server({ registeredAtMs: 30_000, provenAtMs: 100_000 }), "done"],
    ["registered long ago, never observed, unproven", server({ registeredAtMs: 30_000, provenAtMs: 99_999 }), "wait"],
    ["told and proven", server({ told: "told", provenAtMs: 100_001 }), "done"],
    ["told and unproven", server({ told: "told", registeredAtMs: 99_000, provenAtMs: 99_999 }), "wait"],
    ["on its way, though something later is proven", server({ told: "underway", provenAtMs: 200_000 }), "wait"],
    ["overtaken by a newer one", server({ told: "overtaken", provenAtMs: 200_000 }), "send"],
    ["observed only since", server({ told: "earlier", registeredAtMs: 95_000, provenAtMs: 99_000 }), "send"],
    ["measured before the clock was set back", server({ told: "told", nowMs: 99_000, provenAtMs: 98_000 }), "send"],
    ["the same, on its way", server({ told: "underway", nowMs: 99_000, provenAtMs: 98_000 }), "send"],
    ["observed late", server({ told: "earlier", provenAtMs: 200_000 }), "done"],
  ])("%s → %s", (_, view, fate) => {
    expect(fateOf({ path: PATH, atMs: 100_000 }, view)).toBe(fate);
  });

  it.each<[string, Parameters<typeof server>[0], { nowMs: number; takes: boolean }, Fate]>([
    ["overtaken", { told: "overtaken", provenAtMs: 0 }, { nowMs: 200_000, takes: true }, "send"],
    ["overtaken, not stored", { told: "overtaken", provenAtMs: 200_000 }, { nowMs: 200_000, takes: false }, "done"],
    ["measured before a restart, observed again", { told: "earlier", ...NEW }, { nowMs: 131_000, takes: true }, "send"],
    ["the same, not stored", { told: "earlier", ...NEW }, { nowMs: 131_000, takes: false }, "done"],
    ["not yet observed again", { told: "unobserved", ...NEW }, { nowMs: 131_000, takes: false }, "wait"],
    ["never observed again", { told: "unobserved", ...NEW }, { nowMs: 190_000, takes: false }, "done"],
    ["no news since the outage", { told: "told", provenAtMs: 99_999 }, { nowMs: 200_000, takes: true }, "wait"],
  ])("by stored notifications: %s → %s", (_, view, { nowMs, takes }, fate) => {
    const stored = { takes: () => takes };
    expect(fateOf({ path: PATH, atMs: 100_000 }, { ...server(view), nowMs, stored })).toBe(fate);
  });
});

it("split ends before the first sample that must wait, so order is kept", () => {
  const rows = [1000, 2000, 3000, 4000].map((atMs, index) => ({
    id: index + 1,
    endpoint: "gw",
    path: PATH,
    type: "float" as const,
    value: index,
    atMs,
  }));
  const telling = (_: unknown, atMs: number): Telling => (atMs === 1000 ? "overtaken" : "told");
  const { ready, toSend } = split(rows, { ...server({ provenAtMs: 3000 }), telling });
  expect(ready.map((row) => row.id)).toEqual([1, 2, 3]);
  expect(toSend.map((row) => row.id)).toEqual([1]);
});

interface Bench {
  readonly clock: FakeClock;
  readonly outbox: Outbox;
  readonly received: number[];
  readonly logged: readonly string[];
  run(
    send: (samples: readonly StoredSample[]) => Promise<void>,
    until: () => boolean | Promise<boolean>,
  ): Promise<void>;
}

async function bench(count: number): Promise<Bench> {
  const clock = new FakeClock();
  const logged: string[] = [];
  const log = createLog("info", (line) => logged.push(line));
  const database = await Database.open(":memory:", silentLog, 0);
  const limits = { maxBytes: 1e9, maxAgeMs: 1e12, overflow: "drop-oldest" } as const;
  const outbox = await Outbox.open(database, [QUEUE], limits, clock, silentLog);
  for (let n = 0; n < count; n++) {
    outbox.append({ endpoint: "gw", path: PATH, type: "integer", value: n, atMs: clock.nowMs() + n });
  }
  await outbox.commit();
  const received: number[] = [];
  const run: Bench["run"] = async (send, until) => {
    const stop = new AbortController();
    const target = {
      queue: QUEUE,
      batchRows: 100,
      view: () => server({ registeredAtMs: clock.nowMs() + 1e9, provenAtMs: 0 }),
      fit: (samples: readonly StoredSample[]) => Math.min(samples.length, MESSAGE_SAMPLES),
      send: async (samples: readonly StoredSample[]) => {
        expect(samples.length).toBeLessThanOrEqual(MESSAGE_SAMPLES);
        await send(samples);
        received.push(...samples.map((sample) => Number(sample.value)));
      },
    };
    const drain = new Drain(outbox, target, { clock, log, random: () => 0.5 });
    const done = drain.run(stop.signal).catch(() => undefined);
    for (let turn = 0; turn < 5000 && !(await until()); turn++) await clock.advance(1000);
    stop.abort();
    await done;
  };
  return { clock, outbox, received, logged, run };
}

describe("drain", () => {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it("delivers everything once, in order", async () => {
    const { outbox, received, run } = await bench(1050);
    await run(
      async () => undefined,
      async () => (await outbox.counters()).buffered === 0,
    );
    expect(received).toEqual(numbers(1050));
    expect((await outbox.counters()).delivered).toBe(1050);
  });

  it("keeps what was not acknowledged and sends it again later", async () => {
    const { outbox, received, run } = await bench(250);
    let attempt = 0;
    await run(
      async () => {
        if (attempt++ % 3 !== 2) throw new CausewayError("COAP_TIMEOUT", "no answer");
      },
      async () => (await outbox.counters()).buffered === 0,
    );
    expect(received).toEqual(numbers(250));
  });

  it("gives up only the one sample that the server refuses", async () => {
    const { outbox, received, run } = await bench(250);
    await run(
      async (samples) => {
        if (samples.some((sample) => sample.value === 77)) throw new CausewayError("LWM2M_BAD_REQUEST", "4.00");
      },
      async () => (await outbox.counters()).buffered === 0,
    );
    expect(received).toEqual(numbers(250).filter((n) => n !== 77));
    expect((await outbox.counters()).dropped).toBe(1);
  });

  it("neither hurries nor says it again and again when the server refuses everything", async () => {
    const { clock, outbox, logged, run } = await bench(250);
    const attemptsMs: number[] = [];
    const startMs = clock.monotonicMs();
    await run(
      async () => {
        attemptsMs.push(clock.monotonicMs() - startMs);
        throw new CausewayError("LWM2M_BAD_REQUEST", "4.00");
      },
      // Through the queue of statements, so the drain gets its turns.
      async () => (await outbox.counters()).appended > 0 && clock.monotonicMs() - startMs > 120_000,
    );
    expect(attemptsMs.length).toBeLessThan(60);
    expect((await outbox.counters()).buffered).toBeGreaterThan(200);
    expect(logged).toHaveLength(1);
  });
});
