import type { Clock } from "./base/clock.js";
import { CausewayError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import type { AnyAdapter } from "./field/adapter.js";
import type { Field, OpenDevice } from "./field/field.js";
import type { Reading } from "./field/reading.js";
import type { ObjectModel } from "./lwm2m/model/model.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "./lwm2m/tree.js";
import { MODBUS_CONNECTION } from "./modbus-connections.js";
import {
  ClusterId,
  type ClusterSettings,
  clusterDevice,
  isBits,
  isWritable,
  pointOf,
  REGISTER_CLUSTER,
  registerOf,
  settingsOf,
} from "./register-cluster.js";
import { bad, checkedSetting, followInstances, objectLinkProblem } from "./server-instances.js";

const MAX_CLUSTERS = 32;
/** What a server says; the values are the field's. */
const SETTINGS: ReadonlySet<number> = new Set([0, 1, 2, 3, 4]);

export interface RegisterClusterOptions {
  readonly tree: ObjectTree;
  readonly model: ObjectModel;
  readonly adapter: AnyAdapter;
  readonly clock: Clock;
  /** The configured link of an instance of object 10374. */
  linkOf(connectionId: number): string | undefined;
}

interface OpenCluster {
  readonly settings: ClusterSettings;
  readonly device: OpenDevice;
}

/**
 * Object 10375: servers create clusters of registers on the configured links, which are read every 10 s, and written as a
 * server writes their values. A write is answered when the station has confirmed it by reading it back.
 */
export class RegisterClusters {
  readonly #options: RegisterClusterOptions;
  readonly #open = new Map<number, OpenCluster>();

  constructor(options: RegisterClusterOptions) {
    this.#options = options;
    const { tree, model } = options;
    tree.addObject(withoutMandatoryValues(model), {
      by: "servers",
      create: (instanceId) => this.#handlers(instanceId),
      removed: () => undefined,
      keeps: SETTINGS,
    });
  }

  /** Begins to read, until the scope closes. */
  attach(field: Field, scope: Scope, log: Log): void {
    const { tree, clock } = this.#options;
    const what = "a register cluster";
    const begin = (instanceId: number, own: Scope): void => this.#begin(instanceId, field, own);
    followInstances({ tree, objectId: REGISTER_CLUSTER, clock, settings: SETTINGS, what, begin }, scope, log);
  }

  #handlers(instanceId: number): ReadonlyMap<number, ResourceHandler> {
    const { tree, clock, linkOf } = this.#options;
    if ((tree.objects.get(REGISTER_CLUSTER)?.instances.size ?? 0) >= MAX_CLUSTERS) {
      throw bad(`there are ${MAX_CLUSTERS} register clusters already`);
    }
    return new Map<number, ResourceHandler>([
      [
        ClusterId.connection,
        checkedSetting(tree, [REGISTER_CLUSTER, instanceId, ClusterId.connection], clock, (value) =>
          objectLinkProblem(value, MODBUS_CONNECTION, (id) => linkOf(id) !== undefined),
        ),
      ],
      [ClusterId.values, { write: (...args) => this.#write(instanceId, ...args) }],
      [ClusterId.reset, { execute: async () => this.#resetExtremes(instanceId) }],
    ]);
  }

  #begin(instanceId: number, field: Field, scope: Scope): void {
    const { tree, adapter, linkOf } = this.#options;
    this.#clear(instanceId, [ClusterId.values, ClusterId.minima, ClusterId.maxima]);
    const settings = settingsOf(tree, instanceId);
    if (settings === undefined) return;
    if (typeof settings === "string") throw bad(settings);
    const link = linkOf(settings.connectionId);
    if (link === undefined) throw bad("its link is not there any more");
    const device = field.open(
      clusterDevice(settings, instanceId, link, adapter),
      (readings) => this.#accept(instanceId, settings, readings),
      scope,
    );
    const open = { settings, device };
    this.#open.set(instanceId, open);
    scope.signal.addEventListener("abort", () => {
      if (this.#open.get(instanceId) === open) this.#open.delete(instanceId);
    });
    scope.spawn(async (signal) => void (await device.read(signal)));
  }

  #accept(instanceId: number, settings: ClusterSettings, readings: readonly Reading[]): void {
    // What was under way when the cluster changed is of another one.
    if (this.#open.get(instanceId)?.settings !== settings) return;
    for (const reading of readings) {
      const register = registerOf(reading);
      if (register === undefined) continue;
      const { index, value } = register;
      const put = (id: number, kept: number): void =>
        this.#options.tree.set([REGISTER_CLUSTER, instanceId, id, index], { value: kept, atMs: reading.atMs });
      put(ClusterId.values, value);
      const minimum = this.#valueAt(instanceId, ClusterId.minima, index);
      const maximum = this.#valueAt(instanceId, ClusterId.maxima, index);
      if (minimum === undefined || value < minimum) put(ClusterId.minima, value);
      if (maximum === undefined || value > maximum) put(ClusterId.maxima, value);
    }
  }

  async #write(instanceId: number, written: WrittenValue, signal: AbortSignal, by?: string): Promise<void> {
    const open = this.#open.get(instanceId);
    if (open === undefined) throw bad("values can be written once the cluster is read");
    const { device, settings } = open;
    const { table, quantity } = settings;
    if (!isWritable(table)) throw new CausewayError("LWM2M_NOT_ALLOWED", `a ${table} register cannot be written`);
    const values = written instanceof Map ? written : new Map([[0, written]]);
    const isWhole = values.size === quantity && [...values.keys()].every((index) => index < quantity);
    if (!isWhole) throw bad(`the cluster has values 0 to ${quantity - 1}, no more and no less`);
    if (isBits(table) && [...values.values()].some((value) => Number(value) > 1)) throw bad("a coil is 0 or 1");
    for (const [index, wanted] of values) {
      const value = Number(wanted);
      if (value === this.#valueAt(instanceId, ClusterId.values, index)) continue;
      await device.write(pointOf(index), isBits(table) ? value === 1 : value, signal, by);
    }
  }

  #resetExtremes(instanceId: number): void {
    const { tree } = this.#options;
    this.#clear(instanceId, [ClusterId.minima, ClusterId.maxima]);
    for (const [index, sample] of tree.resource(REGISTER_CLUSTER, instanceId, ClusterId.values)?.samples ?? []) {
      for (const id of [ClusterId.minima, ClusterId.maxima])
        tree.set([REGISTER_CLUSTER, instanceId, id, index], sample);
    }
  }

  #clear(instanceId: number, resourceIds: readonly number[]): void {
    const { tree } = this.#options;
    for (const id of resourceIds) {
      const known = tree.resource(REGISTER_CLUSTER, instanceId, id)?.samples.keys() ?? [];
      for (const index of [...known]) tree.unset([REGISTER_CLUSTER, instanceId, id, index]);
    }
  }

  #valueAt(instanceId: number, resourceId: number, index: number): number | undefined {
    const sample = this.#options.tree.resource(REGISTER_CLUSTER, instanceId, resourceId)?.samples.get(index);
    return sample === undefined ? undefined : Number(sample.value);
  }
}

/** They come from the station: a server that creates a cluster need not know them. */
function withoutMandatoryValues(model: ObjectModel): ObjectModel {
  const resources = new Map(model.resources);
  const values = resources.get(ClusterId.values);
  if (values !== undefined) resources.set(ClusterId.values, { ...values, mandatory: false });
  return { ...model, resources };
}
