import { type Adapter, CausewayError, defineAdapter, openSerialLine, openTcpLine } from "causeway/adapter";
import { fitValue, ModbusLink } from "./link.js";
import {
  kindOf,
  linkProblem,
  linkSchema,
  type ModbusLinkOptions,
  type ModbusPoint,
  type ModbusStation,
  pointProblem,
  pointSchema,
  serialSettings,
  stationSchema,
  traitsProblem,
} from "./options.js";
import { PduCodec } from "./pdu.js";
import { planExchanges } from "./plan.js";
import { RtuTransport } from "./rtu-transport.js";
import { simulateModbus } from "./simulator.js";
import { TcpTransport } from "./tcp-transport.js";
import { timingOf } from "./timing.js";

const DEFAULT_PORT = 502;
const CONNECT_TIMEOUT_MS = 5000;

/** Modbus over serial lines, TCP, and serial frames through TCP. */
export const modbus: Adapter<ModbusLinkOptions, ModbusStation, ModbusPoint> = {
  name: "modbus",
  link: linkSchema,
  station: stationSchema,
  point: pointSchema,
  medium: (options) =>
    options.transport === "rtu" ? String(options.port) : `${options.host}:${options.port ?? DEFAULT_PORT}`,
  line: (options) =>
    options.transport === "rtu"
      ? { address: String(options.port), serial: serialSettings(options) }
      : { address: `${options.host}:${options.port ?? DEFAULT_PORT}` },
  plan: planExchanges,
  async open(options, { clock }, signal) {
    const problem = linkProblem(options);
    if (problem !== undefined) throw new CausewayError("CONFIG_INVALID", problem);
    const timing = timingOf(options);
    if (options.transport === "rtu") {
      const line = await openSerialLine({ ...serialSettings(options), path: String(options.port) }, signal);
      return new ModbusLink(new RtuTransport(line, timing, clock), await PduCodec.load(), timing, clock);
    }
    const { host = "", connectTimeout: connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
    const port = Number(options.port ?? DEFAULT_PORT);
    const line = await openTcpLine({ host, port, connectTimeoutMs }, clock, signal);
    const isTcp = options.transport === "tcp";
    const transport = isTcp ? new TcpTransport(line, clock) : new RtuTransport(line, timing, clock);
    return new ModbusLink(transport, await PduCodec.load(), timing, clock);
  },
  linkProblem,
  pointProblem,
  traitsProblem,
  kind: kindOf,
  fit: fitValue,
  simulate: async (options, stations, { clock }) => await simulateModbus(options, stations, clock),
};

export default defineAdapter(modbus);
