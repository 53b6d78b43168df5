import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import { subscribe } from "../../base/subscribe.js";
import type { ModelRegistry, ObjectModel } from "../model/model.js";
import { deviceLinks } from "../operation/discover.js";
import type { ObjectTree } from "../tree.js";

const GATEWAY = 25;
const VERSION = "2.0";
const Id = { deviceId: 0, prefix: 1, objects: 3 } as const;

/** A device behind the gateway. */
export interface GatewayDevice {
  /** Of object 25. */
  readonly instanceId: number;
  readonly deviceId: string;
  readonly prefix: string;
  readonly tree: ObjectTree;
}

interface Shown extends GatewayDevice {
  readonly listening: Disposable;
}

/**
 * Object 25 and what stands behind it (OMA LwM2M Gateway 1.1.1): an instance per device, whose objects are reached by its
 * prefix and never registered.
 */
export class GatewayObject {
  readonly #tree: ObjectTree;
  readonly #model: ObjectModel;
  readonly #clock: Clock;
  readonly #devices = new Map<string, Shown>();
  readonly #listeners = new Set<(prefix: string) => void>();

  /** Adds the object to the gateway's own tree; throws LWM2M_MODEL when its definition is missing. */
  constructor(tree: ObjectTree, models: ModelRegistry, clock: Clock) {
    const model = models.object(GATEWAY, VERSION);
    if (model === undefined) throw new CausewayError("LWM2M_MODEL", `object ${GATEWAY} ${VERSION} is not defined`);
    this.#tree = tree;
    this.#model = model;
    this.#clock = clock;
    tree.addObject(model);
  }

  /** Servers are told by an Update. Throws LWM2M_BAD_REQUEST when the instance exists, CONFIG_INVALID for a prefix twice. */
  add(device: GatewayDevice): void {
    const { instanceId, deviceId, prefix, tree } = device;
    if (this.#devices.has(prefix)) throw new CausewayError("CONFIG_INVALID", `prefix '${prefix}' is used twice`);
    const links = { read: () => deviceLinks(tree) };
    const atMs = this.#clock.nowMs();
    const listening = tree.listen(({ kind, path }) => {
      if (kind === "value" || path.length !== 2) return;
      this.#tree.touch([GATEWAY, instanceId, Id.objects], this.#clock.nowMs());
    });
    this.#devices.set(prefix, { ...device, listening });
    this.#tree.addInstance(this.#model, instanceId, new Map([[Id.objects, links]]));
    this.#tree.set([GATEWAY, instanceId, Id.deviceId], { value: deviceId, atMs });
    this.#tree.set([GATEWAY, instanceId, Id.prefix], { value: prefix, atMs });
    this.#tree.declare(GATEWAY, instanceId, Id.objects);
  }

  /** Ends what is observed behind the prefix; servers are told by an Update. Unknown ones are ignored. */
  remove(prefix: string): void {
    const device = this.#devices.get(prefix);
    if (device === undefined) return;
    this.#devices.delete(prefix);
    device.listening[Symbol.dispose]();
    for (const listener of this.#listeners) listener(prefix);
    this.#tree.removeInstance(GATEWAY, device.instanceId);
  }

  /** What stands behind a prefix. */
  tree(prefix: string): ObjectTree | undefined {
    return this.#devices.get(prefix)?.tree;
  }

  /** By prefix. */
  get trees(): ReadonlyMap<string, ObjectTree> {
    return new Map([...this.#devices].map(([prefix, { tree }]) => [prefix, tree]));
  }

  onRemoved(listener: (prefix: string) => void): Disposable {
    return subscribe(this.#listeners, listener);
  }
}
