import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlaveUnit } from "../../adapters/modbus/slave.js";
import { toHex } from "../../src/base/bytes.js";
import { type RefusedPoints, refusedPauseMs } from "../../src/field/refusals.js";
import { Rig, register } from "./rig.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const forever = new AbortController().signal;
const strip = Array.from({ length: 16 }, (_, index) => register(index));

/** First register and quantity of a read. */
interface Span {
  readonly first: number;
  readonly quantity: number;
}

const holds =
  (number: number) =>
  ({ first, quantity }: Span): boolean =>
    first <= number && number < first + quantity;

describe("how long what is refused is left alone", () => {
  it.each([
    [1, 10 * SECOND],
    [2, MINUTE],
    [3, 10 * MINUTE],
    [4, HOUR],
    [50, HOUR],
  ])("after %d refusals", (times, pauseMs) => {
    expect(refusedPauseMs(times)).toBe(pauseMs);
  });
});

describe("a device that refuses", () => {
  let rig: Rig;
  let saved: RefusedPoints[];

  beforeEach(() => {
    rig = new Rig();
    saved = [];
    rig.refusals = { load: () => undefined, save: (_, __, refused) => saved.push(refused) };
  });

  afterEach(async () => {
    const closing = rig.scope[Symbol.asyncDispose]();
    await rig.clock.advance(5 * SECOND);
    await closing;
    expect(rig.failures).toEqual([]);
  });

  /** A unit that answers reads with an exception whenever `exceptionOf` gives one. */
  function refusing(exceptionOf: (span: Span, request: number) => number | undefined): SlaveUnit {
    const unit = rig.station(1);
    const respond = unit.respond.bind(unit);
    let requests = 0;
    unit.respond = (pdu) => {
      const [code = 0, , first = 0, , quantity = 0] = pdu;
      const exception = exceptionOf({ first, quantity }, requests++);
      return exception === undefined ? respond(pdu) : Uint8Array.of(code | 0x80, exception);
    };
    return unit;
  }

  const reads = (): string[] => rig.line.written.splice(0).map((frame) => toHex(frame.subarray(2, 6)));
  const qualities = (): ReadonlySet<string> => {
    const last = new Map(rig.told.map(([, { point, quality }]) => [point, quality]));
    return new Set(last.values());
  };

  it.each([1, 2, 3])("everything with exception %d for a while is read as before soon after", async (exception) => {
    let isBooting = true;
    refusing(() => (isBooting ? exception : undefined));
    const field = await rig.open([["a", 1, strip]]);
    await rig.clock.advance(5 * SECOND);
    expect(qualities()).toEqual(new Set(["unsupported"]));
    expect(rig.told.at(-1)?.[1]).toMatchObject({ reason: expect.stringContaining(`exception ${exception}`) });
    expect(field.status().devices[0]).toMatchObject({ health: "online" });
    isBooting = false;
    await rig.clock.advance(9 * SECOND);
    expect(qualities()).toEqual(new Set(["good"]));
    reads();
    await rig.clock.advance(3 * SECOND);
    expect(reads()).toEqual(["00000010", "00000010", "00000010"]);
    expect(saved).toEqual([]);
    expect(rig.messages().filter((message) => message === "device refuses points")).toHaveLength(1);
  });

  it("everything is asked less and less often, all at once, and nothing is held against single points", async () => {
    refusing(() => 2);
    await rig.open([["a", 1, strip]]);
    const triedAtMs: number[] = [];
    for (let second = 0; second < 2 * 3600; second++) {
      await rig.clock.advance(SECOND);
      if (reads().length > 0) triedAtMs.push(rig.clock.monotonicMs());
    }
    const pausesS = triedAtMs.slice(1).map((ms, index) => Math.round((ms - (triedAtMs[index] ?? 0)) / SECOND));
    // A first try may reach over two seconds.
    expect(pausesS.filter((pauseS) => pauseS > 2)).toEqual([10, 60, 600, 3600].map((s) => expect.closeTo(s, -0.7)));
    expect(saved).toEqual([]);
  });

  it("a point is asked less and less often, and again with its neighbours once it was answered", async () => {
    let isBad = true;
    let refused = 0;
    refusing((span) => {
      if (!isBad || !holds(5)(span)) return undefined;
      refused++;
      return 2;
    });
    await rig.open([["a", 1, strip]]);
    await rig.clock.advance(2500);
    const found = refused;
    await rig.clock.advance(11 * SECOND);
    expect(refused - found).toBe(1);
    await rig.clock.advance(MINUTE);
    expect(refused - found).toBe(2);
    await rig.clock.advance(10 * MINUTE);
    expect(refused - found).toBe(3);
    isBad = false;
    await rig.clock.advance(HOUR + SECOND);
    reads();
    await rig.clock.advance(2 * SECOND);
    expect(reads()).toEqual(["00000010", "00000010"]);
    expect(saved).toEqual([
      { alone: ["r5"], cuts: [] },
      { alone: [], cuts: [] },
    ]);
    expect(qualities()).toEqual(new Set(["good"]));
  });

  it.each([1, 2, 3, 4, 5, 6])("its first %d reads only has nothing held against it", async (count) => {
    refusing((_, request) => (request < count ? 2 : undefined));
    await rig.open([["a", 1, strip]]);
    await rig.clock.advance(3 * SECOND);
    expect(qualities()).toEqual(new Set(["good"]));
    reads();
    await rig.clock.advance(2 * SECOND);
    expect(reads()).toEqual(["00000010", "00000010"]);
    expect(saved).toEqual([]);
  });

  it.each([2, 3, 4])("everything from the %d. read on is whole again soon after it answers", async (begin) => {
    let isRefusing = true;
    refusing((span, request) => (isRefusing && (request >= begin || holds(14)(span)) ? 2 : undefined));
    await rig.open([["a", 1, strip]]);
    await rig.clock.advance(5 * SECOND);
    isRefusing = false;
    await rig.clock.advance(12 * SECOND);
    expect(qualities()).toEqual(new Set(["good"]));
    reads();
    await rig.clock.advance(SECOND);
    expect(reads()).toEqual(["00000010"]);
    expect(saved.at(-1) ?? { alone: [], cuts: [] }).toEqual({ alone: [], cuts: [] });
  });

  it("a bad register besides being busy has only that held against it", async () => {
    refusing((span, request) => (request % 3 === 2 ? 4 : holds(5)(span) ? 2 : undefined));
    await rig.open([["a", 1, strip]]);
    await rig.clock.advance(30 * SECOND);
    expect(saved.at(-1) ?? { alone: ["r5"], cuts: [] }).toEqual({ alone: ["r5"], cuts: [] });
  });

  it("a hole is looked for again, less and less often, and forgotten when it is gone", async () => {
    let hasHole = true;
    let refused = 0;
    const around = [...strip.slice(0, 6), ...strip.slice(10)];
    refusing(({ first, quantity }) => {
      if (!hasHole || !(first < 8 && 8 < first + quantity)) return undefined;
      refused++;
      return 2;
    });
    await rig.open([["a", 1, around]]);
    const found: number[] = [];
    for (const ms of [3 * SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR]) {
      refused = 0;
      await rig.clock.advance(ms + SECOND);
      found.push(refused);
    }
    // The read of all, three of the search, and all once more.
    expect(found).toEqual([5, 5, 5, 5, 5]);
    hasHole = false;
    await rig.clock.advance(HOUR + 2 * SECOND);
    reads();
    await rig.clock.advance(SECOND);
    expect(reads()).toEqual(["00000010"]);
    expect(saved.at(-1)).toEqual({ alone: [], cuts: [] });
    expect(qualities()).toEqual(new Set(["good"]));
  });

  it("tells why what was not answered was not, when it stops to answer meanwhile", async () => {
    let isSilent = false;
    const unit = refusing((span) => {
      if (!holds(12)(span)) return undefined;
      isSilent = true;
      return 2;
    });
    const respond = unit.respond.bind(unit);
    unit.respond = (pdu) => {
      const wasSilent = isSilent;
      const answer = respond(pdu);
      return wasSilent ? Uint8Array.of(0x83, 4) : answer;
    };
    await rig.open([["a", 1, strip]]);
    await rig.clock.advance(3 * SECOND);
    expect(qualities()).toEqual(new Set(["exception"]));
    expect(saved).toEqual([]);
  });

  it("a busy answer to what is read once is not the end of it", async () => {
    refusing((_, request) => (request < 2 ? 4 : undefined));
    await rig.open([["a", 1, [register(3, "once")]]]);
    await rig.clock.advance(25 * SECOND);
    expect(rig.news().at(-1)).toBe("a.r3 good 3");
    reads();
    await rig.clock.advance(MINUTE);
    expect(reads()).toEqual([]);
  });

  it("is not left alone for longer because somebody asks", async () => {
    let isRefusing = true;
    refusing(() => (isRefusing ? 2 : undefined));
    const field = await rig.open([["a", 1, [register(3)]]]);
    await rig.clock.advance(3 * SECOND);
    for (let count = 0; count < 5; count++) {
      const read = field.read("a", forever);
      await rig.clock.advance(100);
      expect(await read).toMatchObject([{ quality: "unsupported" }]);
    }
    isRefusing = false;
    await rig.clock.advance(10 * SECOND);
    expect(rig.news().at(-1)).toBe("a.r3 good 3");
  });
});
