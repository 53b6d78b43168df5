import type { ServerAccount } from "../account.js";
import type { ModelRegistry, ObjectModel } from "../model.js";
import type { ObservationDefaults } from "../observation-terms.js";
import { type RegistrationTiming, TIMING_DEFAULTS } from "../registration.js";
import type { ObjectTree, ResourceHandler } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/** What a server sets off by executing a resource of its Server object instance. */
export interface ServerEffects {
  /** Disable /1/x/4 */
  disable(): void;
  /** Registration Update Trigger /1/x/8 */
  update(): void;
}

/** What the Server object says now, with the standard's defaults where it says nothing. */
export interface ServerSettings {
  readonly timing: RegistrationTiming;
  readonly binding: string;
  readonly observation: ObservationDefaults;
  /** Mute Send /1/x/23: absent means muted (OMA LwM2M Core 1.2 Appendix E.2). */
  readonly send: "open" | "muted";
}

const Id = {
  shortServerId: 0,
  lifetime: 1,
  defaultPmin: 2,
  defaultPmax: 3,
  disable: 4,
  disableTimeout: 5,
  storing: 6,
  binding: 7,
  updateTrigger: 8,
  initialDelay: 14,
  retryCount: 17,
  retryTimer: 18,
  sequenceDelay: 19,
  sequenceRetryCount: 20,
  muteSend: 23,
  notificationMode: 26,
} as const;

/** Resources whose change the server must be told of with an Update (OMA LwM2M Core 1.2 §6.2.2). */
export const REGISTRATION_PARAMETERS: ReadonlySet<number> = new Set([Id.lifetime, Id.binding]);
/** Resources whose change alters when notifications are due. */
export const OBSERVATION_PARAMETERS: ReadonlySet<number> = new Set([
  Id.defaultPmin,
  Id.defaultPmax,
  Id.notificationMode,
]);

const DEFAULT_LIFETIME_S = 86_400;

/** Adds the account as an instance of object 1; servers may change every writable resource. Throws LWM2M_MODEL. */
export function addServer(
  tree: ObjectTree,
  models: ModelRegistry,
  instanceId: number,
  account: ServerAccount,
  effects: ServerEffects,
  nowMs: number,
): void {
  const model = withoutNegativeTimes(requireModel(models, 1));
  tree.addObject(model, undefined, "model");
  const handlers = new Map<number, ResourceHandler>([
    [Id.disable, { execute: async () => effects.disable() }],
    [Id.updateTrigger, { execute: async () => effects.update() }],
  ]);
  tree.addInstance(model, instanceId, handlers);
  const values: readonly [number, Value | undefined][] = [
    [Id.shortServerId, account.shortServerId],
    [Id.lifetime, account.lifetimeS],
    [Id.defaultPmin, account.defaultPminS],
    [Id.defaultPmax, account.defaultPmaxS],
    [Id.disableTimeout, TIMING_DEFAULTS.disableTimeoutS],
    [Id.storing, true],
    [Id.binding, "U"],
    [Id.muteSend, account.send === "muted"],
    [Id.notificationMode, account.notify === "CON" ? 1 : 0],
  ];
  for (const [resourceId, value] of values) {
    // Older definitions of the object lack the newer resources.
    if (value === undefined || !model.resources.has(resourceId)) continue;
    tree.set([1, instanceId, resourceId], { value, atMs: nowMs });
  }
}

export function serverSettings(tree: ObjectTree, instanceId: number): ServerSettings {
  const value = (resourceId: number): Value | undefined =>
    tree.resource(1, instanceId, resourceId)?.samples.get(0)?.value;
  const number = (resourceId: number, otherwise: number): number => {
    const found = value(resourceId);
    return typeof found === "number" || typeof found === "bigint" ? Number(found) : otherwise;
  };
  const binding = value(Id.binding);
  return {
    timing: {
      lifetimeS: number(Id.lifetime, DEFAULT_LIFETIME_S),
      disableTimeoutS: number(Id.disableTimeout, TIMING_DEFAULTS.disableTimeoutS),
      initialDelayS: number(Id.initialDelay, TIMING_DEFAULTS.initialDelayS),
      retryCount: number(Id.retryCount, TIMING_DEFAULTS.retryCount),
      retryTimerS: number(Id.retryTimer, TIMING_DEFAULTS.retryTimerS),
      sequenceDelayS: number(Id.sequenceDelay, TIMING_DEFAULTS.sequenceDelayS),
      sequenceRetryCount: number(Id.sequenceRetryCount, TIMING_DEFAULTS.sequenceRetryCount),
    },
    binding: typeof binding === "string" && binding !== "" ? binding : "U",
    observation: {
      pmin: number(Id.defaultPmin, 0),
      pmax: number(Id.defaultPmax, 0),
      delivery: number(Id.notificationMode, 0) === 1 ? "CON" : "NON",
    },
    send: value(Id.muteSend) === false ? "open" : "muted",
  };
}

/** OMA's definition gives these no range, and a lifetime below zero has no meaning. */
function withoutNegativeTimes(model: ObjectModel): ObjectModel {
  const resources = new Map(model.resources);
  for (const id of [Id.lifetime, Id.defaultPmin, Id.defaultPmax, Id.disableTimeout]) {
    const resource = resources.get(id);
    if (resource !== undefined) resources.set(id, { ...resource, range: { min: 0, max: 0xffff_ffff } });
  }
  return { ...model, resources };
}
