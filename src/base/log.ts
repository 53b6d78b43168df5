import { pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

type Facts = Record<string, unknown>;

/** One line per state change, facts as fields. Never put a secret or a Buffer among the facts. */
export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
  child(facts: Facts): Log;
}

export type LogSink = (line: string) => void;

const SECRETS = ["psk", "key", "password", "secret", "token"];
const SECRET_PATHS = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
const CENSORED = "***";

const JOURNALD_PRIORITY: Record<number, string> = { 20: "<7>", 30: "<6>", 40: "<4>", 50: "<3>" };

/**
 * Writes JSON lines to `sink`. With `journald` each line starts with the priority that systemd's journal reads
 * (sd-daemon(3)).
 */
export function createLog(level: LogLevel, sink: LogSink, format: "plain" | "journald" = "plain"): Log {
  const stream = {
    write(line: string): void {
      if (format === "plain") sink(line);
      else sink((JOURNALD_PRIORITY[Number(/"level":(\d+)/.exec(line)?.[1])] ?? "") + line);
    },
  };
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: CENSORED },
  };
  return new PinoLog(pino(options, stream), {});
}

/** Its logger is made for the first line: hundreds of sessions have nothing to say for days. */
class PinoLog implements Log {
  readonly #root: pino.Logger;
  readonly #known: Facts;
  #logger: pino.Logger | undefined;

  constructor(root: pino.Logger, known: Facts) {
    this.#root = root;
    this.#known = known;
  }

  debug(message: string, facts?: Facts): void {
    this.#write("debug", message, facts);
  }

  info(message: string, facts?: Facts): void {
    this.#write("info", message, facts);
  }

  warn(message: string, facts?: Facts): void {
    this.#write("warn", message, facts);
  }

  error(message: string, facts?: Facts): void {
    this.#write("error", message, facts);
  }

  child(facts: Facts): Log {
    return new PinoLog(this.#root, { ...this.#known, ...facts });
  }

  #write(level: "debug" | "info" | "warn" | "error", message: string, facts: Facts = {}): void {
    if (!this.#root.isLevelEnabled(level)) return;
    this.#logger ??= this.#root.child(plain(this.#known));
    this.#logger[level](plain(facts), message);
  }
}

/** Something that was logged at info or above; `facts` is JSON, "" for none. */
export interface LogEvent {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly facts: string;
}

/** Passes everything on to `log`, and tells `listener` of what is at info or above, whatever level `log` shows. */
export function tee(log: Log, listener: (event: LogEvent) => void, known: Facts = {}): Log {
  const write =
    (level: LogEvent["level"]) =>
    (message: string, facts: Facts = {}): void => {
      log[level](message, facts);
      listener({ level, message, facts: textOf({ ...known, ...facts }) });
    };
  return {
    debug: (message, facts) => log.debug(message, facts),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (facts) => tee(log.child(facts), listener, { ...known, ...facts }),
  };
}

function textOf(facts: Facts): string {
  if (Object.keys(facts).length === 0) return "";
  return JSON.stringify(plain(facts), (key, value: unknown) => {
    if (SECRETS.includes(key)) return CENSORED;
    return typeof value === "bigint" ? value.toString() : value;
  });
}

// pino serialises an Error only under `err`, and only when it is one; libraries also throw plain objects.
function plain(facts: Facts): Facts {
  const { error, ...rest } = facts;
  if (error === undefined) return facts;
  return { ...rest, error: error instanceof Error ? describe(error) : String(error) };
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? ` ← ${describe(error.cause)}` : "";
  return `${error.message}${cause}`;
}

export const silentLog: Log = createLog("silent", () => undefined);
