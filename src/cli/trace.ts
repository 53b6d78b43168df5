import { sleep, systemClock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { TracedFrame } from "../field/adapter.js";
import type { TraceDocument } from "../local/document.js";
import type { Command, Io } from "./command.js";
import { frameText } from "./frame-text.js";
import { askGateway, LOCAL_OPTIONS } from "./local-gateway.js";
import { fetchTrace } from "./status-client.js";

export const trace: Command = {
  name: "trace",
  synopsis: "[BUS]",
  summary:
    "Shows the last frames of a bus of the running gateway, named by link or medium. Needs 'local' as status does.",
  options: {
    ...LOCAL_OPTIONS,
    follow: { type: "boolean", short: "f", summary: "goes on with each new frame" },
    json: { type: "boolean", summary: "prints an object per frame" },
  },
  positionals: "one",
  async run(args, io) {
    return await askGateway(args, io, async (url) => {
      const seen = new Seen();
      for (;;) {
        const { buses } = await fetchTrace(url, io.signal);
        for (const bus of chosen(buses, args.positionals[0])) {
          for (const frame of seen.fresh(bus)) print(bus, frame, args.values["json"] === true, io);
        }
        if (args.values["follow"] !== true) return;
        await sleep(systemClock, LOOK_AGAIN_MS, io.signal).catch(() => undefined);
        if (io.signal.aborted) return;
      }
    });
  },
};

/** The ring of a bus must not turn round in the meantime. */
const LOOK_AGAIN_MS = 200;

type TracedBus = TraceDocument["buses"][number];

function chosen(buses: readonly TracedBus[], name: string | undefined): readonly TracedBus[] {
  if (name === undefined) return buses;
  const found = buses.filter(({ medium, links }) => links.includes(name) || medium.endsWith(name));
  if (found.length > 0) return found;
  const known = buses.flatMap(({ links }) => links).join(", ");
  throw new CausewayError("USAGE", `no bus '${name}' (links: ${known})`);
}

/** Which frames were shown; a link that was opened anew counts from 1 again. */
class Seen {
  readonly #last = new Map<string, { readonly opened: number; readonly number: number }>();

  fresh({ medium, opened, frames }: TracedBus): readonly TracedFrame[] {
    const last = this.#last.get(medium);
    const fresh = last?.opened === opened ? frames.filter(({ number }) => number > last.number) : frames;
    const number = frames.at(-1)?.number ?? 0;
    this.#last.set(medium, { opened, number });
    return fresh;
  }
}

function print({ links }: TracedBus, frame: TracedFrame, json: boolean, io: Io): void {
  io.out(json ? JSON.stringify({ links, ...frame }) : frameText(frame, links.join(" ")));
}
