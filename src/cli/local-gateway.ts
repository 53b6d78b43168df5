import { CausewayError, ERROR_TABLE } from "../base/errors.js";
import { formatHostPort } from "../base/host-port.js";
import { DEFAULT_LISTEN } from "../config/gateway-schema.js";
import { readGoodConfig } from "./check.js";
import { type Arguments, EXIT, type Io, type OptionSpec, text } from "./command.js";

/** Options of the commands that ask the running gateway. */
export const LOCAL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  config: { type: "string", short: "c", value: "FILE", summary: "the gateway's configuration, for its 'local.listen'" },
  url: {
    type: "string",
    value: "URL",
    summary: `the status API; http://${formatHostPort(DEFAULT_LISTEN)} unless given`,
  },
};

/** Calls `ask` with the URL of the status API and gives the exit code; a gateway that does not run is no fault of ours. */
export async function askGateway(args: Arguments, io: Io, ask: (url: string) => Promise<void>): Promise<number> {
  const url = await urlOf(args, io);
  if (url === undefined) return EXIT.badConfiguration;
  try {
    await ask(url);
  } catch (error) {
    if (!(error instanceof CausewayError) || error.code !== "LOCAL_UNREACHABLE") throw error;
    if (io.signal.aborted) return EXIT.good;
    io.err(`${error.code}: ${error.message}`);
    io.err(`  ${ERROR_TABLE[error.code].remedy}`);
    return EXIT.notRunning;
  }
  return EXIT.good;
}

async function urlOf(args: Arguments, io: Io): Promise<string | undefined> {
  const url = text(args, "url");
  if (url !== undefined) {
    if (/^https?:/.test(url) && URL.canParse(url)) return url;
    throw new CausewayError("USAGE", `'${url}' is no URL such as http://127.0.0.1:8474`);
  }
  if (text(args, "config") === undefined) return `http://${formatHostPort(DEFAULT_LISTEN)}`;
  const config = await readGoodConfig(args, io);
  if (config === undefined) return undefined;
  if (config.local === undefined) {
    throw new CausewayError(
      "CONFIG_INVALID",
      `${config.file} has no 'local' section, so its gateway has no status API`,
    );
  }
  const { host, port } = config.local;
  const isAny = host === "0.0.0.0" || host === "::";
  return `http://${formatHostPort({ host: isAny ? DEFAULT_LISTEN.host : host, port })}`;
}
