import type { ModelRegistry } from "../model/model.js";
import type { ObjectTree } from "../tree.js";
import type { Value } from "../value.js";
import { addTestObject, type TestObjectOptions } from "./test-object.js";

/**
 * What the configurations of OMA-ETS-LightweightM2M_INT 1.2 expect and a gateway does not have: a serial number, two power
 * sources and a battery in object 3, plain stored values; and the test object 3442. For tests only. Throws LWM2M_MODEL.
 */
export function addConformanceObjects(tree: ObjectTree, models: ModelRegistry, options: TestObjectOptions): void {
  const atMs = options.clock.nowMs();
  for (const [resourceId, ...values] of POWER) {
    for (const [id, value] of values.entries()) tree.set([3, 0, resourceId, id], { value, atMs });
  }
  addTestObject(tree, models, options);
}

/** Serial Number, Available Power Sources, their voltage (mV) and current (mA), Battery Level. */
const POWER: readonly (readonly [resourceId: number, ...values: Value[]])[] = [
  [2, "0"],
  [6, 1, 2],
  [7, 0, 0],
  [8, 0, 0],
  [9, 0],
];
