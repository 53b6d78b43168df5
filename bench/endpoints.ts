import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { MeasuredProcess, nodeCommand } from "./process.js";
import { Site } from "./site.js";

const ENDPOINTS = 300;
const PEERS_CORE = 1;
/** Until what a start leaves behind is collected. */
const SETTLE_MS = 5000;

/** What each device costs that is an LwM2M client of its own: tree, client, session, socket and the device itself. */
export const endpoints: Benchmark = {
  name: "endpoints",
  title: `A gateway whose ${ENDPOINTS} devices are endpoints of their own, beside one without devices`,
  measure: "endpoints/s",
  ours: "causeway",
  async run({ rounds, progress }: BenchmarkOptions) {
    const samples: Sample[] = [];
    for (let number = 1; number <= rounds; number++) {
      const none = await runGateway(0);
      const many = await runGateway(ENDPOINTS);
      const values = {
        "endpoints/s": round(ENDPOINTS / many.seconds, 1),
        "s until all are registered": round(many.seconds, 1),
        "CPU s": round(many.cpuS, 2),
        "kB each": round(((many.rssMib - none.rssMib) * 1024) / ENDPOINTS, 0),
      };
      samples.push({ subject: "causeway", round: number, values });
      progress(`round ${number}: ${JSON.stringify(values)}`);
    }
    return samples;
  },
};

async function runGateway(devices: number) {
  using site = new Site();
  const registrar = [...nodeCommand("servers/registrar.js"), String(devices + 1)];
  await using server = await MeasuredProcess.start(PEERS_CORE, registrar, /port \d+\n/);
  const port = /port (\d+)/.exec(server.output)?.[1];
  site.write("room.yaml", {
    profile: "bench-room",
    title: "A room of the benchmark",
    adapter: "sim",
    points: { temperature: { wave: "sine", period: "1h" } },
    objects: [{ object: 3303, resources: { 5700: "temperature" } }],
  });
  site.write("causeway.json", {
    gateway: { endpoint: "bench", state: "state", expose: "endpoints", log: "warn" },
    mappings: ["."],
    servers: [{ uri: `coap://127.0.0.1:${port}`, lifetime: "24h" }],
    links: { rooms: { adapter: "sim" } },
    devices: Array.from({ length: devices }, (_, index) => ({
      name: `m${index}`,
      link: "rooms",
      profile: "bench-room",
    })),
  });
  const startedMs = Date.now();
  await using gateway = await site.start(/^/);
  const last = await server.wait(/last (\d+)/);
  const seconds = (Number(last[1]) - startedMs) / 1000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { seconds, cpuS: gateway.cpuNs() / 1e9, rssMib: gateway.rssMib() };
}
