import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { type Clock, sleep } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import { type Log, tee } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import type { CoapSettings } from "./coap/settings.js";
import type { GatewayConfig } from "./config/config.js";
import { EndpointDrains, type EndpointDrainsContext } from "./drains.js";
import { type ExposedEndpoint, type Exposure, expose } from "./exposure.js";
import type { AnyAdapter } from "./field/adapter.js";
import { type Field, openField } from "./field/field.js";
import type { Reading } from "./field/reading.js";
import { type GatewayStatus, statusOf } from "./gateway-status.js";
import { type Historian, settledNow } from "./history.js";
import { KeptCounters } from "./kept-counters.js";
import { Lwm2mClient, type OpenPeer, type ServerAccount } from "./lwm2m/client.js";
import type { Entry, NamedPath } from "./lwm2m/codec/codec.js";
import { EventLog } from "./lwm2m/objects/event-log.js";
import type { ClientState } from "./lwm2m/state/client-state.js";
import type { Why } from "./lwm2m/why.js";
import type { BridgedSample } from "./mapping/bridge.js";
import type { CounterMemory } from "./mapping/counter.js";
import { InstanceTable } from "./mapping/instances.js";
import { Database, StateLock } from "./outbox/database.js";
import { Documents } from "./outbox/documents.js";
import { databaseInstanceStore } from "./outbox/instance-rows.js";
import { Outbox, type Queue } from "./outbox/outbox.js";
import type { SampleOrigin } from "./outbox/row.js";
import { type Host, isWanted } from "./own-objects.js";
import { type DemandedDevice, followDemand } from "./poll-demand.js";
import { keptRefusals } from "./refusals.js";
import { SCHEMES } from "./uplink.js";

export interface GatewayContext {
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly openPeer: OpenPeer;
  /** A server asked for a restart (/3/0/4); called after it got its answer. */
  readonly restart: () => void;
  /** Asked at the end: whether a registration ends with the gateway, or the next one goes on with it. */
  readonly ending?: (endpoint: string, account: ServerAccount) => "deregister" | "suspend";
  /** For objects 4 and 7; without it the gateway has neither. */
  readonly host?: Host;
  /** For object 500, if the configuration asks for it. */
  readonly coap?: CoapSettings;
  /** Hears why something was sent to a server, or not. */
  readonly why?: Why;
}

export interface GatewayListener {
  onReadings?(device: string, readings: readonly Reading[]): void;
  onSample?(sample: BridgedSample): void;
}

export interface GatewayEndpoint extends ExposedEndpoint {
  readonly client: Lwm2mClient;
}

export interface Gateway {
  /** The gateway's own one is the first. */
  readonly endpoints: readonly [GatewayEndpoint, ...GatewayEndpoint[]];
  readonly field: Field;
  status(): Promise<GatewayStatus>;
}

/** The state of a gateway in one file, below the configured folder. */
export function stateFile(config: GatewayConfig): string {
  return join(config.stateFolder, "causeway.db");
}

function adapterOf({ adapters }: GatewayConfig, name: string): AnyAdapter {
  const adapter = adapters.get(name);
  if (adapter === undefined) throw new CausewayError("ADAPTER_UNKNOWN", `no adapter '${name}' was loaded`);
  return adapter;
}

/** What was measured since the last proof that a server lives stays in the outbox: a short time keeps it small. */
const CONFIRM_EVERY_MS = 10_000;
/** All samples come from devices, so the places of devices are all there is. */
function isExposed({ places }: Exposure, { endpoint, prefix, path }: SampleOrigin): boolean {
  const [objectId = -1, instanceId = -1] = path;
  return [...places.values()].some(
    (place) =>
      place.endpoint === endpoint && place.prefix === prefix && place.tree.instance(objectId, instanceId) !== undefined,
  );
}

const FIRST_LOOK_MS = 3000;

/**
 * Reads every device once before the first registration, so that a server that observes at once finds values. Devices
 * that do not answer in time hold nothing up.
 */
async function firstLook(config: GatewayConfig, field: Field, clock: Clock, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const timer = clock.schedule(FIRST_LOOK_MS, () => enough.abort(new Error("the first look takes too long")));
  const until = AbortSignal.any([signal, enough.signal]);
  setMaxListeners(0, until);
  // What went wrong with a device is told by its readings and its health.
  await Promise.allSettled(config.devices.map((device) => field.read(device.field.name, until)));
  timer.cancel();
  signal.throwIfAborted();
}

const REFRESH_HOST_MS = 30_000;

async function keepHostFresh(exposure: Exposure, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(clock, REFRESH_HOST_MS, signal);
    exposure.refreshHost();
  }
}

async function sendPaths(
  client: Lwm2mClient | undefined,
  paths: readonly NamedPath[],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client?.sendPaths(paths, signal);
  } catch (error) {
    if (!signal.aborted) log.warn("what was to be sent was not taken", { error });
  }
}

/** So far apart the endpoints begin to register: hundreds of them at once would be a storm. */
const STAGGER_MS = 50;

/** What the parts of a gateway reach each other by, once they are there. */
interface Links {
  field?: Field;
  outbox?: Outbox;
  /** The gateway's own one. */
  client?: Lwm2mClient;
  reset?: "asked";
}

/**
 * The composition root: configuration → state → trees → clients → outbox → field. Everything belongs to the scope; closing
 * it de-registers, commits the outbox and closes the links. Rejects with OUTBOX_UNAVAILABLE, STATE_IN_USE,
 * STATE_NEWER or LWM2M_MODEL; absent devices and servers never fail the start.
 */
export async function openGateway(
  config: GatewayConfig,
  context: GatewayContext,
  scope: Scope,
  listener: GatewayListener = {},
): Promise<Gateway> {
  const { clock, random, host } = context;
  const links: Links = {};
  const sendEvents = async (entries: readonly Entry[]): Promise<void> => links.client?.send(entries, scope.signal);
  const events = isWanted(config, "event-log") ? new EventLog(clock, sendEvents) : undefined;
  const log = events === undefined ? context.log : tee(context.log, (event) => events.append(event));
  const { database, documents } = await openState(config, { ...context, log }, links, scope);
  const instances = await InstanceTable.open(databaseInstanceStore(database));
  const kept = documents.of(config.endpoint);
  const counters = new KeptCounters(kept, clock);
  scope.defer(() => counters[Symbol.dispose]());
  const exposure = exposeAll(config, { ...context, log }, { instances, events, counters }, links, scope, listener);
  await instances.save();

  documents.keepEndpoints(new Set(exposure.endpoints.map(({ endpoint }) => endpoint)));
  const [own, ...further] = exposure.endpoints;
  const open = (exposed: ExposedEndpoint) => openEndpoint(exposed, config, { ...context, log }, documents);
  const endpoints: Gateway["endpoints"] = [open(own), ...further.map(open)];
  links.client = endpoints[0].client;
  const { outbox, queues } = await openOutbox(database, endpoints, exposure, config, { clock, log }, scope);
  if (keepsHistory(config)) links.outbox = outbox;

  const field = await openField(
    {
      links: config.links,
      devices: config.devices.map((device) => device.field),
      loadAdapter: async (name) => adapterOf(config, name),
      clock,
      log,
      random,
      onReadings(device, readings) {
        exposure.bridge.accept(device, readings);
        listener.onReadings?.(device, readings);
      },
      onHealth: exposure.onHealth,
      onLink: exposure.onLink,
      refusals: keptRefusals(kept),
    },
    scope,
  );
  links.field = field;
  exposure.attach(field, scope, log);
  for (const { endpoint, client } of endpoints) {
    followDemand(client, devicesAt(endpoint, exposure), field, clock, scope);
    serveHistory({ outbox, endpoint, client, clock, log, random }, config, queues, scope);
  }
  if (host !== undefined) scope.spawn((signal) => keepHostFresh(exposure, clock, signal));
  scope.spawn(async (signal) => {
    await firstLook(config, field, clock, signal);
    await startClients(endpoints, kept, clock, scope, signal);
  });
  return { endpoints, field, status: () => statusOf(endpoints, field, exposure, outbox) };
}

async function openState(
  config: GatewayConfig,
  { clock, log }: GatewayContext,
  links: Links,
  scope: Scope,
): Promise<{ readonly database: Database; readonly documents: Documents }> {
  scope.use(await StateLock.take(join(config.stateFolder, "causeway.lock")));
  const database = scope.use(await Database.open(stateFile(config), log, clock.nowMs()));
  const documents = scope.use(await Documents.open(database, clock, log));
  scope.defer(() => {
    if (links.reset === "asked") documents.forgetAll();
  });
  return { database, documents };
}

interface ExposedState {
  readonly instances: InstanceTable;
  readonly events: EventLog | undefined;
  readonly counters: CounterMemory;
}

/** The trees, with what their handlers set off. */
function exposeAll(
  config: GatewayConfig,
  { clock, random, restart, host, coap, log }: GatewayContext,
  { instances, events, counters }: ExposedState,
  links: Links,
  scope: Scope,
  listener: GatewayListener,
): Exposure {
  const exposure = expose(config, {
    clock,
    random,
    instances,
    counters,
    reboot: restart,
    factoryReset() {
      links.reset = "asked";
      restart();
    },
    ...(host === undefined ? {} : { host }),
    ...(events === undefined ? {} : { events }),
    ...(coap === undefined ? {} : { coap }),
    log,
    onAbsent: (device, points) => links.field?.setAbsent(device, points),
    sendPaths: (paths) => scope.spawn((signal) => sendPaths(links.client, paths, log, signal)),
    async writePoint(device, point, value, signal, by) {
      if (links.field === undefined) throw new CausewayError("LINK_CLOSED", "the field is not open yet");
      await links.field.write(device, point, value, signal, by);
    },
    onSample(bridged) {
      const { device, path, type, sample } = bridged;
      const { endpoint = config.endpoint, prefix } = exposure.places.get(device) ?? {};
      links.outbox?.append({ endpoint, path, type, ...sample, ...(prefix === undefined ? {} : { prefix }) });
      listener.onSample?.(bridged);
    },
  });
  scope.defer(() => exposure[Symbol.dispose]());
  return exposure;
}

async function openOutbox(
  database: Database,
  endpoints: Gateway["endpoints"],
  exposure: Exposure,
  config: GatewayConfig,
  { clock, log }: Pick<GatewayContext, "clock" | "log">,
  scope: Scope,
): Promise<{ readonly outbox: Outbox; readonly queues: () => readonly Queue[] }> {
  const historians = (client: Lwm2mClient) => historiansOf(client, config);
  const queues = (): readonly Queue[] =>
    endpoints.flatMap(({ endpoint, client }) =>
      historians(client).map(({ shortServerId }) => ({ endpoint, shortServerId })),
    );
  const outbox = scope.use(await Outbox.open(database, queues(), config.outbox, clock, log));
  await outbox.keepExposed((origin) => isExposed(exposure, origin));
  const clients = new Map(endpoints.map(({ endpoint, client }) => [endpoint, client]));
  outbox.settleBy(() => settledNow(clients, historians, clock.nowMs()));
  return { outbox, queues };
}

/** Delivers what the servers of a client missed, whichever servers a bootstrap gives it. */
function serveHistory(
  context: EndpointDrainsContext,
  config: GatewayConfig,
  queues: () => readonly Queue[],
  scope: Scope,
): void {
  const { client, outbox } = context;
  const drains = new EndpointDrains(context, scope);
  drains.serve(historiansOf(client, config));
  const onAccounts = client.onAccounts(() => {
    // The outbox carries out one after the other, so the drain finds its queue.
    scope.spawn(async () => await outbox.serve(queues()));
    drains.serve(historiansOf(client, config));
  });
  scope.defer(() => onAccounts[Symbol.dispose]());
}

async function startClients(
  endpoints: Gateway["endpoints"],
  state: ClientState,
  clock: Clock,
  scope: Scope,
  signal: AbortSignal,
): Promise<void> {
  // What must not come twice is on disk before the first message; that it cannot be written has been logged.
  await state.commit().catch(() => undefined);
  try {
    for (const { client } of endpoints) {
      client.start(scope);
      if (endpoints.length > 1) await sleep(clock, STAGGER_MS, signal);
    }
  } finally {
    // All at once: a server that does not answer must not be waited for once per endpoint.
    scope.defer(async () => void (await Promise.all(endpoints.map(({ client }) => client.close()))));
  }
}

/** The servers of a client that want what they missed. */
function historiansOf({ accounts }: Lwm2mClient, { servers, bootstrap }: GatewayConfig): readonly Historian[] {
  return accounts.flatMap(({ shortServerId }) => {
    const configured = servers.find(({ account }) => account.shortServerId === shortServerId) ?? bootstrap;
    const history = configured?.history ?? "send";
    return history === "none" ? [] : [{ shortServerId, history }];
  });
}

function devicesAt(endpoint: string, { places, bridge }: Exposure): readonly DemandedDevice[] {
  return [...places]
    .filter(([, place]) => place.endpoint === endpoint)
    .map(([name, { prefix }]) => ({ name, points: bridge.pathsOf(name), ...(prefix === undefined ? {} : { prefix }) }));
}

function keepsHistory({ servers, bootstrap }: GatewayConfig): boolean {
  const all = [...servers, ...(bootstrap === undefined ? [] : [bootstrap])];
  return all.some(({ history }) => history !== "none");
}

function openEndpoint(
  exposed: ExposedEndpoint,
  config: GatewayConfig,
  context: GatewayContext,
  documents: Documents,
): GatewayEndpoint {
  const { clock, log, random, openPeer, why, ending } = context;
  const { endpoint, tree, gateway, access } = exposed;
  const { bootstrap, alternatePath } = config;
  const client = new Lwm2mClient({
    endpoint,
    tree,
    alternatePath,
    ...(gateway === undefined ? {} : { gateway }),
    ...(access === undefined ? {} : { access }),
    models: config.models,
    servers: config.servers.map(({ account }) => account),
    ...(bootstrap === undefined ? {} : { bootstrap: { ...bootstrap.account, pack: bootstrap.pack } }),
    openPeer,
    schemes: SCHEMES,
    clock,
    log,
    random,
    confirmEveryMs: CONFIRM_EVERY_MS,
    state: documents.of(endpoint),
    ...(ending === undefined ? {} : { ending: (account) => ending(endpoint, account) }),
    ...(why === undefined ? {} : { why }),
  });
  return { ...exposed, client };
}
