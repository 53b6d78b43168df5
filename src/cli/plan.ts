import { CausewayError } from "../base/errors.js";
import type { ConfiguredDevice, GatewayConfig } from "../config/config.js";
import { busLoad, OVERCOMMITTED } from "../field/bus-load.js";
import { ExchangeList, type Pace } from "../field/exchanges.js";
import { NO_BOUNDS, paceOf } from "../field/poll-period.js";
import { columns } from "./columns.js";
import { type Command, EXIT, type Io } from "./command.js";
import { chosenDevices, FIELD_OPTIONS, readFieldConfig } from "./field-config.js";
import { duration } from "./status-text.js";

export const plan: Command = {
  name: "plan",
  synopsis: "-c FILE [DEVICE …] | -m MAPPING --link '{…}' --station '{…}'",
  summary: "Shows the requests that will be sent, what they cost and how much of each bus they take. Opens nothing.",
  options: {
    ...FIELD_OPTIONS,
    points: { type: "boolean", summary: "names the points of each request" },
    json: { type: "boolean", summary: "prints JSON" },
  },
  positionals: "some",
  async run(args, io) {
    const config = await readFieldConfig(args, io);
    if (config === undefined) return EXIT.badConfiguration;
    const buses = planBuses(config, args.positionals);
    if (args.values["json"] === true) io.out(JSON.stringify(buses));
    else io.out(buses.map((bus) => busText(bus, args.values["points"] === true).join("\n")).join("\n\n"));
    warn(buses, io);
    return EXIT.good;
  },
};

interface PlannedRequest {
  readonly device: string;
  /** Milliseconds, or once after each connect. */
  readonly every: Pace;
  readonly request: string;
  readonly points: readonly string[];
  readonly wireMs: number;
  /** Share of the bus's time, 0 to 1. */
  readonly load: number;
}

interface PlannedBus {
  readonly medium: string;
  readonly links: readonly string[];
  readonly load: number;
  readonly requests: readonly PlannedRequest[];
  /** Points that no request reads: their devices tell them on their own. */
  readonly heard: readonly string[];
}

/** Pure. */
function planBuses(config: GatewayConfig, names: readonly string[]): readonly PlannedBus[] {
  const media = new Map<string, { readonly links: Set<string>; readonly devices: ConfiguredDevice[] }>();
  for (const device of chosenDevices(config, names)) {
    const { adapter, link } = linkOf(device, config);
    const medium = `${adapter.name} ${adapter.medium(link.options)}`;
    const bus = media.get(medium) ?? { links: new Set(), devices: [] };
    media.set(medium, bus);
    bus.links.add(link.name);
    bus.devices.push(device);
  }
  return [...media].map(([medium, { links, devices }]) => {
    const requests = devices.flatMap((device) => requestsOf(device, config));
    const read = new Set(requests.flatMap(({ device, points }) => points.map((point) => `${device}.${point}`)));
    const readable = devices.flatMap(({ field }) =>
      field.points.filter(({ access }) => access !== "w").map(({ name }) => `${field.name}.${name}`),
    );
    const load = requests.reduce((sum, request) => sum + request.load, 0);
    return { medium, links: [...links], load, requests, heard: readable.filter((point) => !read.has(point)) };
  });
}

function linkOf({ field }: ConfiguredDevice, { links, adapters }: GatewayConfig) {
  const link = links.find(({ name }) => name === field.link);
  const adapter = link === undefined ? undefined : adapters.get(link.adapter);
  if (link === undefined || adapter === undefined) throw new CausewayError("INTERNAL", `no link '${field.link}'`);
  return { link, adapter };
}

function requestsOf(device: ConfiguredDevice, config: GatewayConfig): readonly PlannedRequest[] {
  const { adapter, link } = linkOf(device, config);
  const { name, address, traits, points, poll } = device.field;
  const station = { name, address, traits };
  const summaries = new Map<string, string>();
  const list = new ExchangeList(
    points,
    ({ pollClass }) => paceOf(pollClass, poll, NO_BOUNDS),
    (some) => {
      const exchanges = adapter.plan(link.options, station, some);
      for (const { points: own, summary } of exchanges) summaries.set(namesOf(own).join(), summary);
      return exchanges;
    },
  );
  return list.all.map(({ points: own, pace, wireMs }) => ({
    device: name,
    every: pace,
    request: summaries.get(namesOf(own).join()) ?? "",
    points: namesOf(own),
    wireMs,
    load: busLoad([{ wireMs, pace }]),
  }));
}

function namesOf(points: readonly { readonly name: string }[]): readonly string[] {
  return points.map(({ name }) => name);
}

function busText({ medium, links, load, requests, heard }: PlannedBus, withPoints: boolean): readonly string[] {
  const head = `${medium} (link ${links.join(", ")}): ${requests.length} requests, ${percent(load)} of the bus`;
  const rows = requests.map((request) => [
    request.device,
    request.every === "once" ? "once" : duration(request.every),
    request.request,
    String(request.points.length),
    request.wireMs.toFixed(1),
    percent(request.load),
    ...(withPoints ? [request.points.join(" ")] : []),
  ]);
  const header = ["DEVICE", "EVERY", "REQUEST", "VALUES", "MS", "LOAD", ...(withPoints ? ["POINTS"] : [])];
  const table = rows.length === 0 ? [] : columns([header, ...rows]);
  return [head, ...table, ...(heard.length === 0 ? [] : [`told by the devices themselves: ${heard.join(" ")}`])];
}

function warn(buses: readonly PlannedBus[], io: Io): void {
  for (const { medium, load } of buses) {
    if (load <= OVERCOMMITTED) continue;
    io.err(`${medium} is overcommitted: its requests take ${percent(load)} of the time; poll less or faster lines`);
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
