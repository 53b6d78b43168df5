import type { Benchmark, Sample } from "./benchmark.js";
import { gatewayCommand, MeasuredProcess, nodeCommand, runPinned } from "./process.js";
import { MODBUS_DEVICES, MODBUS_REGISTERS } from "./servers/modbus-load.js";

const PORT = 47_502;
const SERVER_CORE = 1;
const CLIENT_CORE = 0;
const READINGS_PER_REQUEST = 60;

const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  causeway: gatewayCommand("servers/modbus-field.js"),
  "modbus-serial alone": nodeCommand("servers/modbus-bare.js"),
};

/** Polls with qualities, times and health beside the bare library that only reads. */
export const modbusTcp: Benchmark = {
  name: "modbus-tcp",
  title: `Modbus TCP: ${MODBUS_DEVICES} devices of ${MODBUS_REGISTERS} registers on one connection`,
  measure: "readings/CPU-s",
  ours: "causeway",
  async run({ rounds, requests, progress }) {
    const server = await MeasuredProcess.start(
      SERVER_CORE,
      [...nodeCommand("servers/modbus-slave.js"), String(PORT)],
      /ready/,
    );
    const samples: Sample[] = [];
    try {
      for (let number = 1; number <= rounds; number++) {
        for (const [subject, command] of Object.entries(SUBJECTS)) {
          const wanted = String(requests * READINGS_PER_REQUEST);
          const printed = runPinned(CLIENT_CORE, [...command, String(PORT), wanted]);
          const { readings, cpuSeconds, seconds } = JSON.parse(printed);
          const values = {
            "readings/CPU-s": Math.round(readings / cpuSeconds),
            "requests/s": Math.round(readings / READINGS_PER_REQUEST / seconds),
          };
          samples.push({ subject, round: number, values });
          progress(`round ${number}: ${subject}`);
        }
      }
    } finally {
      await server[Symbol.asyncDispose]();
    }
    return samples;
  },
};
