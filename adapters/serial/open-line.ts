import { type Clock, type Line, openSerialLine, openTcpLine } from "causeway/adapter";
import { type SerialLinkOptions, serialSettings } from "./options.js";

const CONNECT_TIMEOUT_MS = 5000;

/** Rejects with LINK_*, or the signal's reason. */
export async function openLine(options: SerialLinkOptions, clock: Clock, signal: AbortSignal): Promise<Line> {
  const { host, port, connectTimeout: connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  if (host === undefined) return await openSerialLine({ ...serialSettings(options), path: String(port) }, signal);
  return await openTcpLine({ host, port: Number(port), connectTimeoutMs }, clock, signal);
}
