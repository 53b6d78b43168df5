import { type Adapter, defineAdapter, type Station } from "causeway/adapter";
import { Controller } from "./controller.js";
import { SystemBus } from "./dbus.js";
import { BleLink } from "./link.js";
import {
  type BleLinkOptions,
  type BlePoint,
  type BleStation,
  formatOf,
  isPolled,
  kindOf,
  linkSchema,
  pointProblem,
  pointSchema,
  stationSchema,
} from "./options.js";
import { PacketMemory } from "./packet-memory.js";
import { fitToFormat } from "./value-format.js";

const CONNECT_TIMEOUT_MS = 15_000;
const SILENCE_MS = 300_000;

/** Bluetooth Low Energy through BlueZ: what devices advertise, and their characteristics (GATT). */
export function bleAdapter(): Adapter<BleLinkOptions, BleStation, BlePoint> {
  const memories = new WeakMap<Station<BleStation>, PacketMemory>();
  const memoryOf = (station: Station<BleStation>): PacketMemory => {
    const memory = memories.get(station) ?? new PacketMemory();
    memories.set(station, memory);
    return memory;
  };
  return {
    name: "ble",
    link: linkSchema,
    station: stationSchema,
    point: pointSchema,
    medium: ({ bus, controller = "hci0" }) => (bus === undefined ? controller : `${controller} on ${bus}`),
    line: ({ controller = "hci0" }) => ({ address: controller }),
    plan: (_options, station, points) => {
      const polled = points.filter(isPolled);
      const summary = `${polled.length} characteristics of ${station.address.address}`;
      return polled.length === 0 ? [] : [{ points: polled, summary, wireMs: 0 }];
    },
    async open(options, context, signal) {
      const bus = await SystemBus.open(context.clock, signal, options.bus);
      const controller = await Controller.open(bus, options, context, signal);
      const connectTimeoutMs = options.connectTimeout ?? CONNECT_TIMEOUT_MS;
      return new BleLink(controller, { ...context, connectTimeoutMs, memoryOf });
    },
    kind: kindOf,
    pointProblem,
    fit: ({ name, address }, value) =>
      address.at.gatt === undefined ? value : fitToFormat(value, formatOf(address), name),
    silenceMs: SILENCE_MS,
    simulate: async (options, stations, context) =>
      await (await import("./simulator/simulate.js")).BleSimulator.open(options, stations, context),
    scan: async () => (await import("./scan.js")).scanTool,
  };
}

export default defineAdapter(bleAdapter());
