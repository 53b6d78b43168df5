import { describe, expect, it } from "vitest";
import ble from "../../adapters/ble/index.js";
import modbus from "../../adapters/modbus/index.js";
import mqtt from "../../adapters/mqtt/index.js";
import serial from "../../adapters/serial/index.js";
import type { AnyAdapter } from "../../src/field/adapter.js";
import type { Scalar } from "../../src/field/reading.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { Profile, ProfilePoint } from "../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../src/mapping/profiles.js";
import { isFault, toScalar, toScaled } from "../../src/mapping/transform.js";
import { otherValue, plausibleRaw } from "./plausible.js";
import { simulatedRig } from "./simulated-rig.js";

/** Adapters that simulate, and the address at which they are asked for a station. */
const ADAPTERS: readonly (readonly [AnyAdapter, address: (profile: Profile) => unknown])[] = [
  [ble, () => ({ address: "A4:C1:38:00:11:22" })],
  [modbus, () => ({ unit: 1 })],
  [mqtt, ({ name }) => new Map(Object.entries({ id: name, sensor: "SI7021" }))],
  [serial, () => new Map()],
];

const shelf = await ProfileShelf.open(
  [shippedMappings()],
  new Map(ADAPTERS.map(([adapter]) => [adapter.name, adapter])),
  await loadModels(),
);

const PROFILES = ADAPTERS.flatMap(([adapter, addressOf]) =>
  shelf.names.filter((name) => shelf.adapterOf(name) === adapter.name).map((name) => ({ name, adapter, addressOf })),
);

describe("a device that is simulated from a shipped profile", () => {
  it.each(PROFILES)("$adapter.name $name tells what it holds and takes what is written", async (row) => {
    const { name, adapter, addressOf } = row;
    const profile = (await shelf.read(name))?.profile;
    if (profile === undefined) throw new Error(`no profile ${name}`);
    const raw = new Map<string, Scalar>();
    await using rig = await simulatedRig(adapter, profile, addressOf(profile), (hold) => {
      for (const [point, value] of plausibleRaw(profile, adapter, hold)) raw.set(point, value);
    });
    const sources = [...profile.points.values()];
    const told = new Map([...raw].filter(([point]) => profile.points.get(point)?.point.access !== "w"));
    expect(await rig.readAll()).toEqual(told);
    for (const source of sources.filter(({ point }) => point.access !== "r")) {
      const point = source.point.name;
      const value = source.point.access === "w" ? raw.get(point) : otherRaw(source, adapter, raw.get(point));
      if (value === undefined) throw new Error(`no value for ${point}`);
      await rig.write(point, value);
      if (source.point.access === "rw") told.set(point, value);
    }
    expect(await rig.readAll()).toEqual(told);
  });
});

function otherRaw(source: ProfilePoint, adapter: AnyAdapter, raw: ReturnType<typeof toScalar> = ""): typeof raw {
  const value = toScaled(raw, source.transform);
  if (isFault(value)) throw new Error(value.reason);
  const { point, transform } = source;
  const other = toScalar(otherValue(value, source), transform, adapter.kind?.(point.address));
  return adapter.fit?.(point, other) ?? other;
}
