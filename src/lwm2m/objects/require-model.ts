import { CausewayError } from "../../base/errors.js";
import type { ModelRegistry, ObjectModel } from "../model/model.js";

/** The newest definition of an object that the client cannot do without; throws LWM2M_MODEL. */
export function requireModel(models: ModelRegistry, objectId: number): ObjectModel {
  const model = models.object(objectId);
  if (model === undefined) throw new CausewayError("LWM2M_MODEL", `object ${objectId} is not defined`);
  return model;
}
