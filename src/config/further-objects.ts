/** Objects that the gateway has only when `gateway.objects` names them. */
export const FURTHER_OBJECTS = {
  portfolio: 16,
  "binary-app-data": 19,
  "event-log": 20,
  "coap-config": 500,
} as const;

export type FurtherObject = keyof typeof FURTHER_OBJECTS;
