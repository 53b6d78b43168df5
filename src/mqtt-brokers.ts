import type { Clock } from "./base/clock.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import type { GatewayConfig } from "./config/config.js";
import type { AnyAdapter, BrokerFacts } from "./field/adapter.js";
import type { Field } from "./field/field.js";
import { requireModel } from "./lwm2m/objects/require-model.js";
import type { ObjectTree, ResourceHandler } from "./lwm2m/tree.js";
import type { Value } from "./lwm2m/value.js";
import type { InstanceTable } from "./mapping/instances.js";
import { BROKER_PROBLEMS, BrokerId, brokerLink, linkName, MQTT_BROKER, SecurityMode } from "./mqtt-broker.js";
import { bad, checkedSetting, followInstances, showLink } from "./server-instances.js";

/** Those of the file begin here, so that one that is added later meets none that a server has made. */
const FIRST_OF_FILE = 60_000;
const MAX_OF_SERVERS = 8;

export interface MqttBrokersOptions {
  readonly tree: ObjectTree;
  readonly config: Pick<GatewayConfig, "links" | "models">;
  readonly adapter: AnyAdapter;
  readonly instances: InstanceTable;
  readonly clock: Clock;
  /** Whether the file alone says which brokers there are, or servers as well. */
  readonly source: "file" | "servers";
}

/**
 * Object 18830: the MQTT links of the configuration, which servers see, and where they may, brokers that servers name for
 * publications. Never who the gateway is at a broker of the file.
 */
export class MqttBrokers {
  readonly #options: MqttBrokersOptions;
  /** By instance. */
  readonly #links = new Map<number, string>();

  /** Ids stay with the names of the links. Throws LWM2M_MODEL. */
  constructor(options: MqttBrokersOptions) {
    this.#options = options;
    const { tree, config, adapter, instances, clock, source } = options;
    const model = requireModel(config.models, MQTT_BROKER);
    if (source === "servers") {
      tree.addObject(model, {
        by: "servers",
        create: (instanceId) => this.#handlers(instanceId),
        removed: () => undefined,
        isKept: (instanceId) => instanceId < FIRST_OF_FILE,
        isFixed: (instanceId) => this.#links.has(instanceId),
      });
    }
    for (const { name, adapter: adapterName, options: link } of config.links) {
      const facts = adapterName === adapter.name ? adapter.line?.(link, name).broker : undefined;
      if (facts === undefined) continue;
      // No device can have this name.
      const instanceId = FIRST_OF_FILE + instances.instanceId(`link:${name}`, MQTT_BROKER, 0);
      this.#links.set(instanceId, name);
      showLink(tree, model, instanceId, valuesOf(facts), clock.nowMs());
    }
  }

  /** The link of an instance. */
  linkOf(instanceId: number): string | undefined {
    const isOfServer = this.#options.tree.instance(MQTT_BROKER, instanceId) !== undefined;
    return this.#links.get(instanceId) ?? (isOfServer ? linkName(instanceId) : undefined);
  }

  /** Connects to what servers have named, until the scope closes. */
  attach(field: Field, scope: Scope, log: Log): void {
    const { tree, adapter, clock } = this.#options;
    const settings = new Set<number>(Object.values(BrokerId));
    const begin = (instanceId: number, own: Scope): void => {
      if (this.#links.has(instanceId)) return;
      const link = brokerLink(tree, instanceId, adapter);
      if (link !== undefined) field.openLink(link, adapter, own);
    };
    followInstances({ tree, objectId: MQTT_BROKER, clock, settings, what: "an MQTT broker", begin }, scope, log);
  }

  #handlers(instanceId: number): ReadonlyMap<number, ResourceHandler> {
    const { tree, clock } = this.#options;
    const made = (tree.objects.get(MQTT_BROKER)?.instances.size ?? 0) - this.#links.size;
    if (made >= MAX_OF_SERVERS) throw bad(`servers have named ${MAX_OF_SERVERS} MQTT brokers already`);
    if (instanceId >= FIRST_OF_FILE) {
      throw bad(`instances from ${FIRST_OF_FILE} on are of the gateway's file`);
    }
    return new Map(
      [...BROKER_PROBLEMS].map(([id, problem]) => [
        id,
        checkedSetting(tree, [MQTT_BROKER, instanceId, id], clock, problem),
      ]),
    );
  }
}

function valuesOf({
  uri,
  clientId,
  session,
  keepAliveS,
  security,
}: BrokerFacts): readonly (readonly [number, Value])[] {
  return [
    [BrokerId.uri, uri],
    [BrokerId.clientId, clientId],
    [BrokerId.cleanSession, session === "forgotten"],
    [BrokerId.keepAlive, keepAliveS],
    [BrokerId.securityMode, security === "none" ? SecurityMode.none : SecurityMode.certificate],
  ];
}
