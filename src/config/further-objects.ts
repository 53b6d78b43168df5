/** Objects that the gateway has only when `gateway.objects` names them. */
export const FURTHER_OBJECTS = {
  portfolio: 16,
  "binary-app-data": 19,
  "event-log": 20,
  "coap-config": 500,
  "modbus-connection": 10374,
  "modbus-register-cluster": 10375,
} as const;

export type FurtherObject = keyof typeof FURTHER_OBJECTS;

export const FURTHER_OBJECT_NAMES = [
  "portfolio",
  "binary-app-data",
  "event-log",
  "coap-config",
  "modbus-connection",
  "modbus-register-cluster",
] as const satisfies readonly FurtherObject[];
