import type { Clock } from "../../base/clock.js";
import type { ModelRegistry } from "../model.js";
import type { ObjectTree, ResourceHandler } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/**
 * What the configurations C.4 and C.12 of OMA-ETS-LightweightM2M_INT 1.2 expect and a gateway does not have: a serial
 * number, two power sources and a battery in object 3, and Portfolio (16), whose instances servers create, write and
 * delete. All are plain stored values. For tests only. Throws LWM2M_MODEL.
 */
export function addConformanceObjects(tree: ObjectTree, models: ModelRegistry, clock: Clock): void {
  const atMs = clock.nowMs();
  for (const [resourceId, ...values] of POWER) {
    for (const [id, value] of values.entries()) tree.set([3, 0, resourceId, id], { value, atMs });
  }
  const handlers: ReadonlyMap<number, ResourceHandler> = new Map();
  tree.addObject(requireModel(models, 16), { by: "servers", create: () => handlers, removed: () => undefined });
}

/** Serial Number, Available Power Sources, their voltage (mV) and current (mA), Battery Level. */
const POWER: readonly (readonly [resourceId: number, ...values: Value[]])[] = [
  [2, "0"],
  [6, 1, 2],
  [7, 0, 0],
  [8, 0, 0],
  [9, 0],
];
