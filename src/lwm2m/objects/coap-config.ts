import type { Clock } from "../../base/clock.js";
import { CausewayError } from "../../base/errors.js";
import { type CoapSettings, TRANSMISSION_RANGES, type Transmission, transmissionProblem } from "../../coap/settings.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObjectTree, ResourceHandler, WrittenValue } from "../tree.js";
import { requireModel } from "./require-model.js";

const COAP_CONFIG = 500;
const BEARER = 0;
const APPLY = 9;

/** What stands behind a resource; `scale` is from its unit to ours. */
const PARAMETERS: readonly (readonly [resourceId: number, name: keyof Transmission, scale: number])[] = [
  [1, "ackTimeoutMs", 1000],
  [2, "ackRandomFactor", 1],
  [3, "maxRetransmit", 1],
  [4, "nstart", 1],
  [8, "separateResponseMs", 1000],
];

/**
 * Adds object 500 with one instance for all bearers. What servers write counts from Apply (/500/0/9) on, for connections
 * that are opened afterwards, until the gateway is started anew. `bearer` is that of /4/0/0. Throws LWM2M_MODEL.
 */
export function addCoapConfig(
  tree: ObjectTree,
  models: ModelRegistry,
  settings: CoapSettings,
  bearer: () => number,
  clock: Clock,
): void {
  const set = (resourceId: number, value: number): void =>
    tree.set([COAP_CONFIG, 0, resourceId], { value, atMs: clock.nowMs() });
  const handlers = new Map<number, ResourceHandler>([
    [BEARER, { read: bearer, write: async (value) => mustBe(bearer(), value) }],
    [APPLY, { execute: async () => settings.apply(wanted(tree, settings.current)) }],
  ]);
  for (const [resourceId, name, scale] of PARAMETERS) {
    const [min, max] = TRANSMISSION_RANGES[name].map((bound) => bound / scale) as [number, number];
    handlers.set(resourceId, {
      async write(value) {
        if (typeof value !== "number" || value < min || value > max) {
          throw new CausewayError("VALUE_INVALID", `/${COAP_CONFIG}/0/${resourceId} takes ${min} to ${max}`);
        }
        set(resourceId, value);
      },
    });
  }
  tree.addInstance(requireModel(models, COAP_CONFIG), 0, handlers);
  for (const [resourceId, name, scale] of PARAMETERS) set(resourceId, settings.current[name] / scale);
}

function mustBe(bearer: number, value: WrittenValue): void {
  if (value !== bearer) throw new CausewayError("VALUE_INVALID", "the parameters are those of all bearers");
}

/** What is written so far; throws VALUE_INVALID when it makes no sense together. */
function wanted(tree: ObjectTree, current: Transmission): Transmission {
  const changes: Partial<Record<keyof Transmission, number>> = {};
  for (const [resourceId, name, scale] of PARAMETERS) {
    const value = tree.resource(COAP_CONFIG, 0, resourceId)?.samples.get(0)?.value;
    if (typeof value === "number") changes[name] = value * scale;
  }
  const all = { ...current, ...changes };
  const problem = transmissionProblem(all);
  if (problem !== undefined) throw new CausewayError("VALUE_INVALID", problem);
  return all;
}
