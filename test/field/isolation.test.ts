import { describe, expect, it } from "vitest";
import { diagnose, isolate, type Outcome, type Verdict } from "../../src/field/isolation.js";

/** A strip of registers; some are refused, some cannot be read together with what comes before, some are too many. */
interface Strip {
  readonly length: number;
  readonly bad?: readonly number[];
  readonly holesBefore?: readonly number[];
  readonly most?: number;
}

function device({ bad = [], holesBefore = [], most = Number.POSITIVE_INFINITY }: Strip) {
  const asked: (readonly number[])[] = [];
  const ask = async (items: readonly number[]): Promise<Outcome> => {
    asked.push(items);
    const first = items[0] ?? 0;
    const spansHole = holesBefore.some((hole) => hole > first && items.includes(hole));
    const isRefused = spansHole || items.length > most || items.some((item) => bad.includes(item));
    return isRefused ? "refused" : "answered";
  };
  return { ask, asked };
}

const strip = (length: number): number[] => Array.from({ length }, (_, index) => index);

describe("isolating what a device refuses", () => {
  it("finds one bad register among n with at most log2(n) + 1 requests, after which all others were read", async () => {
    for (const length of [2, 3, 16, 60, 125]) {
      for (let culprit = 0; culprit < length; culprit++) {
        const { ask, asked } = device({ length, bad: [culprit] });
        expect(await isolate(strip(length), ask)).toEqual([culprit]);
        expect(asked.length).toBeLessThanOrEqual(Math.ceil(Math.log2(length)) + 1);
        const answered = asked.filter((items) => !items.includes(culprit)).flat();
        expect(new Set(answered).size).toBe(length - 1);
      }
    }
  });

  const strips: readonly (readonly [string, Strip, readonly number[], number])[] = [
    ["a hole", { length: 16, holesBefore: [9] }, [9], 5],
    ["two bad registers apart", { length: 16, bad: [3, 12] }, [3, 12], 10],
    ["two bad registers together", { length: 16, bad: [3, 4] }, [3, 4], 10],
    ["a whole table", { length: 16, bad: strip(16) }, strip(16), 34],
    ["a limit on the length", { length: 16, most: 10 }, [10], 5],
  ];
  it.each(strips)("finds %s", async (_, given, suspects, most) => {
    const { ask, asked } = device(given);
    expect(await isolate(strip(given.length), ask)).toEqual(suspects);
    expect(asked.length).toBeLessThanOrEqual(most);
  });

  it("gives up when a request fails: nothing is known then", async () => {
    expect(await isolate(strip(8), async () => "failed")).toBeUndefined();
    let requests = 0;
    expect(await isolate(strip(8), async () => (++requests < 3 ? "answered" : "failed"))).toBeUndefined();
  });
});

describe("diagnosing a refusal", () => {
  const verdicts: readonly (readonly [string, Strip, Verdict<number>, number])[] = [
    ["a bad register", { length: 16, bad: [5] }, { kind: "parts", alone: [5], cuts: [] }, 7],
    ["a hole", { length: 16, holesBefore: [9] }, { kind: "parts", alone: [], cuts: [9] }, 7],
    ["both", { length: 16, bad: [5], holesBefore: [9] }, { kind: "parts", alone: [5], cuts: [9] }, 12],
    ["the last of two", { length: 2, bad: [1] }, { kind: "parts", alone: [1], cuts: [] }, 4],
    ["everything", { length: 16, bad: strip(16) }, { kind: "everything" }, 35],
    ["what has passed", { length: 16 }, { kind: "passed" }, 7],
  ];
  it.each(verdicts)("finds %s", async (_, given, verdict, most) => {
    const { ask, asked } = device(given);
    expect(await diagnose(strip(given.length), ask)).toEqual(verdict);
    expect(asked.length).toBeLessThanOrEqual(most);
  });

  it("asks all together once more, after all that can be read was read, before it holds anything against an item", async () => {
    const { ask, asked } = device({ length: 16, bad: [5] });
    await diagnose(strip(16), ask);
    expect(asked.at(-1)).toEqual(strip(16));
    expect(new Set(asked.slice(0, 5).flat()).size).toBe(16);
  });

  it("knows nothing when a request fails, whichever it is", async () => {
    for (let failing = 1; failing <= 7; failing++) {
      const { ask } = device({ length: 16, bad: [5] });
      let requests = 0;
      const verdict = await diagnose(strip(16), async (items) =>
        ++requests === failing ? "failed" : await ask(items),
      );
      expect(verdict.kind === "failed").toBe(failing <= requests);
    }
  });
});
