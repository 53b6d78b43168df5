import type { Exchange, Point, PollClass } from "./adapter.js";
import type { Priority } from "./queue.js";

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
  /** Monotonic time until which it is not tried again, because the device refuses its one point. */
  refusedUntilMs: number;
  /** Of the pace `once`: it has been read since the last connect. */
  done: boolean;
}

type Plan = (points: readonly Point<unknown>[]) => readonly Exchange<unknown>[];
type PaceOf = (point: Point<unknown>) => Pace;

const BY_URGENCY: readonly PollClass[] = ["fast", "normal", "slow", "once"];

/** What a device repeats. Points of one pace share exchanges, others never do; write-only points are in none. */
export class ExchangeList {
  readonly #plan: Plan;
  readonly #points: readonly Point<unknown>[];
  #list: PlannedExchange[] = [];

  constructor(points: readonly Point<unknown>[], paceOf: PaceOf, plan: Plan) {
    this.#plan = plan;
    this.#points = points.filter((point) => point.access !== "w");
    this.regroup(paceOf);
  }

  get all(): readonly PlannedExchange[] {
    return this.#list;
  }

  get paces(): ReadonlySet<Pace> {
    return new Set(this.#list.map(({ pace }) => pace));
  }

  /** Points may be of other paces now; what stays together stays as it is. */
  regroup(paceOf: PaceOf): void {
    const members = new Map<Pace, Point<unknown>[]>();
    for (const point of [...this.#points].sort(byUrgency)) {
      const pace = paceOf(point);
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
    const inUse = this.#list.filter((planned) => planned.refusedUntilMs === 0);
    const candidates = inUse.length > 0 ? inUse : this.#list;
    return candidates.reduce<PlannedExchange | undefined>(
      (best, planned) => (best === undefined || planned.wireMs < best.wireMs ? planned : best),
      undefined,
    );
  }

  /** Puts two halves in the place of an exchange that the device refuses as a whole, until points are regrouped. */
  split(refused: PlannedExchange): readonly PlannedExchange[] {
    const halves = bisect(refused.points).flatMap((half) => this.#planned(half, refused.pace));
    this.#list = this.#list.flatMap((planned) => (planned === refused ? halves : [planned]));
    return halves;
  }

  /** After a connect: what was refused is tried again, what is read once is due. */
  renew(): void {
    for (const planned of this.#list) {
      planned.refusedUntilMs = 0;
      planned.done = false;
    }
  }

  #planned(points: readonly Point<unknown>[], pace: Pace): PlannedExchange[] {
    return this.#plan(points).map((exchange) => ({
      points: exchange.points,
      pace,
      priority: priorityOf(exchange.points),
      wireMs: exchange.wireMs,
      pending: false,
      refusedUntilMs: 0,
      done: false,
    }));
  }
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

/** Two halves in the order given, the first not smaller. */
export function bisect<T>(items: readonly T[]): readonly [readonly T[], readonly T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
