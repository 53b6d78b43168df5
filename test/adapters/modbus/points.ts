import type { ModbusPoint, Table } from "../../../adapters/modbus/options.js";
import type { Point, RegisterFormat } from "../../../src/field/index.js";

/** A point as a mapping file would say it; readable and writable, polled fast. */
export function modbusPoint(
  name: string,
  table: Table,
  register: number,
  format: Partial<RegisterFormat> & Pick<ModbusPoint, "write"> = {},
): Point<ModbusPoint> {
  return { name, access: "rw", pollClass: "fast", address: { at: { table, register }, ...format } };
}
