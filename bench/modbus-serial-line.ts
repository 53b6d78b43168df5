import { modbus } from "../adapters/modbus/index.js";
import type { ModbusLinkOptions, ModbusPoint } from "../adapters/modbus/options.js";
import { timingOf } from "../adapters/modbus/timing.js";
import type { Point } from "../src/field/index.js";
import { type Benchmark, round, type Sample } from "./benchmark.js";
import { SimulatedBus } from "./simulated-bus.js";

const BAUD_RATES = [9600, 19200, 115200] as const;
const METERS = 4;
const WARM_UP_MS = 10_000;
const MEASURED_MS = 60_000;
/** Input registers of an Eastron SDM630: voltages, currents, powers, sums, frequency, energies. */
const SDM630 = [
  0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 42, 46, 48, 52, 56, 60, 62, 70, 72, 74,
];

const points = SDM630.map(
  (register): Point<ModbusPoint> => ({
    name: `r${register}`,
    access: "r",
    pollClass: "fast",
    address: { at: { table: "input", register }, type: "float32" },
  }),
);

interface Measured {
  readonly values: number;
  readonly requests: number;
  readonly tooSoon: number;
  readonly utilisation: number;
}

/** Polls the meters as fast as the line allows, in virtual time. */
async function pollMeters(baudRate: number): Promise<Measured> {
  let values = 0;
  await using bus = await SimulatedBus.open({
    link: { transport: "rtu", port: "p", baudRate },
    devices: METERS,
    points,
    poll: { fastMs: 20, normalMs: 1000, slowMs: 1000 },
    onReadings: (readings) => {
      values += readings.filter(({ quality }) => quality === "good").length;
    },
  });
  const { clock, line, field } = bus;
  await clock.pass(WARM_UP_MS);
  const before = { values, requests: line.requests };
  await clock.pass(MEASURED_MS);
  const { requests, tooSoon } = line;
  return {
    values: values - before.values,
    requests: requests - before.requests,
    tooSoon,
    utilisation: field.status().buses[0]?.utilisation ?? 0,
  };
}

/** What the plan costs at least: characters, silences and the meters' own time, without a gap between requests. */
function minimumMs(baudRate: number): { readonly cycleMs: number; readonly requests: number } {
  const options: ModbusLinkOptions = { transport: "rtu", port: "p", baudRate };
  const plan = modbus.plan(options, { name: "m", address: { unit: 1 }, traits: {} }, points);
  // The end of a request and the beginning of its answer are one silence of the plan, which the latency includes.
  const silenceMs = timingOf(options).silenceMs;
  return {
    cycleMs: METERS * plan.reduce((sum, { wireMs }) => sum + wireMs - silenceMs, 0),
    requests: METERS * plan.length,
  };
}

export const modbusSerialLine: Benchmark = {
  name: "modbus-serial-line",
  title: `Modbus RTU: ${METERS} SDM630 of ${points.length} values each, polled as fast as a line of this speed allows`,
  measure: "share of the possible",
  ours: "9600 Bd",
  async run({ progress }) {
    const samples: Sample[] = [];
    for (const baudRate of BAUD_RATES) {
      const { values, requests, tooSoon, utilisation } = await pollMeters(baudRate);
      const { cycleMs, requests: planned } = minimumMs(baudRate);
      const cycles = values / (METERS * points.length);
      samples.push({
        subject: `${baudRate} Bd`,
        round: 1,
        values: {
          "share of the possible": round((cycles * cycleMs) / MEASURED_MS, 3),
          utilisation: round(utilisation, 3),
          "requests/meter": round(requests / cycles / METERS, 2),
          "planned requests/meter": planned / METERS,
          "values/s": round(values / (MEASURED_MS / 1000), 0),
          "silences too short": tooSoon,
        },
      });
      progress(`${baudRate} Bd`);
    }
    return samples;
  },
};
