import type { Exchange, Point, PollClass } from "./adapter.js";
import type { Priority } from "./queue.js";
import type { Reading } from "./reading.js";
import { NOTHING_REFUSED, type RefusedPoints, refusedPauseMs } from "./refusals.js";

/** What is polled together: every so many milliseconds, or `once` after each connect. */
export type Pace = number | "once";

/** An exchange that a device repeats, with what became of it so far. */
export interface PlannedExchange {
  readonly points: readonly Point<unknown>[];
  readonly pace: Pace;
  readonly priority: Priority;
  readonly wireMs: number;
  /** On the bus or waiting for it; the next slot is left out then. */
  pending: boolean;
  /** How often in a row the device refused all of its points, each of them. */
  refusals: number;
  /** Monotonic time until which it is not tried again for that. */
  refusedUntilMs: number;
  /** Of the pace `once`: it has been read since the last connect. */
  done: boolean;
  /** While it is being found out why the device refuses it. */
  isolating?: Promise<readonly Reading[]> | undefined;
}

type Plan = (points: readonly Point<unknown>[]) => readonly Exchange<unknown>[];
/** Undefined for a point that is not to be polled now. */
type PaceOf = (point: Point<unknown>) => Pace | undefined;

/** The first point behind a hole. It is tried from time to time whether the hole is still there. */
interface Cut {
  /** How often in a row it was found. */
  times: number;
  /** Monotonic; undefined until the first look at it. */
  untilMs: number | undefined;
  isOnTrial: boolean;
}

/** One of before the start is no news. */
const KEPT_CUT: Cut = { times: 3, untilMs: undefined, isOnTrial: false };

const BY_URGENCY: readonly PollClass[] = ["fast", "normal", "slow", "once"];

/** What a device repeats. Points of one pace share exchanges, others never do; write-only points are in none. */
export class ExchangeList {
  readonly #plan: Plan;
  readonly #points: readonly Point<unknown>[];
  /** From the first refusal on, as most devices never refuse. */
  #alone: Set<string> | undefined;
  #cuts: Map<string, Cut> | undefined;
  #list: PlannedExchange[] = [];

  /** `refused` is what was learned before. */
  constructor(points: readonly Point<unknown>[], paceOf: PaceOf, plan: Plan, refused: RefusedPoints = NOTHING_REFUSED) {
    this.#plan = plan;
    this.#points = points.filter((point) => point.access !== "w");
    if (refused.alone.length > 0) this.#alone = new Set(refused.alone);
    if (refused.cuts.length > 0) this.#cuts = new Map(refused.cuts.map((name) => [name, { ...KEPT_CUT }]));
    this.regroup(paceOf);
  }

  get all(): readonly PlannedExchange[] {
    return this.#list;
  }

  get paces(): ReadonlySet<Pace> {
    return new Set(this.#list.map(({ pace }) => pace));
  }

  get refused(): RefusedPoints {
    return { alone: [...(this.#alone ?? [])].sort(), cuts: [...(this.#cuts?.keys() ?? [])].sort() };
  }

  /** Requests may cost something else now: all are planned anew, and those that come out the same stay. */
  replan(): void {
    const before = this.#list;
    const paces = new Map<Pace, Point<unknown>[]>();
    for (const { pace, points } of before) paces.set(pace, [...(paces.get(pace) ?? []), ...points]);
    this.#list = [...paces].flatMap(([pace, points]) =>
      this.#planned(points, pace).map((planned) => before.find((old) => isSame(old, planned)) ?? planned),
    );
  }

  /** Points may be of other paces now; what stays together stays as it is. */
  regroup(paceOf: PaceOf): void {
    const members = new Map<Pace, Point<unknown>[]>();
    for (const point of [...this.#points].sort(byUrgency)) {
      const pace = paceOf(point);
      if (pace === undefined) continue;
      const group = members.get(pace);
      if (group === undefined) members.set(pace, [point]);
      else group.push(point);
    }
    const before = this.#list;
    this.#list = [...members].flatMap(([pace, points]) => {
      const same = before.filter((planned) => planned.pace === pace);
      return holdsExactly(same, points) ? same : this.#planned(points, pace);
    });
  }

  /** The cheapest way to learn whether the device is there; undefined when nothing of it can be read. */
  probe(): PlannedExchange | undefined {
    const inUse = this.#list.filter((planned) => planned.refusals === 0);
    const candidates = inUse.length > 0 ? inUse : this.#list;
    return candidates.reduce<PlannedExchange | undefined>(
      (best, planned) => (best === undefined || planned.wireMs < best.wireMs ? planned : best),
      undefined,
    );
  }

  /**
   * From now on some points are asked alone, and no request goes on to the cuts from before; gives the exchanges of
   * those alone. Nothing, when the refused exchange has been replaced meanwhile.
   */
  part(
    refused: PlannedExchange,
    alone: readonly Point<unknown>[],
    cuts: readonly Point<unknown>[],
    nowMs: number,
  ): readonly PlannedExchange[] {
    if (!this.#list.includes(refused)) return [];
    this.#alone ??= new Set();
    for (const { name } of alone) this.#alone.add(name);
    this.#cuts ??= new Map();
    for (const { name } of cuts) {
      const times = (this.#cuts.get(name)?.times ?? 0) + 1;
      this.#cuts.set(name, { times, untilMs: nowMs + refusedPauseMs(times), isOnTrial: false });
    }
    this.#replace([refused]);
    return this.#list.filter(({ points }) => points.length === 1 && points.some((point) => alone.includes(point)));
  }

  /**
   * A point that was asked alone was answered: it is asked together with its neighbours again. False when it was not one
   * of those that are refused.
   */
  clear(point: Point<unknown>): boolean {
    if (this.#alone?.delete(point.name) !== true) return false;
    const at = this.#list.findIndex(({ points }) => points.includes(point));
    const pace = this.#list[at]?.pace;
    this.#replace(this.#list.slice(Math.max(0, at - 1), at + 2).filter((planned) => planned.pace === pace));
    return true;
  }

  /** Holes that were found long enough ago are left out of account, to see whether they are still there. */
  tryCuts(nowMs: number): void {
    let isTried = false;
    for (const cut of this.#cuts?.values() ?? []) {
      cut.untilMs ??= nowMs + refusedPauseMs(cut.times);
      if (cut.isOnTrial || nowMs < cut.untilMs) continue;
      cut.isOnTrial = true;
      isTried = true;
    }
    if (isTried) this.replan();
  }

  /** What was read together has no hole in it. False when none was thought to be there. */
  join([, ...others]: readonly Point<unknown>[]): boolean {
    const cuts = this.#cuts;
    return cuts !== undefined && others.filter(({ name }) => cuts.delete(name)).length > 0;
  }

  /** After a connect: what was refused is tried again, what is read once is due. */
  renew(): void {
    for (const planned of this.#list) {
      planned.refusals = 0;
      planned.refusedUntilMs = 0;
      planned.done = false;
    }
  }

  /** Plans the points of neighbouring exchanges of one pace anew. */
  #replace(old: readonly PlannedExchange[]): void {
    const [first] = old;
    if (first === undefined) return;
    const fresh = this.#planned(
      old.flatMap(({ points }) => points),
      first.pace,
    );
    this.#list = this.#list.flatMap((planned) => {
      if (planned === first) return fresh.map((one) => old.find((before) => isSame(before, one)) ?? one);
      return old.includes(planned) ? [] : [planned];
    });
  }

  #planned(points: readonly Point<unknown>[], pace: Pace): PlannedExchange[] {
    const runs = this.#plan(points).flatMap((exchange) => {
      const parts = this.#runs(exchange.points);
      return parts.length === 1 ? [exchange] : parts.flatMap((part) => this.#plan(part));
    });
    return runs.map((exchange) => ({
      points: exchange.points,
      pace,
      priority: priorityOf(exchange.points),
      wireMs: exchange.wireMs,
      pending: false,
      refusals: 0,
      refusedUntilMs: 0,
      done: false,
    }));
  }

  /** What may share a request after all that was refused. */
  #runs(points: readonly Point<unknown>[]): readonly Point<unknown>[][] {
    const runs: Point<unknown>[][] = [];
    for (const [index, point] of points.entries()) {
      const isAlone = this.#alone?.has(point.name) || this.#alone?.has(points[index - 1]?.name ?? "");
      const last = runs.at(-1);
      if (last === undefined || isAlone || this.#cuts?.get(point.name)?.isOnTrial === false) runs.push([point]);
      else last.push(point);
    }
    return runs;
  }
}

/** All of the exchange was refused: it is left alone for longer each time. Who asks sooner does not change that. */
export function pauseRefused(planned: PlannedExchange, nowMs: number): void {
  if (nowMs < planned.refusedUntilMs) return;
  planned.refusals++;
  planned.refusedUntilMs = nowMs + refusedPauseMs(planned.refusals);
}

function isSame(a: PlannedExchange, b: PlannedExchange): boolean {
  return (
    a.pace === b.pace && a.points.length === b.points.length && a.points.every((p, index) => p === b.points[index])
  );
}

function byUrgency(a: Point<unknown>, b: Point<unknown>): number {
  return BY_URGENCY.indexOf(a.pollClass) - BY_URGENCY.indexOf(b.pollClass);
}

/** That of the most urgent one. */
function priorityOf(points: readonly Point<unknown>[]): Priority {
  const [first] = [...points].sort(byUrgency);
  return first === undefined || first.pollClass === "once" ? "normal" : first.pollClass;
}

/** Points that the plan puts into no exchange are learned in another way. */
function holdsExactly(exchanges: readonly PlannedExchange[], points: readonly Point<unknown>[]): boolean {
  const held = exchanges.flatMap((planned) => planned.points);
  return held.length > 0 && held.length === points.length && points.every((point) => held.includes(point));
}
