import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../src/lwm2m/observation/attributes.js";
import type { Storing } from "../../../src/lwm2m/observation/stored-notifications.js";
import { settle } from "../../fakes/clock.js";
import { ObserverBench } from "../../fakes/observer-bench.js";

const PATH = [3303, 0, 5700];
const TARGET = "/3303/0/5700";
const TEXT = 0;
const TLV = 11542;

/** Pairs of seconds since the bench began, and what was measured then. */
type Measured = readonly (readonly [atS: number, value: number])[];

async function tell(bench: ObserverBench, measured: Measured, path = PATH): Promise<string> {
  const startMs = bench.clock.nowMs() - bench.clock.monotonicMs();
  const result = bench.observer.stored.tell(
    measured.map(([atS, value]) => ({
      view: bench.view,
      entry: { path, type: "float" as const, value, atMs: startMs + atS * 1000 },
    })),
  );
  await settle();
  return await result;
}

describe("stored notifications", () => {
  it("tell what the server missed, with its times and in order, in few confirmable messages", async () => {
    const bench = new ObserverBench({ defaults: () => ({ delivery: "NON" }) });
    bench.observe(TARGET);
    bench.observer.pause();
    for (let value = 1; value <= 5; value++) await bench.measure(value);
    bench.observer.resume();
    expect(await bench.values()).toEqual(["5"]);
    const measured: Measured = [1, 2, 3, 4].map((second) => [second, second]);
    expect(await tell(bench, measured)).toBe("acknowledged");
    const [message] = bench.told;
    expect(message).toMatchObject({ delivery: "CON", response: { contentFormat: 110, observe: 3 } });
    expect(await bench.values()).toEqual(["1@1 2@2 3@3 4@4"]);
    const times = [1, 4, 5].map((second) => bench.clock.nowMs() - bench.clock.monotonicMs() + second * 1000);
    expect(times.map((atMs) => bench.observer.telling(bench.view, PATH, atMs))).toEqual(["told", "told", "told"]);
    expect(await tell(bench, measured)).toBe("acknowledged");
    expect(await bench.values()).toEqual([]);
  });

  it("tell on a new observation what was measured before it", async () => {
    const bench = new ObserverBench();
    await bench.clock.advance(600_000);
    bench.observe(TARGET);
    const atMs = bench.clock.nowMs() - 100_000;
    expect(bench.observer.telling(bench.view, PATH, atMs)).toBe("earlier");
    await tell(bench, [
      [500, 7],
      [510, 8],
    ]);
    expect(await bench.values()).toEqual(["7@500 8@510"]);
    expect(bench.observer.telling(bench.view, PATH, atMs)).toBe("told");
  });

  it("take no more than a block, and go on where an acknowledgement is missing", async () => {
    const bench = new ObserverBench();
    await bench.clock.advance(600_000);
    bench.observe(TARGET);
    const measured: Measured = Array.from({ length: 100 }, (_, second) => [second, second + 0.125]);
    let count = 0;
    bench.onNotify = () => (++count === 2 ? "timeout" : "acknowledged");
    expect(await tell(bench, measured)).toBe("timeout");
    expect(bench.events).toEqual(["lost"]);
    expect(await tell(bench, measured)).toBe("acknowledged");
    for (const { response } of bench.told) expect(response.payload.length).toBeLessThanOrEqual(1024);
    const messages = await bench.values();
    // What was not acknowledged is told again, nothing else.
    const told = messages.flatMap((message, index) => (index === 1 ? [] : message.split(" ")));
    expect(told).toEqual(measured.map(([second, value]) => `${value}@${second}`));
  });

  it("end with a Reset, and leave the rest", async () => {
    const bench = new ObserverBench();
    await bench.clock.advance(60_000);
    bench.observe(TARGET);
    bench.delivery = "reset";
    expect(await tell(bench, [[1, 1]])).toBe("acknowledged");
    expect(bench.observer.size).toBe(0);
    expect(bench.events).toEqual(["rejected"]);
  });

  it("wait while nothing may be sent", async () => {
    const bench = new ObserverBench();
    await bench.clock.advance(60_000);
    bench.observe(TARGET);
    bench.observer.pause();
    expect(await tell(bench, [[1, 1]])).toBe("timeout");
    expect(bench.told).toEqual([]);
    expect(bench.events).toEqual([]);
  });

  it.each<[string, Attributes, Measured, string]>([
    [
      "any change",
      {},
      [
        [1, 5],
        [2, 5],
        [3, 6],
      ],
      "5@1 6@3",
    ],
    [
      "pmin: the newest of its time",
      { pmin: 10 },
      [
        [1, 1],
        [4, 2],
        [5, 3],
        [11, 4],
        [12, 5],
        [40, 6],
      ],
      "1@1 4@11 5@12 6@40",
    ],
    [
      "pmax: also without a change",
      { pmax: 10 },
      [
        [1, 1],
        [5, 1],
        [11, 1],
        [15, 1],
        [22, 1],
      ],
      "1@1 1@11 1@22",
    ],
    [
      "st",
      { st: 5 },
      [
        [1, 10],
        [2, 12],
        [3, 15],
        [4, 18],
        [5, 9],
      ],
      "10@1 15@3 9@5",
    ],
    [
      "gt and lt",
      { gt: 30, lt: 10 },
      [
        [1, 20],
        [2, 29],
        [3, 31],
        [4, 35],
        [5, 20],
        [6, 9],
      ],
      "20@1 31@3 20@5 9@6",
    ],
  ])("keep to the attributes: %s", async (_, attributes, measured, expected) => {
    const bench = new ObserverBench();
    bench.view.attributes.write(PATH, attributes);
    await bench.clock.advance(60_000);
    bench.observe(TARGET);
    await tell(bench, measured);
    expect(await bench.values()).toEqual([expected]);
  });

  it("of an instance name each value", async () => {
    const bench = new ObserverBench();
    bench.view.attributes.write([3303, 0], { pmin: 10 });
    await bench.clock.advance(60_000);
    bench.observe("/3303/0");
    await tell(bench, [
      [1, 1],
      [11, 2],
    ]);
    expect(new TextDecoder().decode(bench.told[0]?.response.payload)).toMatch(/"(bn|n)":"(\/3303\/0\/)?5700"/);
    expect(await bench.values()).toEqual(["1@1 2@11"]);
  });

  it.each<[string, { accept?: number; attributes?: Attributes; isStoring?: boolean }, Storing | undefined]>([
    ["SenML", {}, { limit: Number.POSITIVE_INFINITY, untilMs: -1 }],
    ["hqmax", { attributes: { hqmax: 3 } }, { limit: 3, untilMs: -1 }],
    ["hqmax 0", { attributes: { hqmax: 0 } }, undefined],
    ["a format without times", { accept: TEXT }, undefined],
    ["another one", { accept: TLV }, undefined],
    ["/1/x/6 false", { isStoring: false }, undefined],
  ])("are kept for %s: %j", (_, { accept = 110, attributes, isStoring = true }, expected) => {
    const bench = new ObserverBench({ isStoring: () => isStoring });
    if (attributes !== undefined) bench.view.attributes.write(PATH, attributes);
    const sinceMs = bench.clock.nowMs();
    bench.observe(TARGET, { accept });
    const storing = bench.observer.stored.of(bench.view, PATH);
    expect(storing && { ...storing, untilMs: storing.untilMs - sinceMs }).toEqual(expected);
    expect(bench.observer.stored.of(bench.view, [3303, 1, 5700])).toBeUndefined();
  });
});
