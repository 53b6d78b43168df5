import { describe, expect, it } from "vitest";
import { JobQueue, type Priority } from "../../src/field/queue.js";

interface Job {
  readonly priority: Priority;
  readonly queuedAtMs: number;
  readonly name: string;
}

function order(jobs: readonly (readonly [Priority, number])[]): string[] {
  const queue = new JobQueue<Job>();
  for (const [priority, queuedAtMs] of jobs) queue.push({ priority, queuedAtMs, name: `${priority} ${queuedAtMs}` });
  return jobs.map(() => queue.take("probes")?.name ?? "none");
}

describe("the queue of a bus", () => {
  it("goes by priority, then by age", () => {
    const jobs = [
      ["slow", 0],
      ["fast", 2],
      ["probe", 0],
      ["write", 3],
      ["fast", 1],
      ["read-back", 3],
    ] as const;
    expect(order(jobs)).toEqual(["write 3", "read-back 3", "fast 2", "fast 1", "slow 0", "probe 0"]);
  });

  it("does not starve slow polls", () => {
    expect(
      order([
        ["slow", 0],
        ["fast", 4001],
      ]),
    ).toEqual(["slow 0", "fast 4001"]);
    expect(
      order([
        ["slow", 0],
        ["fast", 3999],
      ]),
    ).toEqual(["fast 3999", "slow 0"]);
  });

  it("holds probes back when they are not allowed", () => {
    const queue = new JobQueue<Job>();
    queue.push({ priority: "probe", queuedAtMs: 0, name: "p" });
    expect(queue.take("no-probes")).toBeUndefined();
    expect(queue.size).toBe(1);
    expect(queue.take("probes")?.name).toBe("p");
  });

  it("removes what has not been taken", () => {
    const queue = new JobQueue<Job>();
    const job: Job = { priority: "write", queuedAtMs: 0, name: "w" };
    queue.push(job);
    expect([queue.remove(job), queue.remove(job), queue.size]).toEqual([true, false, 0]);
  });

  it("clears all but one priority", () => {
    const queue = new JobQueue<Job>();
    for (const priority of ["fast", "write", "slow"] as const) queue.push({ priority, queuedAtMs: 0, name: priority });
    expect(queue.takeAllBut("write").map(({ name }) => name)).toEqual(["fast", "slow"]);
    expect(queue.size).toBe(1);
  });
});
