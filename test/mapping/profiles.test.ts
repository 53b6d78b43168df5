import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import ble from "../../adapters/ble/index.js";
import modbus from "../../adapters/modbus/index.js";
import mqtt from "../../adapters/mqtt/index.js";
import serial from "../../adapters/serial/index.js";
import { profileJsonSchema } from "../../scripts/profile-json-schema.js";
import { formatProblem } from "../../src/base/source.js";
import type { AnyAdapter } from "../../src/field/adapter.js";
import type { Scalar } from "../../src/field/reading.js";
import type { ModelRegistry } from "../../src/lwm2m/model/model.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { parsePath } from "../../src/lwm2m/path.js";
import type { Value } from "../../src/lwm2m/value.js";
import { commonPoint, derivedPoint } from "../../src/mapping/point-schema.js";
import { inputsOf, type Profile } from "../../src/mapping/profile.js";
import { ProfileShelf, readProfileFile, shippedMappings } from "../../src/mapping/profiles.js";
import { modbusRig, valueAt } from "./modbus-rig.js";

const adapters: ReadonlyMap<string, AnyAdapter> = new Map(
  [ble, modbus, mqtt, serial].map((adapter) => [adapter.name, adapter]),
);
const UNTIL_ABORTED = new AbortController().signal;

let models: ModelRegistry;
let shelf: ProfileShelf;
beforeAll(async () => {
  models = await loadModels();
  shelf = await ProfileShelf.open([shippedMappings()], adapters, models);
});

async function shipped(name: string): Promise<Profile> {
  const profile = (await shelf.read(name))?.profile;
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

describe("the shipped profiles", () => {
  it("have no mistakes and keep the style of their README", async () => {
    for (const file of shelf.files) {
      const { profile, problems } = await readProfileFile(file, adapters, models);
      expect(problems.map(formatProblem)).toEqual([]);
      expect(basename(file), "named after its profile").toBe(`${profile?.name}.yaml`);
      expect(basename(dirname(file)), "in its adapter's folder").toBe(profile?.adapter);
      expect(profile?.caveats.length, `${file}: caveats`).toBeGreaterThan(0);
      const text = readFileSync(file, "utf8");
      expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/schema\.json\n/);
      expect(text).toMatch(/^source: /m);
    }
  });

  it("feed a resource from every point and verify only values that can be", async () => {
    for (const name of shelf.names) {
      const profile = await shipped(name);
      const sources = profile.objects.flatMap(({ resources }) => [...resources.values()]);
      const all = [...profile.points.values(), ...profile.derived.values()];
      const inputs = all.flatMap((datum) => [...inputsOf(datum), ...(datum.when?.names ?? [])]);
      const fed = new Set([...sources.map((source) => (source.kind === "point" ? source.point : "")), ...inputs]);
      for (const [point, { transform }] of profile.points) {
        expect(fed, `${name}: ${point}`).toContain(point);
        const [min, max] = transform.valid ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        const [low, high] = profile.verify.get(point) ?? [min, max];
        expect(low >= min && high <= max, `${name}: verify of ${point}`).toBe(true);
      }
    }
  });
});

/** What stands in the device's registers, and what servers then read. */
const DEVICES: readonly (readonly [string, Readonly<Record<string, Scalar>>, Readonly<Record<string, Value>>])[] = [
  [
    "eastron-sdm120",
    { voltage: 230.5, current: 5, power: 1150.25, powerFactor: -0.5, frequency: 50, energy: 12.5, exportEnergy: 0.25 },
    {
      "/3316/0/5700": 230.5,
      "/3316/0/5701": "V",
      "/3316/0/5750": "Mains voltage",
      "/3316/0/6042": 4,
      "/3317/0/5700": 5,
      "/3305/0/5800": 1150.25,
      "/3305/0/5801": 1150.25,
      "/3305/0/5805": 12500,
      "/3305/0/5820": -0.5,
      "/3318/0/5700": 50,
      "/3331/0/5700": 12500,
      "/3331/0/5701": "Wh",
      "/3331/1/5700": 250,
    },
  ],
  [
    "eastron-sdm630",
    { voltageL1: 230, voltageL3: 231.5, currentL2: 2, powerL3: 463, power: 1000, powerFactorL1: 1, energy: 3 },
    {
      "/3316/0/5700": 230,
      "/3316/2/5700": 231.5,
      "/3316/2/5750": "Voltage L3",
      "/3317/1/5700": 2,
      "/3328/2/5700": 463,
      "/3329/0/5700": 1,
      "/3305/0/5800": 1000,
      "/3331/0/5700": 3000,
    },
  ],
  [
    "xy-md02",
    { temperature: -55, humidity: 456 },
    { "/3303/0/5700": -5.5, "/3303/0/5701": "Cel", "/3303/0/5603": -40, "/3304/0/5700": 45.6, "/3304/0/5701": "%RH" },
  ],
  [
    "pzem-016",
    {
      voltage: 2301,
      current: 70_000,
      power: 23_005,
      energy: 70_001,
      frequency: 500,
      powerFactor: 95,
      powerAlarm: 65_535,
    },
    {
      "/3316/0/5700": 230.1,
      "/3317/0/5700": 70,
      "/3305/0/5800": 2300.5,
      "/3305/0/5805": 70_001,
      "/3305/0/5820": 0.95,
      "/3318/0/5700": 50,
      "/3200/0/5500": true,
    },
  ],
  ["relay-8", { relay1: true, relay8: true }, { "/3306/0/5850": true, "/3306/1/5850": false, "/3306/7/5850": true }],
];

describe("a simulated device", () => {
  it.each(DEVICES)("%s shows what its registers hold", async (name, raw, values) => {
    await using device = await modbusRig(await shipped(name));
    for (const [point, value] of Object.entries(raw)) device.set(point, value);
    const readings = await device.field.read("device", UNTIL_ABORTED);
    expect(readings.filter(({ quality }) => quality !== "good")).toEqual([]);
    for (const [path, value] of Object.entries(values)) expect(valueAt(device.tree, path), path).toEqual(value);
  });

  it.each<[string, string, string, Value, Scalar]>([
    ["relay-8", "/3306/2/5850", "relay3", true, true],
    ["pzem-016", "/3308/0/5900", "alarmThreshold", 2300, 2300],
  ])("%s takes a server's write to %s and reads it back", async (name, path, point, value, raw) => {
    await using device = await modbusRig(await shipped(name));
    const [objectId = -1, instanceId = -1, resourceId = -1] = parsePath(path);
    await device.tree.resource(objectId, instanceId, resourceId)?.handler.write?.(value, UNTIL_ABORTED);
    expect(device.get(point)).toBe(raw);
    expect(valueAt(device.tree, path)).toBe(value);
  });

  it("gives no value, and says so, where the device has none", async () => {
    await using device = await modbusRig(await shipped("xy-md02"));
    device.set("humidity", 456);
    await device.field.read("device", UNTIL_ABORTED);
    device.set("humidity", 1001);
    await device.field.read("device", UNTIL_ABORTED);
    expect(valueAt(device.tree, "/3304/0/5700")).toBe(45.6);
    expect(valueAt(device.tree, "/3304/0/6042")).toBe(2);
  });
});

it("adapters have no keys of points that are the mapping's own", () => {
  const common = Object.keys({ ...commonPoint.optional, ...derivedPoint.required });
  for (const { name, point } of adapters.values()) {
    const own = Object.keys({ ...point.required, ...point.optional });
    expect(
      own.filter((key) => common.includes(key)),
      name,
    ).toEqual([]);
  }
});

describe("the schema for editors", () => {
  it("is written from the schemas that check", () => {
    const written = JSON.parse(readFileSync(join(shippedMappings(), "schema.json"), "utf8"));
    const { allOf, properties } = JSON.parse(JSON.stringify(profileJsonSchema([modbus])));
    expect(written.properties, "run npm run mapping-schema").toEqual(properties);
    expect(written.allOf, "run npm run mapping-schema").toContainEqual(allOf[0]);
  });
});
