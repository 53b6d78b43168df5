import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { gatewayCommand, MeasuredProcess, nodeCommand } from "./process.js";
import type { RoundLine } from "./servers/rounds.js";

const RESOURCES = 1000;
const SERVER_CORE = 0;
const PEER_CORE = 1;
const PEER_PORT = 47_600;
const ROUND_MS = 20_000;
const PORTS = { causeway: 47_610, datagrams: 47_612 } as const;

interface Subject {
  readonly name: string;
  readonly port: number;
  command(rounds: number, notifications: number): readonly string[];
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "causeway",
    port: PORTS.causeway,
    command: (...load) => [
      ...gatewayCommand("servers/notifier.js"),
      ...words(PORTS.causeway, PEER_PORT, RESOURCES, ...load),
    ],
  },
  {
    name: "node dgram send",
    port: PORTS.datagrams,
    command: (...load) => [
      ...nodeCommand("servers/datagrams.js"),
      ...words(PORTS.datagrams, PEER_PORT, RESOURCES, ...load),
    ],
  },
];

/** The whole way of a new value: tree, decision, read, SenML CBOR, CoAP, socket; beside sending the same bytes. */
export const notifications: Benchmark = {
  name: "notifications",
  title: `Non-confirmable notifications of ${RESOURCES} observed resources as SenML CBOR, all of which change in each turn`,
  measure: "notifications/CPU-s",
  ours: "causeway",
  async run(options) {
    const samples: Sample[] = [];
    for (const subject of SUBJECTS) samples.push(...(await runSubject(subject, options)));
    return samples;
  },
};

async function runSubject(
  { name, port, command }: Subject,
  { rounds, requests, progress }: BenchmarkOptions,
): Promise<readonly Sample[]> {
  await using server = await MeasuredProcess.start(SERVER_CORE, command(rounds, requests), /ready/);
  const peer = [...nodeCommand("servers/observer.js"), ...words(port, PEER_PORT, RESOURCES)];
  await using _peer = await MeasuredProcess.start(PEER_CORE, peer, /observing/);
  await server.wait(/^done$/m, ROUND_MS * (rounds + 1));
  progress(name);
  return [...server.output.matchAll(/^round (.*)$/gm)].map(([, line = ""], index) => {
    const { count, cpuS, seconds }: RoundLine = JSON.parse(line);
    const values = {
      "notifications/CPU-s": Math.round(count / cpuS),
      "notifications/s": Math.round(count / seconds),
      "RSS MiB": round(server.rssMib(), 0),
    };
    return { subject: name, round: index + 1, values };
  });
}

function words(...numbers: readonly number[]): readonly string[] {
  return numbers.map(String);
}
