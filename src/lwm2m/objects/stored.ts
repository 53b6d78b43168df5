import { CausewayError } from "../../base/errors.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObjectTree, ResourceHandler } from "../tree.js";
import { requireModel } from "./require-model.js";

const MAX_INSTANCES = 100;
const NO_HANDLERS: ReadonlyMap<number, ResourceHandler> = new Map();

/**
 * Adds an object whose instances are the servers': they create, write and delete them, and all values are only kept, such
 * as Portfolio (16) and BinaryAppDataContainer (19). Throws LWM2M_MODEL.
 */
export function addStoredObject(tree: ObjectTree, models: ModelRegistry, objectId: number): void {
  tree.addObject(requireModel(models, objectId), {
    by: "servers",
    create() {
      if ((tree.objects.get(objectId)?.instances.size ?? 0) >= MAX_INSTANCES) {
        throw new CausewayError("LWM2M_BAD_REQUEST", `object ${objectId} has ${MAX_INSTANCES} instances already`);
      }
      return NO_HANDLERS;
    },
    removed: () => undefined,
  });
}
