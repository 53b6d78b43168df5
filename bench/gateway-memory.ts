import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { GATEWAY_NODE, MeasuredProcess, nodeCommand } from "./process.js";

const DEVICES = 100;
const POINTS = 20;
const GATEWAY_CORE = 0;
const PEERS_CORE = 1;
const MINUTE_MS = 60_000;

/** A sample a minute; the first and the last show whether memory is flat. */
export const gatewayMemory: Benchmark = {
  name: "gateway-memory",
  title: `A gateway with ${DEVICES} devices of ${POINTS} points polled each second, all of them observed`,
  measure: "points/CPU-s",
  ours: "causeway",
  run: runMinutes,
};

async function runMinutes({ minutes, progress }: BenchmarkOptions): Promise<readonly Sample[]> {
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
      nodeCommand("servers/field.js").concat(String(DEVICES), String(POINTS)),
      /\}\n/,
    );
    const server = await start(PEERS_CORE, nodeCommand("servers/observing-server.js"), /port \d+\n/);
    const file = writeConfiguration(folder, field.output, /port (\d+)/.exec(server.output)?.[1] ?? "");
    const main = fileURLToPath(new URL("../bundle/src/main.js", import.meta.url));
    const gateway = await start(GATEWAY_CORE, [...GATEWAY_NODE, main, "run", "-c", file], /"registered"/);
    const samples: Sample[] = [];
    let cpuNs = gateway.cpuNs();
    for (let minute = 1; minute <= minutes; minute++) {
      await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
      const cpuS = (gateway.cpuNs() - cpuNs) / 1e9;
      cpuNs = gateway.cpuNs();
      const values = {
        "points/CPU-s": Math.round((DEVICES * POINTS * 60) / cpuS),
        "CPU %": round((cpuS / 60) * 100, 1),
        "RSS MiB": round(gateway.rssMib(), 1),
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

function writeConfiguration(folder: string, link: string, serverPort: string): string {
  const points = Array.from({ length: POINTS }, (_, index) => index);
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
    devices: Array.from({ length: DEVICES }, (_, index) => ({
      name: `m${index}`,
      link: "plant",
      profile: "bench-meter",
      address: { unit: index + 1 },
      poll: { fast: "1s" },
    })),
  };
  const file = join(folder, "causeway.json");
  writeFileSync(file, JSON.stringify(configuration));
  return file;
}
