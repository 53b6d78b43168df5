import type { BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { CompiledProgram, MeasuredProcess, runPinned } from "./process.js";

/** How a server under test is started and asked. */
export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  readonly ready?: RegExp;
  readonly port: number;
  /** 1 where each peer has a port of its own, 0 where one port serves all. */
  readonly portStep: 0 | 1;
  readonly path: string;
  /** Content-Format to ask for. */
  readonly accept?: number;
  /** Makes FETCHes of what would be GETs; needs `accept`. */
  readonly fetch?: { readonly contentFormat: number; readonly payloadFile: string };
  /** What is to be done once it runs. */
  prepare?(): void;
}

export const PEERS = 8;
export const WINDOW = 64;
export const PEER_PORT = 47_500;
const SERVER_CORE = 0;
const GENERATOR_CORE = 1;
/** Until code is compiled and every store is as full as it gets. */
const WARM_UP_REQUESTS = 70_000;

interface Load {
  readonly answered: number;
  readonly seconds: number;
  readonly resent: number;
  readonly failures: number;
}

/** Round by round over all subjects, so that a disturbance of the machine meets all of them. */
export async function getRounds(
  subjects: readonly Subject[],
  { rounds, requests, progress }: BenchmarkOptions,
  warmUpRequests = WARM_UP_REQUESTS,
): Promise<readonly Sample[]> {
  const generator = new CompiledProgram("coap-load");
  const running: MeasuredProcess[] = [];
  const samples: Sample[] = [];
  try {
    for (const { command, ready, prepare } of subjects) {
      running.push(await MeasuredProcess.start(SERVER_CORE, command, ready));
      prepare?.();
    }
    for (const subject of subjects) load(generator, subject, warmUpRequests);
    for (let number = 1; number <= rounds; number++) {
      for (const [index, subject] of subjects.entries()) {
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

function load(generator: CompiledProgram, subject: Subject, requests: number): Load {
  const { name, port, portStep, path, accept, fetch } = subject;
  const all = [
    port,
    portStep,
    PEER_PORT,
    PEERS,
    WINDOW,
    requests,
    path,
    accept,
    fetch?.contentFormat,
    fetch?.payloadFile,
  ];
  const args = all.filter((arg) => arg !== undefined);
  const result: Load = JSON.parse(runPinned(GENERATOR_CORE, [generator.path, ...args.map(String)]));
  if (result.failures > 0) throw new Error(`${name}: ${result.failures} answers were not 2.05`);
  return result;
}
