import { rtuFrame } from "../../../adapters/modbus/crc.js";
import { SlaveUnit } from "../../../adapters/modbus/slave.js";
import type { Clock } from "../../../src/base/clock.js";
import { MemoryLine } from "../../field/memory-line.js";

/** How a frame that answers comes back: nothing, or pieces with the delay of each from the request. */
export type Behaviour = (
  answer: Uint8Array,
  request: Uint8Array,
) => readonly { readonly afterMs: number; readonly bytes: Uint8Array }[];

export const wellBehaved: Behaviour = (bytes) => [{ afterMs: 10, bytes }];

/** Modbus RTU stations on a line in memory, in time with the clock. */
export class SlaveLine extends MemoryLine {
  readonly units = new Map<number, SlaveUnit>();
  behaviour = wellBehaved;

  constructor(clock: Clock) {
    super();
    this.onWrite = (request) => {
      const unit = request[0] ?? 0;
      const pdu = this.units.get(unit)?.respond(request.slice(1, -2));
      if (pdu === undefined) return;
      for (const { afterMs, bytes } of this.behaviour(rtuFrame(unit, pdu), request)) {
        clock.schedule(afterMs, () => this.deliver(bytes));
      }
    };
  }

  unit(number: number): SlaveUnit {
    const unit = this.units.get(number) ?? new SlaveUnit();
    this.units.set(number, unit);
    return unit;
  }
}
