import { ModbusSimulator } from "../../adapters/modbus/simulator.js";
import { systemClock } from "../../src/base/clock.js";
import { silentLog } from "../../src/base/log.js";
import type { AnyAdapter, SimulatedField } from "../../src/field/adapter.js";
import type { Scalar } from "../../src/field/reading.js";
import type { Profile } from "../../src/mapping/profile.js";
import { toScalar } from "../../src/mapping/transform.js";
import { holdOf, otherValue, plausibleRaw, shownValues } from "../mapping/plausible.js";
import { type FieldDevice, type FieldPart, type FieldWrite, pathOf } from "./field-part.js";

export interface Place {
  /** Of the device; its profile's unless given. */
  readonly name?: string;
  readonly address: Readonly<Record<string, string | number>>;
  /** The same as the adapter's schema reads it. */
  readonly station: unknown;
}

/** Devices that an adapter makes of their profiles, one of each. */
export class SimulatedPart implements FieldPart {
  readonly links: FieldPart["links"];
  readonly devices: readonly FieldDevice[];
  readonly field: SimulatedField<unknown>;

  private constructor(links: FieldPart["links"], devices: readonly FieldDevice[], field: SimulatedField<unknown>) {
    this.links = links;
    this.devices = devices;
    this.field = field;
  }

  static async open(
    adapter: AnyAdapter,
    options: object,
    profiles: readonly Profile[],
    placeOf: (profile: Profile, index: number) => Place,
    link: string = adapter.name,
  ): Promise<SimulatedPart> {
    const places = profiles.map((profile, index) => ({ profile, name: profile.name, ...placeOf(profile, index) }));
    const stations = places.map(({ name, profile: { points, traits }, station }) => ({
      station: { name, address: station, traits },
      points: [...points.values()].map(({ point }) => point),
    }));
    const secret = (text: string): Promise<string> => Promise.resolve(text);
    const context = { name: adapter.name, clock: systemClock, log: silentLog, secret };
    const field = await adapter.simulate?.(options, stations, context);
    if (field === undefined) throw new Error(`${adapter.name} cannot simulate`);
    const devices = places.map(({ name, profile, address }): FieldDevice => {
      const raw = plausibleRaw(profile, adapter, holdOf(field, name));
      const held = new Map([...raw].filter(([point]) => profile.points.get(point)?.point.access !== "w"));
      const shown = shownValues(profile, adapter, held);
      const writes = writesOf(name, profile, adapter, shown, field);
      return { name, link, profile: profile.name, address, shown, writes };
    });
    return new SimulatedPart({ [link]: { adapter: adapter.name, ...Object(field.link) } }, devices, field);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.field[Symbol.asyncDispose]();
  }
}

function writesOf(
  device: string,
  profile: Profile,
  adapter: AnyAdapter,
  shown: FieldDevice["shown"],
  field: SimulatedField<unknown>,
): readonly FieldWrite[] {
  const writable = [...profile.points.values()].filter(({ point }) => point.access !== "r");
  return writable.map((source): FieldWrite => {
    const { name, address, access } = source.point;
    const path = pathOf(profile, name);
    // What is only written may be an action, which is never undone.
    const value = access === "w" ? true : otherValue(shown[path], source);
    const scalar = toScalar(value, source.transform, adapter.kind?.(address));
    const raw: Scalar = adapter.fit?.(source.point, scalar) ?? scalar;
    return { path, value, raw, held: () => field.get(device, name) };
  });
}

export function modbusSimulator({ field }: SimulatedPart): ModbusSimulator {
  if (field instanceof ModbusSimulator) return field;
  throw new Error("Modbus is simulated otherwise");
}
