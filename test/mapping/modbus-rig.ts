import modbus from "../../adapters/modbus/index.js";
import type { ModbusPoint, ModbusStation, Table } from "../../adapters/modbus/options.js";
import { ModbusSimulator } from "../../adapters/modbus/simulator.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import type { Point, Station } from "../../src/field/adapter.js";
import { type Field, openField } from "../../src/field/field.js";
import type { Scalar } from "../../src/field/reading.js";
import { parsePath } from "../../src/lwm2m/path.js";
import { ObjectTree } from "../../src/lwm2m/tree.js";
import type { Value } from "../../src/lwm2m/value.js";
import { Bridge } from "../../src/mapping/bridge.js";
import { InstanceTable, memoryInstanceStore } from "../../src/mapping/instances.js";
import type { PointStatus } from "../../src/mapping/point-status.js";
import type { Profile } from "../../src/mapping/profile.js";

const NEVER_MS = 24 * 3_600_000;

export interface ModbusRig extends AsyncDisposable {
  readonly tree: ObjectTree;
  readonly field: Field;
  set(point: string, raw: Scalar): void;
  get(point: string): Scalar;
  /** What stands in registers, or in bits (0 and 1). */
  hold(table: Table, register: number, words: readonly number[]): void;
  /** By name: values after scaling. */
  points(): ReadonlyMap<string, PointStatus>;
}

/** A simulated device behind a real Modbus TCP socket, and all that stands between it and the tree. */
export async function modbusRig(profile: Profile): Promise<ModbusRig> {
  const scope = new Scope((error) => {
    throw error;
  });
  const address = { unit: 1 };
  // What a real device needs time for a simulated one does not.
  const { afterConnectMs: _, requestGapMs: __, ...traits } = profile.traits;
  const points = [...profile.points.values()].map(({ point }) => point as Point<ModbusPoint>);
  const station: Station<ModbusStation> = { name: "device", address, traits };
  const simulated = scope.use(new ModbusSimulator([{ station, points }], systemClock));
  await simulated.listen(0);
  const tree = new ObjectTree();
  const links: { field?: Field } = {};
  const bridge = new Bridge({
    clock: systemClock,
    onSample: () => undefined,
    onAbsent: (device, absent) => links.field?.setAbsent(device, absent),
    writePoint: async (device, point, value, signal) => await links.field?.write(device, point, value, signal),
  });
  scope.defer(() => bridge[Symbol.dispose]());
  const instances = await InstanceTable.open(memoryInstanceStore());
  bridge.addDevice({
    name: "device",
    profile,
    tree,
    report: new Map(),
    instanceId: (objectId, ordinal) => instances.instanceId("device", objectId, ordinal),
    kindOf: (point) => modbus.kind?.(profile.points.get(point)?.point.address),
  });
  const poll = { fastMs: NEVER_MS, normalMs: NEVER_MS, slowMs: NEVER_MS };
  const field = await openField(
    {
      links: [{ name: "bus", adapter: "modbus", options: simulated.link }],
      devices: [{ name: "device", link: "bus", address, traits, points, poll }],
      loadAdapter: () => Promise.resolve(modbus),
      clock: systemClock,
      log: silentLog,
      onReadings: (device, readings) => bridge.accept(device, readings),
    },
    scope,
  );
  links.field = field;
  return {
    tree,
    field,
    set: (point, raw) => simulated.set("device", point, raw),
    get: (point) => simulated.get("device", point),
    hold(table, register, words) {
      for (const [index, word] of words.entries()) simulated.unit(address.unit)?.set(table, register + index, word);
    },
    points() {
      const readings = field.status().devices[0]?.readings ?? new Map();
      return new Map(bridge.statusOf("device", readings).map((status) => [status.name, status]));
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

export function valueAt(tree: ObjectTree, path: string): Value | undefined {
  const [objectId = -1, instanceId = -1, resourceId = -1] = parsePath(path);
  return tree.resource(objectId, instanceId, resourceId)?.current(0)?.value;
}
