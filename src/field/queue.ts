/** What a job is for; the order in which jobs that have waited equally long get the bus. */
export type Priority = "write" | "read-back" | "fast" | "normal" | "slow" | "probe";

/**
 * Milliseconds by which a job is treated as if it had waited longer. So a write goes before every poll, a fast poll
 * before a slow one, and yet none waits for ever behind a bus that is overloaded.
 */
const HEAD_START_MS: Readonly<Record<Priority, number>> = {
  write: 120_000,
  "read-back": 60_000,
  fast: 4000,
  normal: 2000,
  slow: 0,
  probe: 0,
};

export interface Queued {
  readonly priority: Priority;
  /** Monotonic. */
  readonly queuedAtMs: number;
}

/** Jobs in order: first in, first out within a priority, and between priorities by head start and waiting time. */
export class JobQueue<J extends Queued> {
  readonly #lanes: Readonly<Record<Priority, J[]>> = {
    write: [],
    "read-back": [],
    fast: [],
    normal: [],
    slow: [],
    probe: [],
  };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(job: J): void {
    this.#lanes[job.priority].push(job);
    this.#size++;
  }

  /** The next job, taken out; probes only if they are allowed now. */
  take(probes: "probes" | "no-probes"): J | undefined {
    let best: J | undefined;
    for (const lane of Object.values(this.#lanes)) {
      const head = lane[0];
      if (head === undefined || (head.priority === "probe" && probes === "no-probes")) continue;
      if (best === undefined || rank(head) < rank(best)) best = head;
    }
    if (best === undefined) return undefined;
    this.#lanes[best.priority].shift();
    this.#size--;
    return best;
  }

  /** False when the job was taken already. */
  remove(job: J): boolean {
    const lane = this.#lanes[job.priority];
    const index = lane.indexOf(job);
    if (index < 0) return false;
    lane.splice(index, 1);
    this.#size--;
    return true;
  }

  /** Takes out all jobs but those of the priority, oldest lane first. */
  takeAllBut(kept: Priority | undefined): J[] {
    const lanes = Object.values(this.#lanes).filter((lane) => lane[0] !== undefined && lane[0].priority !== kept);
    const jobs = lanes.flatMap((lane) => lane.splice(0));
    this.#size -= jobs.length;
    return jobs;
  }
}

function rank(job: Queued): number {
  return job.queuedAtMs - HEAD_START_MS[job.priority];
}
