import { sleep, systemClock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import { sentenceOf } from "../lwm2m/why.js";
import type { Command, Io } from "./command.js";
import { askGateway, LOCAL_OPTIONS } from "./local-gateway.js";
import { fetchStatus, followEvents, type StatusEvent } from "./status-client.js";
import { statusText } from "./status-text.js";

export const status: Command = {
  name: "status",
  synopsis: "[--watch]",
  summary: "Shows the running gateway: servers, buses, devices, outbox. Needs 'local' in its configuration.",
  options: {
    ...LOCAL_OPTIONS,
    watch: {
      type: "boolean",
      summary: "goes on: redraws on a terminal, otherwise a line for each decision and its reason",
    },
    json: { type: "boolean", summary: "prints JSON; with --watch an object per decision" },
  },
  positionals: "none",
  async run(args, io) {
    return await askGateway(args, io, async (url) => {
      const json = args.values["json"] === true;
      if (args.values["watch"] !== true) await print(url, json, io);
      else if (io.terminal === "pipe" || json) await printEvents(url, json, io);
      else await redraw(url, io);
    });
  },
};

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
