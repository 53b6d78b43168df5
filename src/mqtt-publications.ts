import { type Clock, sleep } from "./base/clock.js";
import { CausewayError, toError } from "./base/errors.js";
import type { Log } from "./base/log.js";
import type { Scope } from "./base/scope.js";
import type { AnyAdapter, Point, Station } from "./field/adapter.js";
import type { Field } from "./field/field.js";
import type { NamedPath } from "./lwm2m/codec/codec.js";
import type { ObjectModel } from "./lwm2m/model/model.js";
import { formatPath, isWithin } from "./lwm2m/path.js";
import type { ObjectTree, ResourceHandler } from "./lwm2m/tree.js";
import type { Value } from "./lwm2m/value.js";
import { MQTT_BROKER } from "./mqtt-broker.js";
import {
  encodePublication,
  encodingProblem,
  entriesOf,
  MQTT_PUBLICATION,
  PublicationId,
  type PublicationSettings,
  publicationName,
  publicationOf,
  sourceProblem,
  topicProblem,
} from "./mqtt-publication.js";
import { bad, checkedSetting, followInstances, objectLinkProblem, readBy } from "./server-instances.js";

const MAX_PUBLICATIONS = 32;
/** What changes meanwhile goes out together. */
const PACE_MS = 1000;
const RETRY_MS = 5000;
const CONTENT = "content";

export interface MqttPublicationsOptions {
  readonly tree: ObjectTree;
  readonly model: ObjectModel;
  readonly adapter: AnyAdapter;
  readonly clock: Clock;
  /** What stands behind prefixes, too. */
  trees(): ReadonlyMap<string | undefined, ObjectTree>;
  /** Whether the object is of devices, in the gateway's own tree. */
  isOfDevices(objectId: number): boolean;
  /** The link of an instance of object 18830. */
  linkOf(brokerId: number): string | undefined;
}

/**
 * Object 18831: what servers want to be published to a broker, whenever something of it is measured or set, once a second
 * at most. While the broker is out of reach nothing is kept for it but what is new since: it then gets the values of now.
 */
export class MqttPublications {
  readonly #options: MqttPublicationsOptions;

  constructor(options: MqttPublicationsOptions) {
    this.#options = options;
    options.tree.addObject(options.model, {
      by: "servers",
      create: (instanceId) => this.#handlers(instanceId),
      removed: () => undefined,
    });
  }

  /** Begins to publish, until the scope closes. */
  attach(field: Field, scope: Scope, log: Log): void {
    const { tree, clock } = this.#options;
    const settings = new Set<number>(Object.values(PublicationId));
    const begin = (instanceId: number, own: Scope): void => {
      const wanted = publicationOf(tree, instanceId);
      if (wanted === undefined) return;
      const name = publicationName(instanceId);
      const publication = new Publication(name, wanted, this.#options, field, log);
      publication.listen(own);
      own.spawn((signal) => publication.run(signal));
    };
    followInstances(
      { tree, objectId: MQTT_PUBLICATION, clock, settings, what: "an MQTT publication", begin },
      scope,
      log,
    );
  }

  #handlers(instanceId: number): ReadonlyMap<number, ResourceHandler> {
    const { tree, clock, linkOf } = this.#options;
    if ((tree.objects.get(MQTT_PUBLICATION)?.instances.size ?? 0) >= MAX_PUBLICATIONS) {
      throw bad(`there are ${MAX_PUBLICATIONS} MQTT publications already`);
    }
    const brokerProblem = (value: Value): string | undefined =>
      objectLinkProblem(value, MQTT_BROKER, (id) => linkOf(id) !== undefined);
    const checked = (id: number, problem: (value: Value) => string | undefined) =>
      [id, checkedSetting(tree, [MQTT_PUBLICATION, instanceId, id], clock, problem)] as const;
    return new Map([
      checked(PublicationId.source, sourceProblem),
      checked(PublicationId.broker, brokerProblem),
      checked(PublicationId.topic, topicProblem),
      checked(PublicationId.encoding, encodingProblem),
    ]);
  }
}

/** One instance as it is now. */
class Publication {
  readonly #name: string;
  readonly #settings: PublicationSettings;
  readonly #options: MqttPublicationsOptions;
  readonly #field: Field;
  readonly #log: Log;
  readonly #station: Station<unknown>;
  readonly #point: Point<unknown>;
  /** What has been measured or set since the last publication, by name. */
  #fresh = new Map<string, NamedPath>();
  #wake: () => void = () => undefined;
  #outcome: string | undefined;

  constructor(name: string, settings: PublicationSettings, options: MqttPublicationsOptions, field: Field, log: Log) {
    this.#name = name;
    this.#settings = settings;
    this.#options = options;
    this.#field = field;
    this.#log = log;
    const { topic, qos, lasting } = settings;
    const { station, point } = options.adapter;
    // The topic is no template: braces in it stand for themselves.
    this.#station = { name, address: readBy(station, { topic }), traits: {} };
    const write = { topic: "{topic}", qos, retain: lasting === "retained" };
    const address = readBy(point, { at: { topic: "{topic}" }, write });
    this.#point = { name: CONTENT, access: "w", pollClass: "normal", address };
    for (const named of settings.sources) this.#fresh.set(nameOf(named), named);
  }

  listen(scope: Scope): void {
    const { sources } = this.#settings;
    for (const [prefix, tree] of this.#options.trees()) {
      if (sources.length > 0 && !sources.some((source) => source.prefix === prefix)) continue;
      const listening = tree.listen(({ kind, path }) => {
        if (kind === "value") this.#note({ path, ...(prefix === undefined ? {} : { prefix }) });
      });
      scope.defer(() => listening[Symbol.dispose]());
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      if (this.#fresh.size === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const waitMs = await this.#publish(signal);
      if (waitMs > 0) await sleep(clock, waitMs, signal);
    }
  }

  /** Gives the wait until the next one, in milliseconds. */
  async #publish(signal: AbortSignal): Promise<number> {
    const { clock, linkOf } = this.#options;
    const { sources, brokerId } = this.#settings;
    const fresh = this.#fresh;
    this.#fresh = new Map();
    try {
      const link = linkOf(brokerId);
      if (link === undefined) throw new CausewayError("LINK_FAILED", `there is no /${MQTT_BROKER}/${brokerId}`);
      const nowMs = clock.nowMs();
      const paths = sources.length > 0 ? sources : [...fresh.values()];
      const entries = entriesOf(paths, (prefix) => this.#options.trees().get(prefix), nowMs);
      if (entries.length === 0) return 0;
      const payload = encodePublication(this.#settings, entries, nowMs);
      await this.#field.pass(link, this.#station, this.#point, payload, signal);
      this.#tell("published");
      return PACE_MS;
    } catch (error) {
      signal.throwIfAborted();
      this.#tell(error);
      this.#fresh = new Map([...fresh, ...this.#fresh]);
      return RETRY_MS;
    }
  }

  #note(named: NamedPath): void {
    const { sources } = this.#settings;
    const isMeant =
      sources.length > 0
        ? sources.some(({ path, prefix }) => prefix === named.prefix && isWithin(named.path, path))
        : named.prefix !== undefined || this.#options.isOfDevices(named.path[0] ?? -1);
    if (!isMeant) return;
    this.#fresh.set(nameOf(named), named);
    this.#wake();
  }

  #tell(outcome: unknown): void {
    const told = outcome instanceof CausewayError ? outcome.code : String(outcome);
    if (told === this.#outcome) return;
    this.#outcome = told;
    const facts = { path: this.#name, topic: this.#settings.topic };
    if (outcome === "published") this.#log.info("MQTT publication goes out", facts);
    else this.#log.warn("MQTT publication does not go out", { ...facts, reason: toError(outcome).message });
  }
}

function nameOf({ path, prefix }: NamedPath): string {
  return prefix === undefined ? formatPath(path) : `/${prefix}${formatPath(path)}`;
}
