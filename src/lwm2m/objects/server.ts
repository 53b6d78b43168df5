import type { ServerAccount } from "../account/account.js";
import type { ModelRegistry } from "../model/model.js";
import type { ObservationDefaults } from "../observation/observation-terms.js";
import { type RegistrationTiming, TIMING_DEFAULTS } from "../registration/registration-timing.js";
import type { ObjectEntry, ObjectTree, ResourceHandler } from "../tree.js";
import type { Value } from "../value.js";
import { requireModel } from "./require-model.js";

/** What a server sets off by executing a resource of its Server object instance. */
export interface ServerEffects {
  /** Disable /1/x/4 */
  disable(): void;
  /** Registration Update Trigger /1/x/8 with its arguments; throws LWM2M_BAD_REQUEST as `checkUpdateArguments` does. */
  update(args: string): void;
  /** Bootstrap-Request Trigger /1/x/9 */
  bootstrap(): void;
}

/** What the Server object says now, with the standard's defaults where it says nothing. */
export interface ServerSettings {
  readonly timing: RegistrationTiming;
  readonly binding: string;
  /** Preferred Transport /1/x/22: one of `TRANSPORTS`. */
  readonly preferredTransport: string | undefined;
  /** Registration Priority Order /1/x/13: lower ones register first; undefined ones wait for nobody. */
  readonly priority: number | undefined;
  /** Registration Failure Block /1/x/15: a failure keeps servers of lower priority from registering. */
  readonly failureBlock: boolean;
  /** Bootstrap on Registration Failure /1/x/16 */
  readonly bootstrapOnFailure: boolean;
  /** Trigger /1/x/21: the server may wake the client by SMS. */
  readonly trigger: boolean;
  /** Notification Storing When Disabled or Offline /1/x/6 */
  readonly storing: boolean;
  readonly observation: ObservationDefaults;
  /** Mute Send /1/x/23: absent means muted (OMA LwM2M Core 1.2 Appendix E.2). */
  readonly send: "open" | "muted";
}

/** Resources of object 1 (OMA LwM2M Core 1.2 Appendix E.2). */
export const ServerId = {
  shortServerId: 0,
  lifetime: 1,
  defaultPmin: 2,
  defaultPmax: 3,
  disable: 4,
  disableTimeout: 5,
  storing: 6,
  binding: 7,
  updateTrigger: 8,
  bootstrapTrigger: 9,
  lastBootstrapped: 12,
  priority: 13,
  initialDelay: 14,
  failureBlock: 15,
  bootstrapOnFailure: 16,
  retryCount: 17,
  retryTimer: 18,
  sequenceDelay: 19,
  sequenceRetryCount: 20,
  trigger: 21,
  preferredTransport: 22,
  muteSend: 23,
  notificationMode: 26,
} as const;

/** Resources whose change the server must be told of with an Update (OMA LwM2M Core 1.2 §6.2.2). */
export const REGISTRATION_PARAMETERS: ReadonlySet<number> = new Set([ServerId.lifetime, ServerId.binding]);
/** Resources whose change alters when notifications are due. */
export const OBSERVATION_PARAMETERS: ReadonlySet<number> = new Set([
  ServerId.defaultPmin,
  ServerId.defaultPmax,
  ServerId.notificationMode,
]);

const DEFAULT_LIFETIME_S = 86_400;

/**
 * Adds object 1; servers may change every writable resource of its instances. `effects` is asked when a server executes
 * something. Throws LWM2M_MODEL.
 */
export function addServerObject(
  tree: ObjectTree,
  models: ModelRegistry,
  effects: (instanceId: number) => ServerEffects,
): ObjectEntry {
  const model = requireModel(models, 1);
  return tree.addObject(model, {
    by: "bootstrap",
    create(instanceId) {
      const handlers: readonly [number, ResourceHandler][] = [
        [ServerId.disable, { execute: async () => effects(instanceId).disable() }],
        [ServerId.updateTrigger, { execute: async (args) => effects(instanceId).update(args) }],
        [ServerId.bootstrapTrigger, { execute: async () => effects(instanceId).bootstrap() }],
      ];
      return new Map(handlers.filter(([resourceId]) => model.resources.has(resourceId)));
    },
    removed: () => undefined,
  });
}

/** What an instance of object 1 holds of an account; the older definitions of the object lack some of it. */
export function serverValues(account: ServerAccount): readonly (readonly [number, Value])[] {
  const { defaultPminS, defaultPmaxS, registration = {} } = account;
  const { priority, onFailure, bootstrapOnFailure } = registration;
  const further: readonly (readonly [number, Value | undefined])[] = [
    [ServerId.priority, priority],
    [ServerId.initialDelay, registration.initialDelayS],
    [ServerId.failureBlock, onFailure === undefined ? undefined : onFailure === "block"],
    [ServerId.bootstrapOnFailure, bootstrapOnFailure],
    [ServerId.retryCount, registration.retryCount],
    [ServerId.retryTimer, registration.retryTimerS],
    [ServerId.sequenceDelay, registration.sequenceDelayS],
    [ServerId.sequenceRetryCount, registration.sequenceRetryCount],
  ];
  return [
    [ServerId.shortServerId, account.shortServerId],
    [ServerId.lifetime, account.lifetimeS],
    ...(defaultPminS === undefined ? [] : ([[ServerId.defaultPmin, defaultPminS]] as const)),
    ...(defaultPmaxS === undefined ? [] : ([[ServerId.defaultPmax, defaultPmaxS]] as const)),
    [ServerId.disableTimeout, TIMING_DEFAULTS.disableTimeoutS],
    [ServerId.storing, true],
    [ServerId.binding, "U"],
    [ServerId.muteSend, account.send === "muted"],
    [ServerId.notificationMode, account.notify === "CON" ? 1 : 0],
    ...further.flatMap(([resourceId, value]) => (value === undefined ? [] : [[resourceId, value] as const])),
  ];
}

export function serverSettings(tree: ObjectTree, instanceId: number): ServerSettings {
  const value = (resourceId: number): Value | undefined =>
    tree.resource(1, instanceId, resourceId)?.samples.get(0)?.value;
  const number = (resourceId: number, otherwise: number): number => {
    const found = value(resourceId);
    return typeof found === "number" || typeof found === "bigint" ? Number(found) : otherwise;
  };
  const flag = (resourceId: number, otherwise: boolean): boolean => {
    const found = value(resourceId);
    return typeof found === "boolean" ? found : otherwise;
  };
  const binding = value(ServerId.binding);
  const preferredTransport = value(ServerId.preferredTransport);
  const priority = value(ServerId.priority);
  return {
    timing: {
      lifetimeS: number(ServerId.lifetime, DEFAULT_LIFETIME_S),
      disableTimeoutS: number(ServerId.disableTimeout, TIMING_DEFAULTS.disableTimeoutS),
      initialDelayS: number(ServerId.initialDelay, TIMING_DEFAULTS.initialDelayS),
      retryCount: number(ServerId.retryCount, TIMING_DEFAULTS.retryCount),
      retryTimerS: number(ServerId.retryTimer, TIMING_DEFAULTS.retryTimerS),
      sequenceDelayS: number(ServerId.sequenceDelay, TIMING_DEFAULTS.sequenceDelayS),
      sequenceRetryCount: number(ServerId.sequenceRetryCount, TIMING_DEFAULTS.sequenceRetryCount),
    },
    binding: typeof binding === "string" && binding !== "" ? binding : "U",
    preferredTransport: typeof preferredTransport === "string" ? preferredTransport : undefined,
    priority: priority === undefined ? undefined : number(ServerId.priority, 0),
    failureBlock: flag(ServerId.failureBlock, false),
    bootstrapOnFailure: flag(ServerId.bootstrapOnFailure, true),
    trigger: flag(ServerId.trigger, false),
    storing: flag(ServerId.storing, true),
    observation: {
      pmin: number(ServerId.defaultPmin, 0),
      pmax: number(ServerId.defaultPmax, 0),
      delivery: number(ServerId.notificationMode, 0) === 1 ? "CON" : "NON",
    },
    send: value(ServerId.muteSend) === false ? "open" : "muted",
  };
}
