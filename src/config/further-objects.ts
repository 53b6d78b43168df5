/** What no profile may bring along, since every tree has it anyway or no tree may have it. */
export const CLIENT_OBJECTS: ReadonlySet<number> = new Set([0, 1, 2, 3, 21, 23, 25]);
/** Single instances of the gateway's own tree; a device with a tree of its own may have them, too. */
export const HOST_OBJECTS: ReadonlySet<number> = new Set([4, 7]);

/** Objects that the gateway has only when `gateway.objects` names them. */
export const FURTHER_OBJECTS = {
  portfolio: 16,
  "binary-app-data": 19,
  "event-log": 20,
  "coap-config": 500,
  "modbus-connection": 10374,
  "modbus-register-cluster": 10375,
  "mqtt-broker": 18830,
  "mqtt-publication": 18831,
} as const;

export type FurtherObject = keyof typeof FURTHER_OBJECTS;

export const FURTHER_OBJECT_NAMES = [
  "portfolio",
  "binary-app-data",
  "event-log",
  "coap-config",
  "modbus-connection",
  "modbus-register-cluster",
  "mqtt-broker",
  "mqtt-publication",
] as const satisfies readonly FurtherObject[];

const OWN_OBJECTS: ReadonlySet<number> = new Set([
  ...CLIENT_OBJECTS,
  ...HOST_OBJECTS,
  ...Object.values(FURTHER_OBJECTS),
]);

/** Whether what the gateway's own tree has of it came from devices. */
export function isOfDevices(objectId: number): boolean {
  return !OWN_OBJECTS.has(objectId);
}

/** Adapters that these objects need, also where no link has them. */
export function objectAdapters(objects: readonly FurtherObject[]): readonly string[] {
  return objects.includes("mqtt-publication") ? ["mqtt"] : [];
}
