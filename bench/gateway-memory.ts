import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { GATEWAY_NODE, MeasuredProcess, nodeCommand } from "./process.js";

const GATEWAY_CORE = 0;
const PEERS_CORE = 1;
const MINUTE_MS = 60_000;
/** Of servers/loop-delay.ts. */
const REPORTS_PER_MINUTE = 12;

interface Load {
  readonly devices: number;
  /** Of each device. */
  readonly points: number;
  readonly periodS: number;
  /** Whether the server observes all of them. */
  readonly server: "observing" | "registering";
}

/** A sample a minute; the first and the last show whether memory is flat. */
export const gatewayMemory = gatewayUnder("gateway-memory", {
  devices: 100,
  points: 20,
  periodS: 1,
  server: "observing",
});
const TEN_THOUSAND = { devices: 100, points: 100, periodS: 10 };
export const gatewayTenThousand = gatewayUnder("gateway-10000", { ...TEN_THOUSAND, server: "observing" });
export const gatewayUnobserved = gatewayUnder("gateway-10000-unobserved", { ...TEN_THOUSAND, server: "registering" });

function gatewayUnder(name: string, load: Load): Benchmark {
  const { devices, points, periodS, server } = load;
  const observed = server === "observing" ? "all" : "none";
  return {
    name,
    title: `A gateway with ${devices} devices of ${points} points polled every ${periodS} s, ${observed} of them observed`,
    measure: "points/CPU-s",
    ours: "causeway",
    run: (options) => runMinutes(load, options),
  };
}

async function runMinutes(load: Load, { minutes, progress }: BenchmarkOptions): Promise<readonly Sample[]> {
  const { devices, points, periodS } = load;
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const running: MeasuredProcess[] = [];
  const start = async (core: number, command: readonly string[], ready: RegExp): Promise<MeasuredProcess> => {
    const started = await MeasuredProcess.start(core, command, ready);
    running.push(started);
    return started;
  };
  try {
    const field = await start(
      PEERS_CORE,
      nodeCommand("servers/field.js").concat(String(devices), String(points)),
      /\}\n/,
    );
    const serverCommand = nodeCommand("servers/observing-server.js").concat(load.server);
    const server = await start(PEERS_CORE, serverCommand, /port \d+\n/);
    const file = writeConfiguration(folder, load, field.output, /port (\d+)/.exec(server.output)?.[1] ?? "");
    const main = fileURLToPath(new URL("../bundle/src/main.js", import.meta.url));
    const meter = ["--import", new URL("servers/loop-delay.js", import.meta.url).href];
    const command = [...GATEWAY_NODE, ...meter, main, "run", "-c", file];
    const gateway = await start(GATEWAY_CORE, command, /"registered"/);
    const samples: Sample[] = [];
    let cpuNs = gateway.cpuNs();
    for (let minute = 1; minute <= minutes; minute++) {
      await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
      const cpuS = (gateway.cpuNs() - cpuNs) / 1e9;
      cpuNs = gateway.cpuNs();
      const values = {
        "points/CPU-s": Math.round((devices * points * 60) / periodS / cpuS),
        "CPU %": round((cpuS / 60) * 100, 1),
        "RSS MiB": round(gateway.rssMib(), 1),
        ...loopDelays(gateway.output),
      };
      samples.push({ subject: "causeway", round: minute, values });
      progress(`minute ${minute}: ${JSON.stringify(values)}`);
    }
    return samples;
  } finally {
    for (const process of running.reverse()) await process[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The worst of what the gateway told in the last minute. */
function loopDelays(output: string): Readonly<Record<string, number>> {
  const told = [...output.matchAll(/late by ([\d.]+) ms p99, ([\d.]+) ms max/g)].slice(-REPORTS_PER_MINUTE);
  const worst = (group: number): number => Math.max(...told.map((match) => Number(match[group])));
  return { "loop p99 ms": worst(1), "loop max ms": worst(2) };
}

function writeConfiguration(folder: string, load: Load, link: string, serverPort: string): string {
  const points = Array.from({ length: load.points }, (_, index) => index);
  const profile = {
    profile: "bench-meter",
    title: "A meter of the benchmark",
    adapter: "modbus",
    addressBase: 0,
    points: Object.fromEntries(
      points.map((index) => [
        `p${index}`,
        { at: { table: "input", register: 2 * index }, type: "float32", every: "fast" },
      ]),
    ),
    objects: points.map((index) => ({ object: 3300, resources: { 5700: `p${index}` } })),
  };
  writeFileSync(join(folder, "meter.yaml"), JSON.stringify(profile, undefined, 1));
  const configuration = {
    gateway: { endpoint: "bench", state: folder },
    mappings: [folder],
    servers: [{ uri: `coap://127.0.0.1:${serverPort}`, lifetime: "5m" }],
    links: { plant: { adapter: "modbus", ...JSON.parse(link) } },
    devices: Array.from({ length: load.devices }, (_, index) => ({
      name: `m${index}`,
      link: "plant",
      profile: "bench-meter",
      address: { unit: index + 1 },
      poll: { fast: `${load.periodS}s` },
    })),
  };
  const file = join(folder, "causeway.json");
  writeFileSync(file, JSON.stringify(configuration));
  return file;
}
