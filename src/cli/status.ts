import { sleep, systemClock } from "../base/clock.js";
import { CausewayError, ERROR_TABLE } from "../base/errors.js";
import { formatHostPort } from "../base/host-port.js";
import { DEFAULT_LISTEN } from "../config/gateway-schema.js";
import { sentenceOf } from "../lwm2m/why.js";
import { readGoodConfig } from "./check.js";
import { type Arguments, type Command, EXIT, type Io, text } from "./command.js";
import { fetchStatus, followEvents, type StatusEvent } from "./status-client.js";
import { statusText } from "./status-text.js";

export const status: Command = {
  name: "status",
  synopsis: "[--watch]",
  summary: "Shows the running gateway: servers, buses, devices, outbox. Needs 'local' in its configuration.",
  options: {
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      summary: "the gateway's configuration, for its 'local.listen'",
    },
    url: {
      type: "string",
      value: "URL",
      summary: `the status API; http://${formatHostPort(DEFAULT_LISTEN)} unless given`,
    },
    watch: {
      type: "boolean",
      summary: "goes on: redraws on a terminal, otherwise a line for each decision and its reason",
    },
    json: { type: "boolean", summary: "prints JSON; with --watch an object per decision" },
  },
  positionals: "none",
  async run(args, io) {
    const url = await urlOf(args, io);
    if (url === undefined) return EXIT.badConfiguration;
    const json = args.values["json"] === true;
    try {
      if (args.values["watch"] !== true) await print(url, json, io);
      else if (io.terminal === "pipe" || json) await printEvents(url, json, io);
      else await redraw(url, io);
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code !== "LOCAL_UNREACHABLE") throw error;
      if (io.signal.aborted) return EXIT.good;
      io.err(`${error.code}: ${error.message}`);
      io.err(`  ${ERROR_TABLE[error.code].remedy}`);
      return EXIT.notRunning;
    }
    return EXIT.good;
  },
};

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

async function print(url: string, json: boolean, io: Io): Promise<void> {
  const document = await fetchStatus(url, io.signal);
  if (json) io.out(JSON.stringify(document));
  else for (const line of statusText(document)) io.out(line);
}

async function printEvents(url: string, json: boolean, io: Io): Promise<void> {
  for await (const event of followEvents(url, io.signal)) io.out(json ? JSON.stringify(event) : lineOf(event));
  if (!io.signal.aborted) throw new CausewayError("LOCAL_UNREACHABLE", `${url}: the gateway has ended`);
}

function lineOf(event: StatusEvent): string {
  const time = new Date(event.atMs).toISOString();
  if ("count" in event) return `${time} ${event.count} events were passed over: this reader is too slow`;
  return `${time} ${event.endpoint} server ${event.server}: ${sentenceOf(event)}`;
}

const REDRAW_MS = 1000;
const CLEAR = "\u001b[H\u001b[J";

/** Once it has been seen, a gateway that is away for a restart is waited for. */
async function redraw(url: string, io: Io): Promise<void> {
  let lines = statusText(await fetchStatus(url, io.signal));
  for (;;) {
    io.out(CLEAR + lines.join("\n"));
    await sleep(systemClock, REDRAW_MS, io.signal).catch(() => undefined);
    if (io.signal.aborted) return;
    lines = await fetchStatus(url, io.signal).then(statusText, (error: unknown) => [String(error)]);
  }
}
