/** `npm run bench [-- --only NAME] [--rounds N] [--requests N] [--json]` */
import { parseArgs } from "node:util";
import { type Benchmark, formatReport, report } from "./benchmark.js";
import { coapGet } from "./coap-get.js";
import { lwm2mReads } from "./lwm2m-read.js";

const BENCHMARKS: readonly Benchmark[] = [coapGet, ...lwm2mReads];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "30000" },
    json: { type: "boolean", default: false },
  },
});

const chosen = BENCHMARKS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  console.error(`no benchmark '${values.only}'; there are: ${BENCHMARKS.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
}

const reports = [];
for (const benchmark of chosen) {
  const result = await report(benchmark, {
    rounds: Number(values.rounds),
    requests: Number(values.requests),
    progress: (text) => console.error(text),
  });
  reports.push(result);
  if (!values.json) console.log(`${formatReport(result)}\n`);
}
console.log(JSON.stringify(reports));
