import { setTimeout } from "node:timers/promises";
import type { Benchmark, BenchmarkOptions, Sample } from "./benchmark.js";
import { round } from "./benchmark.js";
import { MeasuredProcess, nodeCommand } from "./process.js";
import { MESSAGES_PER_S } from "./servers/mqtt-site.js";

const OURS_CORE = 0;
const PEERS_CORE = 1;
const WARM_UP_MS = 3000;
const MEASURED_MS = 6000;

const SUBJECTS = [
  { name: "causeway", module: "servers/mqtt-field.js" },
  { name: "npm mqtt and JSON.parse", module: "servers/mqtt-bare.js" },
];

/** What decoding costs, from the socket to readings of three points per message. */
export const mqttMessages: Benchmark = {
  name: "mqtt",
  title: `${MESSAGES_PER_S} MQTT messages a second of 100 stations, three values from the JSON of each`,
  measure: "messages/CPU-s",
  ours: "causeway",
  async run({ rounds, progress }: BenchmarkOptions) {
    const samples: Sample[] = [];
    await using publisher = await MeasuredProcess.start(
      PEERS_CORE,
      nodeCommand("servers/mqtt-publisher.js"),
      /port \d+\n/,
    );
    const port = /port (\d+)/.exec(publisher.output)?.[1] ?? "";
    for (let number = 1; number <= rounds; number++) {
      for (const { name, module } of SUBJECTS) {
        await using subject = await MeasuredProcess.start(OURS_CORE, [...nodeCommand(module), port], /heard [1-9]/);
        await setTimeout(WARM_UP_MS);
        const before = { heard: heard(subject), cpuNs: subject.cpuNs(), ms: performance.now() };
        await setTimeout(MEASURED_MS);
        const messages = heard(subject) - before.heard;
        const cpuS = (subject.cpuNs() - before.cpuNs) / 1e9;
        const seconds = (performance.now() - before.ms) / 1000;
        const values = {
          "messages/CPU-s": Math.round(messages / cpuS),
          "messages/s": Math.round(messages / seconds),
          "CPU %": round((100 * cpuS) / seconds, 1),
          "RSS MiB": round(subject.rssMib(), 1),
        };
        samples.push({ subject: name, round: number, values });
        progress(`round ${number}: ${name} ${JSON.stringify(values)}`);
      }
    }
    return samples;
  },
};

function heard(subject: MeasuredProcess): number {
  return Number([...subject.output.matchAll(/heard (\d+)\n/g)].at(-1)?.[1]);
}
