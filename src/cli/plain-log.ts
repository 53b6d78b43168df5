import { type Log, type LogEvent, silentLog, tee } from "../base/log.js";
import type { Io } from "./command.js";
import { oneLine } from "./one-line.js";

/** What a person at the command line should know of the field below: warnings and errors, with what to do. */
export function plainLog(io: Io): Log {
  return tee(silentLog, (event) => {
    if (event.level === "info") return;
    for (const line of plainText(event)) io.err(line);
  });
}

/** As `warn: field link down: LINK_BUSY: … (medium modbus /dev/ttyUSB0)`, and a line for the remedy. Pure. */
export function plainText({ level, message, facts }: LogEvent): readonly string[] {
  const { code, error, reason, remedy, ...others }: Record<string, unknown> = facts === "" ? {} : JSON.parse(facts);
  const why = [code, error, reason].filter((part) => part !== undefined && part !== message);
  const where = Object.entries(others).map(([name, fact]) => `${name} ${typeof fact === "object" ? "…" : fact}`);
  const line = [`${level}: ${message}`, ...why].join(": ") + (where.length === 0 ? "" : ` (${where.join(", ")})`);
  return remedy === undefined ? [oneLine(line)] : [oneLine(line), `  ${remedy}`];
}
