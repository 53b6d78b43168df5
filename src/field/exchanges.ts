import type { Exchange, Point, PollClass } from "./adapter.js";

/** An exchange that a device repeats, with what became of it so far. */
export interface PlannedExchange {
  readonly points: readonly Point<unknown>[];
  readonly pollClass: PollClass;
  readonly wireMs: number;
  /** On the bus or waiting for it; the next slot is left out then. */
  pending: boolean;
  /** Monotonic time until which it is not tried again, because the device refuses its one point. */
  refusedUntilMs: number;
  /** Of the class `once`: it has been read since the last connect. */
  done: boolean;
}

type Plan = (points: readonly Point<unknown>[]) => readonly Exchange<unknown>[];

const POLL_CLASSES: readonly PollClass[] = ["fast", "normal", "slow", "once"];

/** What a device repeats. Points of different classes never share an exchange; write-only points are in none. */
export class ExchangeList {
  readonly #plan: Plan;
  #list: PlannedExchange[];

  constructor(points: readonly Point<unknown>[], plan: Plan) {
    this.#plan = plan;
    const readable = points.filter((point) => point.access !== "w");
    this.#list = POLL_CLASSES.flatMap((pollClass) => {
      const members = readable.filter((point) => point.pollClass === pollClass);
      return members.length === 0 ? [] : this.#planned(members, pollClass);
    });
  }

  get all(): readonly PlannedExchange[] {
    return this.#list;
  }

  ofClass(pollClass: PollClass): readonly PlannedExchange[] {
    return this.#list.filter((planned) => planned.pollClass === pollClass);
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

  /** Puts two halves in the place of an exchange that the device refuses as a whole; for the run of the program. */
  split(refused: PlannedExchange): readonly PlannedExchange[] {
    const halves = bisect(refused.points).flatMap((half) => this.#planned(half, refused.pollClass));
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

  #planned(points: readonly Point<unknown>[], pollClass: PollClass): PlannedExchange[] {
    return this.#plan(points).map((exchange) => ({
      points: exchange.points,
      pollClass,
      wireMs: exchange.wireMs,
      pending: false,
      refusedUntilMs: 0,
      done: false,
    }));
  }
}

/** Two halves in the order given, the first not smaller. */
export function bisect<T>(items: readonly T[]): readonly [readonly T[], readonly T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
