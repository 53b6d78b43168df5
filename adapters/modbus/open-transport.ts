import { type Clock, type Line, openSerialLine, openTcpLine, openTlsLine, openUdpLine } from "causeway/adapter";
import { asciiFraming } from "./ascii-framing.js";
import { MbapTransport } from "./mbap-transport.js";
import {
  isAscii,
  isOnSerialLine,
  isSerialPort,
  type ModbusLinkOptions,
  networkAddress,
  serialSettings,
} from "./options.js";
import { rtuFraming } from "./rtu-framing.js";
import { SerialTransport } from "./serial-transport.js";
import { timingOf } from "./timing.js";
import type { Transport } from "./transport.js";

const CONNECT_TIMEOUT_MS = 5000;

/** Rejects with LINK_*. */
export async function openTransport(options: ModbusLinkOptions, clock: Clock, signal: AbortSignal): Promise<Transport> {
  return transportOn(await openLine(options, clock, signal), options, clock);
}

/** Rejects with LINK_*. */
export async function openLine(options: ModbusLinkOptions, clock: Clock, signal: AbortSignal): Promise<Line> {
  if (isSerialPort(options)) {
    return await openSerialLine({ ...serialSettings(options), path: String(options.port) }, signal);
  }
  const { connectTimeout: connectTimeoutMs = CONNECT_TIMEOUT_MS, tls } = options;
  const address = { ...networkAddress(options), connectTimeoutMs };
  if (options.transport === "udp") return await openUdpLine(address, signal);
  if (options.transport !== "tls") return await openTcpLine(address, clock, signal);
  return await openTlsLine({ ...address, ...tls }, clock, signal);
}

/** What carries requests on an open line of these options. */
export function transportOn(line: Line, options: ModbusLinkOptions, clock: Clock): Transport {
  if (isOnSerialLine(options)) {
    const framing = isAscii(options) ? asciiFraming : rtuFraming;
    return new SerialTransport(line, framing, timingOf(options), clock);
  }
  return new MbapTransport(line, options.transport === "udp" ? "datagrams" : "stream", clock);
}
