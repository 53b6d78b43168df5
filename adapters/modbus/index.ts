import { type Adapter, CausewayError, defineAdapter } from "causeway/adapter";
import { fitValue, ModbusLink, writeTerms } from "./link.js";
import { openTransport } from "./open-transport.js";
import {
  isOnSerialLine,
  isSerialPort,
  kindOf,
  linkProblem,
  linkSchema,
  type ModbusLinkOptions,
  type ModbusPoint,
  type ModbusStation,
  networkAddress,
  pointProblem,
  pointSchema,
  serialSettings,
  stationSchema,
  traitsProblem,
} from "./options.js";
import { PduCodec } from "./pdu.js";
import { planExchanges } from "./plan.js";
import { timingOf } from "./timing.js";

/** Modbus over serial lines, TCP, TLS and UDP, and serial frames through TCP. */
export const modbus: Adapter<ModbusLinkOptions, ModbusStation, ModbusPoint> = {
  name: "modbus",
  link: linkSchema,
  station: stationSchema,
  point: pointSchema,
  medium: addressOf,
  line: (options) => ({
    address: addressOf(options),
    ...(isSerialPort(options) ? { serial: serialSettings(options) } : {}),
  }),
  plan: planExchanges,
  async open(options, { clock }, signal) {
    const problem = linkProblem(options);
    if (problem !== undefined) throw new CausewayError("CONFIG_INVALID", problem);
    return new ModbusLink(await openTransport(options, clock, signal), await PduCodec.load(), timingOf(options), clock);
  },
  linkProblem,
  pointProblem,
  traitsProblem,
  kind: kindOf,
  fit: fitValue,
  writeTerms,
  // TCP repeats by itself what gets lost.
  retries: (options) => (isOnSerialLine(options) || options.transport === "udp" ? 1 : 0),
  scan: async () => (await import("./scan.js")).scanTool(),
  read: async () => (await import("./read.js")).readTool,
  async simulate(options, stations, { clock }) {
    const { simulateModbus } = await import("./simulate.js");
    return await simulateModbus(options, stations, clock);
  },
};

export default defineAdapter(modbus);

function addressOf(options: ModbusLinkOptions): string {
  if (isSerialPort(options)) return String(options.port);
  const { host, port } = networkAddress(options);
  return options.transport === "udp" ? `${host}:${port}/udp` : `${host}:${port}`;
}
