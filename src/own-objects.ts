import { freemem, totalmem } from "node:os";
import type { Clock } from "./base/clock.js";
import type { Log } from "./base/log.js";
import { packageVersion } from "./base/package-root.js";
import type { Scope } from "./base/scope.js";
import type { CoapSettings } from "./coap/settings.js";
import type { TrafficCounter } from "./coap/traffic.js";
import type { GatewayConfig } from "./config/config.js";
import { FURTHER_OBJECTS, type FurtherObject, isOfDevices } from "./config/further-objects.js";
import type { Field } from "./field/field.js";
import type { NamedPath } from "./lwm2m/codec/codec.js";
import { addCoapConfig } from "./lwm2m/objects/coap-config.js";
import { addConformanceObjects } from "./lwm2m/objects/conformance.js";
import { addConnectivityMonitoring, type HostNetwork, NetworkBearer } from "./lwm2m/objects/connectivity-monitoring.js";
import { addConnectivityStatistics } from "./lwm2m/objects/connectivity-statistics.js";
import { addDevice, type Device } from "./lwm2m/objects/device.js";
import type { EventLog } from "./lwm2m/objects/event-log.js";
import { requireModel } from "./lwm2m/objects/require-model.js";
import { addStoredObject } from "./lwm2m/objects/stored.js";
import type { ObjectTree } from "./lwm2m/tree.js";
import type { InstanceTable } from "./mapping/instances.js";
import { ModbusConnections, modbusLinks } from "./modbus-connections.js";
import { MqttBrokers } from "./mqtt-brokers.js";
import { MQTT_PUBLICATION } from "./mqtt-publication.js";
import { MqttPublications } from "./mqtt-publications.js";
import { REGISTER_CLUSTER } from "./register-cluster.js";
import { RegisterClusters } from "./register-clusters.js";

export interface OwnObjectsOptions {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly reboot: () => void;
  /** Forgets all that servers have brought, and starts again; absent where that is not possible. */
  readonly factoryReset?: () => void;
  /** Objects 4 and 7 of the gateway; absent where nothing is known of the host. */
  readonly host?: Host;
  /** Object 20, when it is wanted. */
  readonly events?: EventLog;
  /** Object 500, when it is wanted. */
  readonly coap?: CoapSettings;
  /** Where instances of objects 10374 have their ids. */
  readonly instances: InstanceTable;
  /** Trees of devices, by their prefixes. */
  readonly behind?: () => ReadonlyMap<string, ObjectTree>;
  /** Sends what the paths hold now to all servers. */
  readonly sendPaths?: (paths: readonly NamedPath[]) => void;
}

export interface Host {
  readonly network: HostNetwork;
  /** Of the transports to all servers. */
  readonly traffic: TrafficCounter;
}

/** What the gateway shows of itself, beside its devices. Disposing it ends what still waits for its time. */
export interface OwnObjects extends Disposable {
  readonly device: Device;
  /** Tells observers what has changed on the host and its links. */
  refresh(): void;
  /** What is asked of the field begins, until the scope closes. */
  attach(field: Field, scope: Scope, log: Log): void;
}

/** Whether the object is to be shown: when the configuration names it, and all of them in conformance tests. */
export function isWanted({ objects, conformance }: GatewayConfig, object: FurtherObject): boolean {
  return conformance !== "none" || objects.has(object);
}

/** Adds object 3, what is known of the host, and what the configuration asks for. Throws LWM2M_MODEL. */
export function addOwnObjects(tree: ObjectTree, config: GatewayConfig, options: OwnObjectsOptions): OwnObjects {
  const { models, conformance } = config;
  const { clock, random, host, events, coap, instances, sendPaths } = options;
  const device = addDevice(tree, models, gatewayFacts(options), clock);
  const monitoring = host === undefined ? undefined : addConnectivityMonitoring(tree, models, host.network, clock);
  const statistics = host === undefined ? undefined : addConnectivityStatistics(tree, models, host.traffic, clock);
  for (const object of ["portfolio", "binary-app-data"] as const) {
    if (isWanted(config, object)) addStoredObject(tree, models, FURTHER_OBJECTS[object]);
  }
  if (isWanted(config, "event-log")) events?.addTo(tree, models);
  if (isWanted(config, "coap-config") && coap !== undefined) {
    addCoapConfig(tree, models, coap, () => host?.network.facts().bearer ?? NetworkBearer.ethernet, clock);
  }
  if (conformance === "oma-ets") {
    addConformanceObjects(tree, models, { clock, random, send: (paths) => sendPaths?.(paths) });
  }
  const modbus = addModbusObjects(tree, config, instances, clock);
  const mqtt = addMqttObjects(tree, config, options);
  return {
    device,
    refresh() {
      monitoring?.refresh();
      statistics?.refresh();
      modbus?.connections.refresh();
    },
    attach(field, scope, log) {
      modbus?.connections.attach(() => field.status().buses);
      modbus?.clusters?.attach(field, scope, log);
      mqtt?.brokers.attach(field, scope, log);
      mqtt?.publications?.attach(field, scope, log);
    },
    [Symbol.dispose]() {
      statistics?.[Symbol.dispose]();
      events?.[Symbol.dispose]();
    },
  };
}

/** Clusters lead to connections, so there are none without. */
function addModbusObjects(tree: ObjectTree, config: GatewayConfig, instances: InstanceTable, clock: Clock) {
  const hasClusters = isWanted(config, "modbus-register-cluster");
  const adapter = config.adapters.get("modbus");
  if (!hasClusters && !isWanted(config, "modbus-connection")) return undefined;
  if (adapter === undefined || modbusLinks(config).length === 0) return undefined;
  const connections = new ModbusConnections(tree, config, instances, clock);
  if (!hasClusters) return { connections };
  const model = requireModel(config.models, REGISTER_CLUSTER);
  const linkOf = (connectionId: number): string | undefined => connections.linkOf(connectionId);
  return { connections, clusters: new RegisterClusters({ tree, model, adapter, clock, linkOf }) };
}

/** Brokers are the file's alone, unless servers may name what is to be published. */
function addMqttObjects(tree: ObjectTree, config: GatewayConfig, options: OwnObjectsOptions) {
  const { clock, instances, behind = () => new Map() } = options;
  const adapter = config.adapters.get("mqtt");
  const isPublishing = isWanted(config, "mqtt-publication");
  if (adapter === undefined || (!isPublishing && !isWanted(config, "mqtt-broker"))) return undefined;
  const source = isPublishing ? "servers" : "file";
  const brokers = new MqttBrokers({ tree, config, adapter, instances, clock, source });
  if (!isPublishing) return { brokers };
  const publications = new MqttPublications({
    tree,
    model: requireModel(config.models, MQTT_PUBLICATION),
    adapter,
    clock,
    isOfDevices,
    linkOf: (brokerId) => brokers.linkOf(brokerId),
    trees: () => new Map<string | undefined, ObjectTree>([[undefined, tree], ...behind()]),
  });
  return { brokers, publications };
}

function gatewayFacts({ reboot, factoryReset }: OwnObjectsOptions) {
  const toKb = (bytes: number): number => Math.floor(bytes / 1024);
  return {
    manufacturer: "Causeway",
    modelNumber: "Causeway gateway",
    firmwareVersion: packageVersion(),
    softwareVersion: packageVersion(),
    deviceType: "gateway",
    binding: "U",
    memoryFreeKb: () => toKb(freemem()),
    memoryTotalKb: () => toKb(totalmem()),
    reboot,
    ...(factoryReset === undefined ? {} : { factoryReset }),
  };
}
