import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.js";
import { silentLog } from "../src/base/log.js";
import { Database } from "../src/outbox/database.js";
import { Outbox, type Queue } from "../src/outbox/outbox.js";
import { type Benchmark, type BenchmarkOptions, round, type Sample } from "./benchmark.js";

const MEBIBYTE = 1024 ** 2;
const LIMIT_BYTES = 64 * MEBIBYTE;
const DAY_MS = 86_400_000;
const SAMPLES = 2_000_000;
/** A second of an outage, at 1000 values/s. */
const BATCH = 1000;
const RESOURCES = 100;
const QUEUE: Queue = { endpoint: "bench", shortServerId: 1 };

/** What an outage that is longer than the buffer leaves, and how fast the buffer fills and empties. */
export const outbox: Benchmark = {
  name: "outbox",
  title: `${SAMPLES} samples into a buffer of ${LIMIT_BYTES / MEBIBYTE} MiB, committed by the thousand, then delivered`,
  measure: "delivered/s",
  async run({ rounds, progress }: BenchmarkOptions) {
    const samples: Sample[] = [];
    for (let number = 1; number <= rounds; number++) {
      const folder = mkdtempSync(join(tmpdir(), "bench-"));
      try {
        const values = await outage(folder);
        samples.push({ subject: "causeway", round: number, values });
        progress(`round ${number}: ${JSON.stringify(values)}`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return samples;
  },
};

async function outage(folder: string): Promise<Readonly<Record<string, number>>> {
  await using database = await Database.open(join(folder, "state.db"), silentLog, systemClock.nowMs());
  const limits = { maxBytes: LIMIT_BYTES, maxAgeMs: 30 * DAY_MS, overflow: "drop-oldest" } as const;
  await using buffer = await Outbox.open(database, [QUEUE], limits, systemClock, silentLog);
  let largestBytes = 0;
  const filling = performance.now();
  for (let count = 0; count < SAMPLES; count++) {
    const path = [3303, count % RESOURCES, 5700] as const;
    buffer.append({ endpoint: QUEUE.endpoint, path, type: "float", value: count / 8, atMs: systemClock.nowMs() });
    if (count % BATCH !== BATCH - 1) continue;
    await buffer.commit();
    if (count % (100 * BATCH) === 100 * BATCH - 1) largestBytes = Math.max(largestBytes, bytesOf(folder));
  }
  const filledS = (performance.now() - filling) / 1000;
  const { buffered, dropped } = await buffer.counters();
  const emptying = performance.now();
  let delivered = 0;
  for (let head = await buffer.head(QUEUE, BATCH); head.length > 0; head = await buffer.head(QUEUE, BATCH)) {
    delivered += head.length;
    await buffer.settle(QUEUE, head.at(-1)?.id ?? 0, head.length);
  }
  return {
    "committed/s": round(SAMPLES / filledS, 0),
    "delivered/s": round((delivered / (performance.now() - emptying)) * 1000, 0),
    "MiB at most": round(largestBytes / MEBIBYTE, 1),
    dropped,
    "not accounted for": SAMPLES - buffered - dropped + (buffered - delivered),
  };
}

/** With what SQLite keeps beside the database. */
function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
