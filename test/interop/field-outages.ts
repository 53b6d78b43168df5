import type { Value } from "../../src/lwm2m/value.js";
import { modbusSimulator } from "./field-simulated.js";
import type { Field } from "./field-site.js";

/** A link that goes away and comes back, with a device behind it. */
export interface Outage {
  readonly device: string;
  /** Of what it measures. */
  readonly path: string;
  /** Resolves with what brings the link back. */
  readonly cut: (field: Field) => Promise<() => unknown>;
  /** What the device measures then, and how. */
  readonly value: Value;
  readonly measure: (field: Field) => void;
}

export const OUTAGES: readonly Outage[] = [
  {
    device: "eastron-sdm120",
    path: "/3316/0/5700",
    async cut({ modbus }) {
      const simulator = modbusSimulator(modbus);
      const { port } = simulator.link;
      await simulator[Symbol.asyncDispose]();
      return () => simulator.listen(Number(port));
    },
    value: 228.5,
    measure: ({ modbus }) => modbus.field.set("eastron-sdm120", "voltage", 228.5),
  },
  {
    device: "tasmota-at-mosquitto",
    path: "/3328/0/5700",
    async cut({ broker }) {
      broker.stop();
      return () => broker.start();
    },
    value: 33,
    measure: ({ broker }) => broker.measure(21, 33),
  },
  {
    device: "mt-sics-scale",
    path: "/3322/0/5700",
    cut: ({ serial }) => serial.switchOff("mt-sics-scale"),
    value: 98.5,
    measure: ({ serial }) => serial.weigh(98.5),
  },
  {
    device: "bthome-climate",
    path: "/3303/0/5700",
    cut: ({ ble }) => ble.stopDaemon(),
    value: 24.98,
    measure: ({ ble }) => ble.field.set("bthome-climate", "temperature", 24.98),
  },
];
