import { systemClock } from "../base/clock.js";
import { createLog, type Log } from "../base/log.js";
import { Scope } from "../base/scope.js";
import { formatProblem } from "../base/source.js";
import { TrafficCounter } from "../coap/traffic.js";
import type { GatewayConfig } from "../config/config.js";
import { readConfig } from "../config/read.js";
import { type GatewayContext, openGateway } from "../gateway.js";
import { hostNetwork } from "../host-network.js";
import type { ServerAccount } from "../lwm2m/client.js";
import { sentenceOf, Why } from "../lwm2m/why.js";
import { feedWatchdog, notifyService } from "../service.js";
import { initialCoapSettings, peerOpener } from "../uplink.js";
import { readGoodConfig } from "./check.js";
import { type Command, EXIT, type Io } from "./command.js";

export const run: Command = {
  name: "run",
  synopsis: "-c FILE",
  summary: "Runs the gateway until SIGTERM or SIGINT: then de-registers and writes everything out. SIGHUP reloads.",
  options: { config: { type: "string", short: "c", value: "FILE", summary: "the gateway's configuration" } },
  positionals: "none",
  async run(args, io) {
    const events = new Events(io);
    let config = await readGoodConfig(args, io);
    if (config === undefined) return EXIT.badConfiguration;
    while (config !== undefined) config = await runOnce(config, events, io);
    return EXIT.good;
  },
};

type Event = "stop" | "restart" | "reload";

/** What happened, in order: nothing is missed while the gateway starts or stops. */
class Events {
  readonly #waiting: Event[] = [];
  #wake: () => void = () => undefined;

  constructor(io: Io) {
    if (io.signal.aborted) this.push("stop");
    io.signal.addEventListener("abort", () => this.push("stop"), { once: true });
    io.onReload(() => this.push("reload"));
  }

  push(event: Event): void {
    this.#waiting.push(event);
    this.#wake();
  }

  async next(): Promise<Event> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Runs one configuration to its end; gives the one to go on with, or undefined to stop. */
async function runOnce(config: GatewayConfig, events: Events, io: Io): Promise<GatewayConfig | undefined> {
  const { environment } = io;
  const format = environment["JOURNAL_STREAM"] === undefined ? "plain" : "journald";
  const log = createLog(config.logLevel, (line) => io.out(line.trimEnd()), format);
  await using scope = new Scope((error) => log.error("a part of the gateway failed", { error }));
  const context = { clock: systemClock, log, random: Math.random };
  const traffic = new TrafficCounter();
  const coap = initialCoapSettings();
  const openPeer = peerOpener({ ...context, traffic, coap });
  const host = { network: hostNetwork(), traffic };
  const restart = (): void => events.push("restart");
  const why = new Why();
  // Only what is at debug level in the end is worth making.
  if (config.logLevel === "debug") why.listen((explanation) => log.debug(sentenceOf(explanation), { ...explanation }));
  const end: { registrations: Ending } = { registrations: () => "deregister" };
  const ending: Ending = (endpoint, account) => end.registrations(endpoint, account);
  const gateway = await openGateway(config, { ...context, openPeer, restart, host, coap, why, ending }, scope);
  if (config.local !== undefined) {
    const { openLocal } = await import("../local/server.js");
    openLocal({ ...context, listen: config.local, why, status: gateway.status }, scope);
  }
  log.info("gateway started", { endpoint: config.endpoint, devices: config.devices.length });
  await notifyService("READY=1", environment, log);
  const watchdog = { environment, clock: systemClock, log, buses: () => gateway.field.status().buses };
  scope.spawn((signal) => feedWatchdog(watchdog, signal));
  const { next, registrations } = await awaitEnd(config, events, log);
  end.registrations = registrations;
  log.info("gateway stops", { next: next === undefined ? "exit" : "start again" });
  await notifyService(next === undefined ? "STOPPING=1" : "RELOADING=1", environment, log);
  return next;
}

type Ending = NonNullable<GatewayContext["ending"]>;

interface End {
  /** What to go on with; undefined to exit. */
  readonly next: GatewayConfig | undefined;
  readonly registrations: Ending;
}

/** A reload goes on with all registrations but those of servers, and of endpoints, that the file no longer has. */
function endingOf(before: GatewayConfig, next: GatewayConfig): Ending {
  const endpointsOf = ({ endpoint, devices }: GatewayConfig) =>
    new Set([
      endpoint,
      ...devices.filter(({ exposure }) => exposure.mode === "endpoints").map(({ exposure }) => exposure.id),
    ]);
  const endpoints = endpointsOf(next);
  const has = ({ servers }: GatewayConfig, { shortServerId, uri }: ServerAccount) =>
    servers.some(({ account }) => account.shortServerId === shortServerId && account.uri === uri);
  return (endpoint, account) => {
    // Those of a bootstrap are in neither file.
    const isGone = has(before, account) && !has(next, account);
    return isGone || !endpoints.has(endpoint) ? "deregister" : "suspend";
  };
}

async function awaitEnd(config: GatewayConfig, events: Events, log: Log): Promise<End> {
  for (;;) {
    const event = await events.next();
    if (event === "stop") {
      return { next: undefined, registrations: () => (config.onStop === "keep" ? "suspend" : "deregister") };
    }
    // A server that restarts the gateway expects it to register (OMA ETS 241).
    if (event === "restart") return { next: config, registrations: () => "deregister" };
    const { config: fresh, problems } = await readConfig(config.file).catch((error: unknown) => {
      log.error("the configuration cannot be read; the old one stays", { error });
      return { config: undefined, problems: [] };
    });
    if (fresh !== undefined) return { next: fresh, registrations: endingOf(config, fresh) };
    log.error("the configuration has mistakes; the old one stays", { problems: problems.map(formatProblem) });
  }
}
