/** What a round of a program cost that makes the load itself. */
export interface RoundLine {
  readonly count: number;
  readonly cpuS: number;
  readonly seconds: number;
}

/**
 * Calls `turn` until it has counted to `count`, `rounds` times and once before to warm up, with a turn of the event loop
 * in between; prints a line for each round.
 */
export async function runRounds(rounds: number, count: number, turn: () => number): Promise<void> {
  for (let round = 0; round <= rounds; round++) {
    const cpu = process.cpuUsage();
    const beginMs = performance.now();
    let done = 0;
    while (done < count) {
      done += turn();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { user, system } = process.cpuUsage(cpu);
    const line: RoundLine = { count: done, cpuS: (user + system) / 1e6, seconds: (performance.now() - beginMs) / 1000 };
    if (round > 0) console.log(`round ${JSON.stringify(line)}`);
  }
  console.log("done");
}
