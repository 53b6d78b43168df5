import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { CompiledProgram, MeasuredProcess, nodeCommand, runPinned } from "./process.js";

/** How a server under test is started and asked. */
interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  readonly ready?: RegExp;
  readonly port: number;
  /** 1 where each peer has a port of its own, 0 where one port serves all. */
  readonly portStep: 0 | 1;
}

const SERVER_CORE = 0;
const GENERATOR_CORE = 1;
const PEERS = 8;
const WINDOW = 64;
const PEER_PORT = 47_500;
const PORTS = { causeway: 47_100, echo: 47_200, libcoap: 47_300, npm: 47_301 } as const;
/** Until code is compiled and every store is as full as it gets. */
const WARM_UP_REQUESTS = 70_000;

const SUBJECTS: readonly Subject[] = [
  {
    name: "causeway",
    command: [...nodeCommand("servers/causeway.js"), String(PORTS.causeway), String(PEER_PORT), String(PEERS)],
    ready: /ready/,
    port: PORTS.causeway,
    portStep: 1,
  },
  {
    name: "libcoap coap-server",
    command: ["coap-server-notls", "-A", "127.0.0.1", "-p", String(PORTS.libcoap)],
    // It starts without a word; the generator sends again what comes too early.
    port: PORTS.libcoap,
    portStep: 0,
  },
  {
    name: "npm coap",
    command: [...nodeCommand("servers/npm-coap.js"), String(PORTS.npm)],
    ready: /ready/,
    port: PORTS.npm,
    portStep: 0,
  },
  {
    name: "node dgram echo",
    command: [...nodeCommand("servers/echo.js"), String(PORTS.echo), String(PEER_PORT), String(PEERS)],
    ready: /ready/,
    port: PORTS.echo,
    portStep: 1,
  },
];

interface Load {
  readonly answered: number;
  readonly seconds: number;
  readonly resent: number;
  readonly failures: number;
}

export const coapGet: Benchmark = {
  name: "coap-get",
  title: `GET of a small text resource, ${PEERS} peers, ${WINDOW} requests on their way`,
  measure: "requests/CPU-s",
  ours: "causeway",
  run: runRounds,
};

async function runRounds({ rounds, requests, progress }: BenchmarkOptions): Promise<readonly Sample[]> {
  const generator = new CompiledProgram("coap-load");
  const running: MeasuredProcess[] = [];
  const samples: Sample[] = [];
  try {
    for (const { command, ready } of SUBJECTS) running.push(await MeasuredProcess.start(SERVER_CORE, command, ready));
    for (const subject of SUBJECTS) load(generator, subject, WARM_UP_REQUESTS);
    // Round by round over all subjects, so that a disturbance of the machine meets all of them.
    for (let number = 1; number <= rounds; number++) {
      for (const [index, subject] of SUBJECTS.entries()) {
        const server = running[index];
        if (server !== undefined) samples.push(measure(generator, subject, server, number, requests));
        progress(`round ${number}: ${subject.name}`);
      }
    }
  } finally {
    for (const server of running) await server[Symbol.asyncDispose]();
    generator[Symbol.dispose]();
  }
  return samples;
}

function measure(
  generator: CompiledProgram,
  subject: Subject,
  server: MeasuredProcess,
  number: number,
  requests: number,
): Sample {
  const beforeNs = server.cpuNs();
  const { answered, seconds, resent } = load(generator, subject, requests);
  const cpuS = (server.cpuNs() - beforeNs) / 1e9;
  const values = {
    "requests/CPU-s": Math.round(answered / cpuS),
    "requests/s": Math.round(answered / seconds),
    "RSS MiB": round(server.rssMib(), 0),
    resent,
  };
  return { subject: subject.name, round: number, values };
}

function load(generator: CompiledProgram, { name, port, portStep }: Subject, requests: number): Load {
  const args = [port, portStep, PEER_PORT, PEERS, WINDOW, requests, "/time"].map(String);
  const result: Load = JSON.parse(runPinned(GENERATOR_CORE, [generator.path, ...args]));
  if (result.failures > 0) throw new Error(`${name}: ${result.failures} answers were not 2.05`);
  return result;
}
