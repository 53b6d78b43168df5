import { sleep, systemClock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { StatusDocument } from "../local/document.js";
import { sentenceOf } from "../lwm2m/why.js";
import type { Command, Io } from "./command.js";
import { askGateway, LOCAL_OPTIONS } from "./local-gateway.js";
import { fetchStatus, followEvents, type StatusEvent } from "./status-client.js";
import { pointsText, statusText } from "./status-text.js";

export const status: Command = {
  name: "status",
  synopsis: "[--points] [--watch]",
  summary: "Shows the running gateway: servers, buses, devices, outbox. Needs 'local' in its configuration.",
  options: {
    ...LOCAL_OPTIONS,
    watch: {
      type: "boolean",
      summary: "goes on: redraws on a terminal, otherwise a line for each decision and its reason",
    },
    points: { type: "boolean", summary: "each point of each device: value, unit, quality with the reason, age" },
    json: { type: "boolean", summary: "prints JSON; with --watch an object per decision" },
  },
  positionals: "none",
  async run(args, io) {
    return await askGateway(args, io, async (url) => {
      const json = args.values["json"] === true;
      const textOf = args.values["points"] === true ? pointsText : statusText;
      if (args.values["watch"] !== true) await print(url, json ? jsonText : textOf, io);
      else if (io.terminal === "pipe" || json) await printEvents(url, json, io);
      else await redraw(url, textOf, io);
    });
  },
};

type TextOf = (document: StatusDocument) => readonly string[];

const jsonText: TextOf = (document) => [JSON.stringify(document)];

async function print(url: string, textOf: TextOf, io: Io): Promise<void> {
  for (const line of textOf(await fetchStatus(url, io.signal))) io.out(line);
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
async function redraw(url: string, textOf: TextOf, io: Io): Promise<void> {
  let lines = textOf(await fetchStatus(url, io.signal));
  for (;;) {
    io.out(CLEAR + lines.join("\n"));
    await sleep(systemClock, REDRAW_MS, io.signal).catch(() => undefined);
    if (io.signal.aborted) return;
    lines = await fetchStatus(url, io.signal).then(textOf, (error: unknown) => [String(error)]);
  }
}
