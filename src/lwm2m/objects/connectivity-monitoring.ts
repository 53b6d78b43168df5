import type { Clock } from "../../base/clock.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObjectTree, ResourceHandler } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/** Network bearers that a host's interface can be told to be (OMA LwM2M Core 1.2 Appendix E.5, /4/0/0). */
export const NetworkBearer = { wlan: 21, bluetooth: 22, ieee802154: 23, ethernet: 41 } as const;

export type NetworkBearer = (typeof NetworkBearer)[keyof typeof NetworkBearer];

/** Of the interface that leads to the servers, as far as it is known; nothing here is guessed. */
export interface NetworkFacts {
  readonly bearer?: NetworkBearer;
  readonly availableBearers: readonly NetworkBearer[];
  readonly signalDbm?: number;
  readonly addresses: readonly string[];
  readonly routers: readonly string[];
}

/** Asked at reads; never throws. */
export interface HostNetwork {
  facts(): NetworkFacts;
}

/** An object whose values change by themselves. */
export interface LiveObject {
  /** Tells observers what has changed since the last look. */
  refresh(): void;
}

/** One read of the instance asks for many resources: they are of one look. */
const SAME_LOOK_MS = 500;

const BEARER = 0;
const AVAILABLE_BEARERS = 1;
const SIGNAL_STRENGTH = 2;
const ADDRESSES = 4;
const ROUTERS = 5;

/** Adds object 4; throws LWM2M_MODEL when the definition is missing. */
export function addConnectivityMonitoring(
  tree: ObjectTree,
  models: ModelRegistry,
  network: HostNetwork,
  clock: Clock,
): LiveObject {
  let last: { readonly facts: NetworkFacts; readonly atMs: number } | undefined;
  const facts = (): NetworkFacts => {
    const atMs = clock.monotonicMs();
    if (last === undefined || atMs - last.atMs >= SAME_LOOK_MS) last = { facts: network.facts(), atMs };
    return last.facts;
  };
  const single: readonly [number, () => Value | undefined][] = [
    [BEARER, () => facts().bearer],
    [SIGNAL_STRENGTH, () => signalStrength(facts())],
  ];
  const multiple: readonly [number, () => readonly Value[]][] = [
    [AVAILABLE_BEARERS, () => facts().availableBearers],
    [ADDRESSES, () => facts().addresses],
    [ROUTERS, () => facts().routers],
  ];
  const handlers = new Map<number, ResourceHandler>([
    ...single.map(([id, read]) => [id, { read }] as const),
    ...multiple.map(([id, values]) => [id, { readAll: () => new Map(values().entries()) }] as const),
  ]);
  tree.addInstance(requireModel(models, 4), 0, handlers);
  const refresh = (): void => {
    for (const [id, read] of single) tellValue(tree, [4, 0, id], read(), clock.nowMs());
    for (const [id, values] of multiple) tellValues(tree, [4, 0, id], values(), clock.nowMs());
  };
  refresh();
  return { refresh };
}

/**
 * The resource is mandatory and its model has neither a range nor a value for "none" (OMA LwM2M Core 1.2 Appendix E.5):
 * a wired link, which has no radio, says 0. Of a radio that does not tell its strength there is no value.
 */
function signalStrength({ bearer, signalDbm }: NetworkFacts): number | undefined {
  return bearer === NetworkBearer.ethernet ? 0 : signalDbm;
}

/** Sets a live value where it differs from what observers were told last. */
export function tellValue(tree: ObjectTree, path: readonly number[], value: Value | undefined, atMs: number): void {
  const [objectId = -1, instanceId = -1, resourceId = -1, id = 0] = path;
  if (value === undefined || tree.resource(objectId, instanceId, resourceId)?.samples.get(id)?.value === value) return;
  tree.set(path, { value, atMs });
}

function tellValues(tree: ObjectTree, path: readonly number[], values: readonly Value[], atMs: number): void {
  const [objectId = -1, instanceId = -1, resourceId = -1] = path;
  const known = tree.resource(objectId, instanceId, resourceId)?.samples.keys() ?? [];
  for (const id of [...known]) if (id >= values.length) tree.unset([...path, id]);
  for (const [id, value] of values.entries()) tellValue(tree, [...path, id], value, atMs);
}
