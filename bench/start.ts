import { setTimeout } from "node:timers/promises";
import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { MeasuredProcess, nodeCommand } from "./process.js";
import { Site } from "./site.js";

const PEERS_CORE = 1;
const MESSAGE_MS = 20_000;
const LOOK_MS = 10;
const SETTLE_MS = 1500;

/** From the start of the process to the first message to the server, which is its registration. */
export const start: Benchmark = {
  name: "start",
  title: "A gateway with a Modbus meter that does not answer: from the start of the process to its first message",
  measure: "starts/s",
  ours: "state of an earlier run",
  async run({ rounds, progress }: BenchmarkOptions) {
    const samples: Sample[] = [];
    for (let number = 1; number <= rounds; number++) {
      using site = new Site();
      await using server = await MeasuredProcess.start(PEERS_CORE, nodeCommand("servers/registrar.js"), /port \d+\n/);
      for (const subject of ["no state", "state of an earlier run"]) {
        const { firstMs, cpuMs } = await startOnce(site, server);
        const values = { "starts/s": round(1000 / firstMs, 2), "ms to first message": firstMs, "CPU ms": cpuMs };
        samples.push({ subject, round: number, values });
        progress(`round ${number}: ${subject} ${JSON.stringify(values)}`);
      }
    }
    return samples;
  },
};

async function startOnce(site: Site, server: MeasuredProcess) {
  const port = /port (\d+)/.exec(server.output)?.[1];
  site.write("causeway.json", {
    gateway: { endpoint: "bench", state: "state", onStop: "keep" },
    servers: [{ uri: `coap://127.0.0.1:${port}`, lifetime: "24h" }],
    links: { plc: { adapter: "modbus", transport: "tcp", host: "127.0.0.1", port: 1 } },
    devices: [{ name: "meter", link: "plc", profile: "eastron-sdm120", address: { unit: 1 } }],
  });
  const startedMs = Date.now();
  await using gateway = await site.start(/^/);
  const first = await firstMessage(server, startedMs);
  const cpuMs = Math.round(gateway.cpuNs() / 1e6);
  // What is to be known by the next run is on disk within a second.
  await setTimeout(SETTLE_MS);
  return { firstMs: first - startedMs, cpuMs };
}

/** When the first message after the start came; the server itself says so. */
async function firstMessage(server: MeasuredProcess, startedMs: number): Promise<number> {
  for (let waitedMs = 0; waitedMs < MESSAGE_MS; waitedMs += LOOK_MS) {
    const times = [...server.output.matchAll(/^(?:register|update) (\d+)$/gm)].map(([, time]) => Number(time));
    const first = times.find((time) => time >= startedMs);
    if (first !== undefined) return first;
    await setTimeout(LOOK_MS);
  }
  throw new Error(`no message within ${MESSAGE_MS} ms`);
}
