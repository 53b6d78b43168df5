import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { MeasuredProcess, nodeCommand } from "./process.js";
import { Site } from "./site.js";

const PEERS_CORE = 1;
const REGISTERED_MS = 10_000;

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
      for (const subject of ["no state", "state of an earlier run"]) {
        const { firstMs, cpuMs } = await startOnce(site);
        const values = { "starts/s": round(1000 / firstMs, 2), "ms to first message": firstMs, "CPU ms": cpuMs };
        samples.push({ subject, round: number, values });
        progress(`round ${number}: ${subject} ${JSON.stringify(values)}`);
      }
    }
    return samples;
  },
};

async function startOnce(site: Site) {
  await using server = await MeasuredProcess.start(PEERS_CORE, nodeCommand("servers/registrar.js"), /port \d+\n/);
  const port = /port (\d+)/.exec(server.output)?.[1];
  site.write("causeway.json", {
    gateway: { endpoint: "bench", state: "state" },
    servers: [{ uri: `coap://127.0.0.1:${port}`, lifetime: "24h" }],
    links: { plc: { adapter: "modbus", transport: "tcp", host: "127.0.0.1", port: 1 } },
    devices: [{ name: "meter", link: "plc", profile: "eastron-sdm120", address: { unit: 1 } }],
  });
  const startedMs = Date.now();
  await using gateway = await site.start(/^/);
  const first = await server.wait(/first (\d+)/);
  const cpuMs = Math.round(gateway.cpuNs() / 1e6);
  await gateway.wait(/"registered"/, REGISTERED_MS).catch(() => undefined);
  return { firstMs: Number(first[1]) - startedMs, cpuMs };
}
