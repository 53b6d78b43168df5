import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { Clock } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import type { GatewayConfig } from "./config/config.js";
import { expose } from "./exposure.js";
import type { AnyAdapter } from "./field/adapter.js";
import { type Field, type FieldStatus, openField } from "./field/field.js";
import type { Reading } from "./field/reading.js";
import { Lwm2mClient, type OpenPeer, type RegistrationStatus } from "./lwm2m/client.js";
import type { ObjectTree } from "./lwm2m/tree.js";
import type { BridgedSample } from "./mapping/bridge.js";
import { InstanceTable } from "./mapping/instances.js";
import { Database } from "./outbox/database.js";
import { databaseInstanceStore } from "./outbox/instance-rows.js";
import { Outbox, type OutboxCounters } from "./outbox/outbox.js";
import { startDrains } from "./uplink.js";

export interface GatewayContext {
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly openPeer: OpenPeer;
  /** A server asked for a restart (/3/0/4); called after it got its answer. */
  readonly restart: () => void;
}

export interface GatewayStatus {
  readonly endpoint: string;
  readonly servers: readonly RegistrationStatus[];
  readonly field: FieldStatus;
  readonly outbox: OutboxCounters;
}

export interface GatewayListener {
  onReadings?(device: string, readings: readonly Reading[]): void;
  onSample?(sample: BridgedSample): void;
}

export interface Gateway {
  readonly tree: ObjectTree;
  readonly client: Lwm2mClient;
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

/**
 * The composition root: configuration → outbox → tree → field → client. Everything belongs to the scope; closing it
 * de-registers, commits the outbox and closes the links. Rejects with OUTBOX_UNAVAILABLE or LWM2M_MODEL; absent
 * devices and servers never fail the start.
 */
export async function openGateway(
  config: GatewayConfig,
  context: GatewayContext,
  scope: Scope,
  listener: GatewayListener = {},
): Promise<Gateway> {
  const { clock, log, random, openPeer, restart } = context;
  const { endpoint } = config;
  const database = scope.use(await Database.open(stateFile(config), log, clock.nowMs()));
  const queues = config.servers
    .filter(({ history }) => history === "send")
    .map(({ account }) => ({ endpoint, shortServerId: account.shortServerId }));
  const outbox = scope.use(await Outbox.open(database, queues, config.outbox, clock, log));
  const instances = await InstanceTable.open(databaseInstanceStore(database));

  const links: { field?: Field } = {};
  const exposure = expose(config, {
    clock,
    instances,
    reboot: restart,
    async writePoint(device, point, value, signal) {
      if (links.field === undefined) throw new CausewayError("LINK_CLOSED", "the field is not open yet");
      await links.field.write(device, point, value, signal);
    },
    onSample(bridged) {
      const { path, type, sample } = bridged;
      if (queues.length > 0) outbox.append({ endpoint, path, type, ...sample });
      listener.onSample?.(bridged);
    },
  });
  await instances.save();

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
    },
    scope,
  );
  links.field = field;

  const client = new Lwm2mClient({
    endpoint,
    tree: exposure.tree,
    models: config.models,
    servers: config.servers.map(({ account }) => account),
    openPeer,
    clock,
    log,
    random,
    confirmEveryMs: CONFIRM_EVERY_MS,
  });
  scope.spawn(async (signal) => {
    await firstLook(config, field, clock, signal);
    client.start(scope);
  });
  startDrains({ outbox, client, queues, clock, log, random }, scope);
  return {
    tree: exposure.tree,
    client,
    field,
    status: async () => ({
      endpoint,
      servers: client.registrations,
      field: field.status(),
      outbox: await outbox.counters(),
    }),
  };
}
