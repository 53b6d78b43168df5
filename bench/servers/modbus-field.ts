/** The field half of the gateway: polls 100 devices of 60 registers as fast as it can. `PORT READINGS` */
import { modbus } from "../../adapters/modbus/index.js";
import type { ModbusPoint } from "../../adapters/modbus/options.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { openField } from "../../src/field/field.js";
import { defineAdapter, type Point } from "../../src/field/index.js";
import { MODBUS_DEVICES, MODBUS_REGISTERS, reportCpu } from "./modbus-load.js";

const [port = 0, wanted = 0] = process.argv.slice(2).map(Number);
const points = Array.from(
  { length: MODBUS_REGISTERS },
  (_, register): Point<ModbusPoint> => ({
    name: `r${register}`,
    access: "r",
    pollClass: "fast",
    address: { at: { table: "holding", register }, type: "uint16" },
  }),
);
const report = reportCpu(wanted);
await openField(
  {
    links: [{ name: "plc", adapter: "modbus", options: { transport: "tcp", host: "127.0.0.1", port } }],
    devices: Array.from({ length: MODBUS_DEVICES }, (_, index) => ({
      name: `d${index}`,
      link: "plc",
      address: { unit: index + 1 },
      traits: {},
      points,
      poll: { fastMs: 5, normalMs: 1000, slowMs: 1000 },
    })),
    loadAdapter: async () => defineAdapter(modbus),
    clock: systemClock,
    log: silentLog,
    onReadings: (_, readings) => report(readings.filter(({ quality }) => quality === "good").length),
  },
  new Scope((error) => {
    throw error;
  }),
);
