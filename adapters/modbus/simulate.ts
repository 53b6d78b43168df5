import { type Clock, openSerialLine, type SimulatedField, type SimulatedStation } from "causeway/adapter";
import {
  isSerialPort,
  type ModbusLinkOptions,
  type ModbusPoint,
  type ModbusStation,
  serialSettings,
} from "./options.js";
import { SerialSimulator } from "./serial-simulator.js";
import { ModbusSimulator } from "./simulator.js";

/** On the serial port of the options, where they name one; otherwise on a TCP port of this host, theirs or a free one. */
export async function simulateModbus(
  options: ModbusLinkOptions,
  stations: readonly SimulatedStation<ModbusStation, ModbusPoint>[],
  clock: Clock,
): Promise<SimulatedField<ModbusLinkOptions>> {
  const { port } = options;
  if (isSerialPort(options) && typeof port === "string") {
    const line = await openSerialLine({ ...serialSettings(options), path: port }, new AbortController().signal);
    return new SerialSimulator(options, stations, line, clock);
  }
  const simulator = new ModbusSimulator(stations, clock);
  await simulator.listen(typeof port === "number" ? port : 0);
  return simulator;
}
