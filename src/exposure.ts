import type { Clock } from "./base/clock.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import type { ConfiguredDevice, GatewayConfig } from "./config/config.js";
import { accessPolicy } from "./config/rights.js";
import type { LinkState } from "./field/bus.js";
import type { DeviceStatus } from "./field/device-options.js";
import type { Field } from "./field/field.js";
import type { HealthState } from "./field/health.js";
import { AccessControl } from "./lwm2m/objects/access-control.js";
import { addDevice, type Device } from "./lwm2m/objects/device.js";
import { GatewayObject } from "./lwm2m/objects/gateway.js";
import { ObjectTree } from "./lwm2m/tree.js";
import { Bridge, type BridgedDevice, type BridgeOptions } from "./mapping/bridge.js";
import type { PointStatus } from "./mapping/point-status.js";
import { addOwnObjects, type OwnObjectsOptions } from "./own-objects.js";
import { PeripheralErrors } from "./peripheral-errors.js";

/** One endpoint name and what it shows. */
export interface ExposedEndpoint {
  readonly endpoint: string;
  readonly tree: ObjectTree;
  /** The devices behind prefixes; absent without any. */
  readonly gateway?: GatewayObject;
  /** Absent where every server may do everything. */
  readonly access?: AccessControl;
}

/** Where a device is shown. */
export interface DevicePlace {
  readonly endpoint: string;
  /** Before its paths in mode `gateway`. */
  readonly prefix?: string;
  readonly tree: ObjectTree;
  readonly instanceId: BridgedDevice["instanceId"];
  /** Object 3 of the device itself; absent where it is a part of the gateway. */
  readonly device?: Device;
}

/** What servers will see, before any server or device has been spoken to. Disposing it ends what still waits for its time. */
export interface Exposure extends Disposable {
  /** The gateway's own one is the first. */
  readonly endpoints: readonly [ExposedEndpoint, ...ExposedEndpoint[]];
  /** By name of the device. */
  readonly places: ReadonlyMap<string, DevicePlace>;
  readonly bridge: Bridge;
  onHealth(device: string, health: HealthState): void;
  onLink(device: string, state: LinkState): void;
  /** By device: what is known of each point, with values after scaling. */
  pointsOf(devices: readonly DeviceStatus[]): ReadonlyMap<string, readonly PointStatus[]>;
  /** Tells observers what has changed on the host itself. */
  refreshHost(): void;
  /** What servers ask of the field itself begins, until the scope closes. */
  attach(field: Field, scope: Scope, log: Log): void;
}

export interface ExposureOptions extends BridgeOptions, OwnObjectsOptions {
  readonly clock: Clock;
}

const GATEWAY_OBJECT = 25;

/**
 * `flat`: the device's objects are further instances in the gateway's own tree. `gateway`: the device has a tree of its
 * own, which object 25 leads to. `endpoints`: it has an endpoint of its own, too.
 */
export function expose(config: GatewayConfig, options: ExposureOptions): Exposure {
  const own = exposeGateway(config, options);
  const ownObjects = addOwnObjects(own.tree, config, { ...options, behind: () => own.gateway?.trees ?? new Map() });
  const further: ExposedEndpoint[] = [];
  const places = new Map<string, DevicePlace>();
  const bridge = new Bridge(options);
  const errors = new PeripheralErrors((name) => places.get(name)?.device, ownObjects.device);
  for (const configured of config.devices) {
    const { field, profile, report, manual } = configured;
    const adapter = config.adapters.get(profile.adapter);
    const place = placeDevice(configured, own, config, options);
    places.set(field.name, place);
    if (place.endpoint !== own.endpoint) further.push({ ...place, ...accessTo(place.tree, config, options) });
    bridge.addDevice({
      name: field.name,
      profile,
      tree: place.tree,
      report,
      manual,
      instanceId: place.instanceId,
      kindOf: (point) => adapter?.kind?.(profile.points.get(point)?.point.address),
    });
  }
  return {
    endpoints: [own, ...further],
    places,
    bridge,
    onHealth: (device, health) => errors.health(device, health),
    onLink: (device, state) => errors.link(device, state),
    refreshHost: () => ownObjects.refresh(),
    pointsOf: (devices) => new Map(devices.map(({ name, readings }) => [name, bridge.statusOf(name, readings)])),
    attach(field, scope, log) {
      ownObjects.attach(field, scope, log);
      for (const name of places.keys()) {
        bridge.tellManual(name);
        const absent = bridge.absentOf(name);
        if (absent.size > 0) field.setAbsent(name, absent);
      }
    },
    [Symbol.dispose]() {
      bridge[Symbol.dispose]();
      ownObjects[Symbol.dispose]();
      for (const { access } of [own, ...further]) access?.[Symbol.dispose]();
    },
  };
}

function exposeGateway(config: GatewayConfig, options: ExposureOptions): ExposedEndpoint {
  const { endpoint, models } = config;
  const tree = new ObjectTree();
  const hasPrefixes = config.devices.some(({ exposure }) => exposure.mode === "gateway");
  return {
    endpoint,
    tree,
    ...(hasPrefixes ? { gateway: new GatewayObject(tree, models, options.clock) } : {}),
    ...accessTo(tree, config, options),
  };
}

/** Without limits there is no object 2, unless a bootstrap server may set some. */
function accessTo(
  tree: ObjectTree,
  { servers, bootstrap, models }: GatewayConfig,
  { clock }: ExposureOptions,
): Pick<ExposedEndpoint, "access"> {
  const policy = accessPolicy(servers);
  if (policy === undefined && bootstrap === undefined) return {};
  return { access: new AccessControl(tree, models, clock, policy) };
}

function placeDevice(
  configured: ConfiguredDevice,
  own: ExposedEndpoint,
  config: GatewayConfig,
  { instances, clock }: ExposureOptions,
): DevicePlace {
  const { field, profile, exposure } = configured;
  if (exposure.mode === "flat") {
    const instanceId = (objectId: number, ordinal: number): number =>
      config.models.object(objectId)?.multiple === false ? 0 : instances.instanceId(field.name, objectId, ordinal);
    return { endpoint: own.endpoint, tree: own.tree, instanceId };
  }
  const tree = new ObjectTree();
  const device = addDevice(tree, config.models, { modelNumber: profile.title, binding: "U" }, clock);
  const instanceId = (_: number, ordinal: number): number => ordinal;
  if (exposure.mode === "endpoints") return { endpoint: exposure.id, tree, instanceId, device };
  const { id: deviceId, prefix } = exposure;
  own.gateway?.add({ instanceId: instances.instanceId(field.name, GATEWAY_OBJECT, 0), deviceId, prefix, tree });
  return { endpoint: own.endpoint, tree, instanceId, device, prefix };
}
