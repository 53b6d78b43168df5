/** The field of the demo: what stands on its Modbus TCP line. */
export const DEMO_DEVICES = [
  { name: "main-meter", profile: "eastron-sdm120", unit: 1 },
  { name: "office-climate", profile: "xy-md02", unit: 2 },
  { name: "heat-pump", profile: "pzem-016", unit: 3 },
  { name: "relays", profile: "relay-8", unit: 4 },
] as const;

/** The relay that the demo's server switches. */
export const DEMO_RELAY = { device: "relays", point: "relay1", path: "/3306/0/5850" } as const;
