import type { Clock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import type { Scope } from "../base/scope.js";
import { resolveSecret } from "../base/secrets.js";
import type { AnyAdapter, DeviceTraits, LinkContext, Point, Station } from "./adapter.js";
import { Bus, type BusStatus, type LinkState } from "./bus.js";
import { busLoad, OVERCOMMITTED } from "./bus-load.js";
import { Device } from "./device.js";
import { type DeviceOptions, type DeviceStatus, PLAIN_TERMS } from "./device-options.js";
import type { HealthState } from "./health.js";
import type { PollBounds, PollPeriods } from "./poll-period.js";
import { Poller } from "./poller.js";
import type { Reading, Scalar } from "./reading.js";
import { planHash, type Refusals } from "./refusals.js";

/** One entry of `links`; the options have been read by the adapter's schema. */
export interface LinkConfig {
  readonly name: string;
  readonly adapter: string;
  readonly options: unknown;
}

/** One entry of `devices` joined with its profile; the address has been read by the adapter's schema. */
export interface DeviceConfig {
  readonly name: string;
  readonly link: string;
  readonly address: unknown;
  readonly traits: DeviceTraits;
  readonly points: readonly Point<unknown>[];
  readonly poll: PollPeriods;
}

export interface FieldOptions {
  readonly links: readonly LinkConfig[];
  readonly devices: readonly DeviceConfig[];
  /** Rejects with ADAPTER_UNKNOWN. */
  readonly loadAdapter: (name: string) => Promise<AnyAdapter>;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of everything that was read, also of faults and of what a write read back; must not throw. */
  readonly onReadings: (device: string, readings: readonly Reading[]) => void;
  /** Hears when a device comes or goes; must not throw. */
  readonly onHealth?: (device: string, health: HealthState) => void;
  /** Hears when the link of a device goes, also when it cannot be opened at first, and when it comes; must not throw. */
  readonly onLink?: (device: string, state: LinkState) => void;
  /** What was learned of reads that devices refuse, over restarts; forgotten at the end unless given. */
  readonly refusals?: Refusals;
  /** Where secrets are looked for; that of the process unless given. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Spreads reconnects, 0 ≤ x < 1; Math.random unless given. */
  readonly random?: () => number;
}

export interface FieldStatus {
  readonly buses: readonly BusStatus[];
  readonly devices: readonly DeviceStatus[];
}

/** What is passed to a link waits so long for it. */
const PASS_TTL_MS = 10_000;

/** All buses and devices of a gateway, polled from `openField` until the scope closes. */
export interface Field {
  /**
   * Returns when the device has confirmed the value by reading it back. Rejects with FIELD_*, LINK_*, VALUE_INVALID,
   * FIELD_NOT_WRITABLE for a point that is not there, or the signal's reason. `origin` says in the log who wanted it.
   */
  write(device: string, point: string, value: Scalar, signal: AbortSignal, origin?: string): Promise<void>;
  /** Reads every readable point of a device once, now; readings are also given to `onReadings`. */
  read(device: string, signal: AbortSignal): Promise<readonly Reading[]>;
  /** By point, in the place of those before; points that are not named are polled at the period of their class. */
  setBounds(device: string, bounds: ReadonlyMap<string, PollBounds>): void;
  /** Points that a device does not have, in the place of those before: they are not polled. */
  setAbsent(device: string, points: ReadonlySet<string>): void;
  /**
   * A device that the configuration does not have, polled until its scope closes; `status` does not tell of it. Throws
   * CONFIG_INVALID for an unknown link.
   */
  open(device: DeviceConfig, onReadings: (readings: readonly Reading[]) => void, scope: Scope): OpenDevice;
  /**
   * A link that the configuration does not have, until its scope closes; on a bus of its own. What looks like a reference
   * to a secret in its options is taken as it is: who asks for the link must not learn the gateway's secrets.
   */
  openLink(link: LinkConfig, adapter: AnyAdapter, scope: Scope): void;
  /**
   * Gives a value to a link, past all devices: nothing is read back, the log tells nothing. Returns when it is acknowledged.
   * Rejects with CONFIG_INVALID for an unknown link, FIELD_*, LINK_* or the signal's reason.
   */
  pass(
    link: string,
    station: Station<unknown>,
    point: Point<unknown>,
    value: Scalar,
    signal: AbortSignal,
  ): Promise<void>;
  status(): FieldStatus;
}

/** As `Field.write` and `Field.read`, of one device. */
export type OpenDevice = Pick<Device, "write" | "read">;

/**
 * Builds one bus per medium and a device for each entry, and starts polling. Rejects with ADAPTER_UNKNOWN or
 * CONFIG_INVALID; a link that cannot be opened is retried and never fails the start.
 */
export async function openField(options: FieldOptions, scope: Scope): Promise<Field> {
  const adapters = await loadAdapters(options);
  const links = new Map(options.links.map((link) => [link.name, link]));
  const buses = openBuses(options, adapters, scope);
  const poller = new Poller(options.clock, scope);
  const devices = new Map<string, Device>();
  const open = (config: DeviceConfig, hear: DeviceListener, own: Scope): Device => {
    const link = links.get(config.link);
    const bus = buses.get(config.link);
    if (link === undefined || bus === undefined) {
      throw new CausewayError("CONFIG_INVALID", `device '${config.name}' names the unknown link '${config.link}'`);
    }
    return openDevice({ ...options, ...hear }, config, mustGet(adapters, link.adapter), link, bus, poller, own);
  };
  for (const config of options.devices) {
    const { name } = config;
    const hear: DeviceListener = {
      onReadings: (readings) => options.onReadings(name, readings),
      onHealth: (health) => options.onHealth?.(name, health),
    };
    devices.set(name, open(config, hear, scope));
    const listening = buses.get(config.link)?.onState((state) => options.onLink?.(name, state));
    scope.defer(() => listening?.[Symbol.dispose]());
  }
  warnOvercommitted(devices, buses, options);
  const find = (name: string): Device => {
    const device = devices.get(name);
    if (device === undefined) throw new CausewayError("INTERNAL", `there is no device '${name}'`);
    return device;
  };
  return {
    write: async (device, point, value, signal, origin) => await find(device).write(point, value, signal, origin),
    read: async (device, signal) => await find(device).read(signal),
    setBounds: (device, bounds) => find(device).setBounds(bounds),
    setAbsent: (device, points) => find(device).setAbsent(points),
    open: (device, onReadings, own) => open(device, { onReadings, onHealth: () => undefined }, own),
    openLink(link, adapter, own) {
      const medium = `${link.adapter} ${adapter.medium(link.options)}`;
      const bus = openBus(options, { medium, links: [link], adapter, secret: asItIs }, own);
      buses.set(link.name, bus);
      // The next one of this name may be there by then.
      own.defer(() => void (buses.get(link.name) === bus && buses.delete(link.name)));
    },
    async pass(link, station, point, value, signal) {
      const bus = buses.get(link);
      if (bus === undefined) throw new CausewayError("CONFIG_INVALID", `there is no link '${link}'`);
      await bus.write(station, point, value, PASS_TTL_MS, signal);
    },
    status: () => ({
      buses: [...new Set(buses.values())].map((bus) => bus.status()),
      devices: [...devices.values()].map((device) => device.status()),
    }),
  };
}

async function loadAdapters({ links, loadAdapter }: FieldOptions): Promise<ReadonlyMap<string, AnyAdapter>> {
  const names = [...new Set(links.map((link) => link.adapter))];
  return new Map(await Promise.all(names.map(async (name) => [name, await loadAdapter(name)] as const)));
}

/** The bus of each link, by the link's name; links on one medium have the same, opened with the first one's options. */
function openBuses(options: FieldOptions, adapters: ReadonlyMap<string, AnyAdapter>, scope: Scope): Map<string, Bus> {
  const shared = new Map<string, LinkConfig[]>();
  for (const link of options.links) {
    const medium = `${link.adapter} ${mustGet(adapters, link.adapter).medium(link.options)}`;
    const sharers = shared.get(medium);
    if (sharers === undefined) shared.set(medium, [link]);
    else sharers.push(link);
  }
  const buses = new Map<string, Bus>();
  for (const [medium, links] of shared) {
    const first = links[0];
    if (first === undefined) continue;
    const adapter = mustGet(adapters, first.adapter);
    const secret = (text: string) => resolveSecret(text, options.environment ?? process.env);
    const bus = openBus(options, { medium, links: [first, ...links.slice(1)], adapter, secret }, scope);
    for (const link of links) buses.set(link.name, bus);
  }
  return buses;
}

interface SharedMedium {
  readonly medium: string;
  /** The first one's options count. */
  readonly links: readonly [LinkConfig, ...LinkConfig[]];
  readonly adapter: AnyAdapter;
  readonly secret: LinkContext["secret"];
}

function openBus(
  { clock, log, random = Math.random }: FieldOptions,
  { medium, links, adapter, secret }: SharedMedium,
  scope: Scope,
): Bus {
  const [{ name, options }] = links;
  const context = { name, clock, log: log.child({ link: name }), secret };
  const open = async (signal: AbortSignal) => await adapter.open(options, context, signal);
  return new Bus({ medium, links: links.map((link) => link.name), open, clock, log, random }, scope);
}

async function asItIs(text: string): Promise<string> {
  return text;
}

/** Said once, at the start: what the configuration asks for does not fit on the line. */
function warnOvercommitted(
  devices: ReadonlyMap<string, Device>,
  buses: ReadonlyMap<string, Bus>,
  { devices: configs, log }: FieldOptions,
): void {
  for (const bus of new Set(buses.values())) {
    const own = configs.filter(({ link }) => buses.get(link) === bus);
    const load = busLoad(own.flatMap(({ name }) => devices.get(name)?.requests ?? []));
    if (load <= OVERCOMMITTED) continue;
    log.warn("field link overcommitted: polls take too much of its time", {
      medium: bus.medium,
      loadPercent: Math.round(100 * load),
    });
  }
}

type DeviceListener = Required<Pick<DeviceOptions, "onReadings" | "onHealth">>;

function openDevice(
  options: Pick<FieldOptions, "clock" | "log" | "refusals"> & DeviceListener,
  config: DeviceConfig,
  adapter: AnyAdapter,
  link: LinkConfig,
  bus: Bus,
  poller: Poller,
  scope: Scope,
): Device {
  const { name, address, traits, points, poll } = config;
  const station = { name, address, traits };
  const silenceMs = traits.silenceMs ?? adapter.silenceMs;
  return new Device(
    {
      name,
      link: link.name,
      station,
      points,
      poll,
      ...(silenceMs === undefined ? {} : { silenceMs }),
      plan: (some, line) => adapter.plan(link.options, station, some, line),
      terms: (point) => adapter.writeTerms?.(link.options, station, point) ?? PLAIN_TERMS,
      retries: adapter.retries?.(link.options) ?? 0,
      ...keptRefusals(options.refusals, name, planHash(adapter.plan(link.options, station, readable(points)))),
      fit: (point, value) => adapter.fit?.(point, value) ?? value,
      bus,
      poller,
      clock: options.clock,
      log: options.log,
      onReadings: options.onReadings,
      onHealth: options.onHealth,
    },
    scope,
  );
}

function readable(points: readonly Point<unknown>[]): readonly Point<unknown>[] {
  return points.filter(({ access }) => access !== "w");
}

function keptRefusals(
  refusals: Refusals | undefined,
  device: string,
  plan: string,
): Pick<DeviceOptions, "refused" | "onRefused"> {
  if (refusals === undefined) return {};
  const refused = refusals.load(device, plan);
  return {
    ...(refused === undefined ? {} : { refused }),
    onRefused: (learned) => refusals.save(device, plan, learned),
  };
}

function mustGet<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new CausewayError("INTERNAL", `nothing is known of '${key}'`);
  return value;
}
