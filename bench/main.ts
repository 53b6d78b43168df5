/** `npm run bench [-- --only NAME] [--rounds N] [--requests N] [--minutes N] [--json]` */
import { parseArgs } from "node:util";
import { type Benchmark, formatReport, report } from "./benchmark.js";
import { bleDecoding } from "./ble.js";
import { coapGet } from "./coap-get.js";
import { compositeRead } from "./composite-read.js";
import { endpoints } from "./endpoints.js";
import { fieldChecklist } from "./field-checklist.js";
import { gatewayMemory, gatewayTenThousand, gatewayUnobserved } from "./gateway-memory.js";
import { lwm2mReads } from "./lwm2m-read.js";
import { modbusSerialLine } from "./modbus-serial-line.js";
import { modbusTcp } from "./modbus-tcp.js";
import { mqttMessages } from "./mqtt.js";
import { notifications } from "./notifications.js";
import { outbox } from "./outbox.js";
import { start } from "./start.js";

const BENCHMARKS: readonly Benchmark[] = [
  coapGet,
  ...lwm2mReads,
  compositeRead,
  notifications,
  start,
  endpoints,
  gatewayMemory,
  gatewayTenThousand,
  gatewayUnobserved,
  fieldChecklist,
  modbusSerialLine,
  modbusTcp,
  outbox,
  mqttMessages,
  bleDecoding,
];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "30000" },
    minutes: { type: "string", default: "10" },
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
    minutes: Number(values.minutes),
    progress: (text) => console.error(text),
  });
  reports.push(result);
  if (!values.json) console.log(`${formatReport(result)}\n`);
}
console.log(JSON.stringify(reports));
