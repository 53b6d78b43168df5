import { type Log, silentLog, tee } from "../base/log.js";
import type { Io } from "./command.js";

/** What a person at the command line should know of the field below: warnings and errors, as plain lines. */
export function plainLog(io: Io): Log {
  return tee(silentLog, ({ level, message, facts }) => {
    if (level !== "info") io.err(`${level}: ${message} ${facts}`.trimEnd());
  });
}
