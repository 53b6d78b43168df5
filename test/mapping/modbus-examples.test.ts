import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { modbus } from "../../adapters/modbus/index.js";
import { type ModbusPoint, TABLES, type Table } from "../../adapters/modbus/options.js";
import { type AnyAdapter, defineAdapter, type Point } from "../../src/field/adapter.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { inputsOf, type Profile } from "../../src/mapping/profile.js";
import { ProfileShelf, shippedMappings } from "../../src/mapping/profiles.js";
import { modbusRig, valueAt } from "./modbus-rig.js";

type Registers = Readonly<Record<number, readonly number[]>>;

/** See modbus-examples.yaml. */
interface Example {
  readonly profile: string;
  readonly words: Partial<Readonly<Record<Table, Registers>>>;
  readonly values: Readonly<Record<string, number | boolean | null>>;
}

const EXAMPLES: readonly Example[] = parse(await readFile(new URL("modbus-examples.yaml", import.meta.url), "utf8"));

const adapters: ReadonlyMap<string, AnyAdapter> = new Map([[modbus.name, defineAdapter(modbus)]]);

let shelf: ProfileShelf;
beforeAll(async () => {
  shelf = await ProfileShelf.open([shippedMappings()], adapters, await loadModels());
});

describe("what a device's registers mean", () => {
  it.each(EXAMPLES)("$profile", async ({ profile: name, words, values }) => {
    const profile = (await shelf.read(name))?.profile;
    if (profile === undefined) throw new Error(`no profile ${name}`);
    await using device = await modbusRig(profile);
    for (const table of TABLES) {
      for (const [register, held] of Object.entries(words[table] ?? {})) device.hold(table, Number(register), held);
    }
    await device.field.read("device", new AbortController().signal);
    const points = device.points();
    const expected = Object.entries(values).filter(([, value]) => value !== null);
    const faulty = Object.keys(values).filter((point) => values[point] === null);
    expect(Object.fromEntries(expected.map(([point]) => [point, rounded(points.get(point)?.value)]))).toEqual(
      Object.fromEntries(expected.map(([point, value]) => [point, rounded(value)])),
    );
    for (const point of faulty) expect(points.get(point), point).toMatchObject({ quality: "invalid" });
    expectTree(profile, device);
  });

  it("is shown for every profile", () => {
    const shown = new Set(EXAMPLES.map(({ profile }) => profile));
    const names = shelf.names.filter((name) => shelf.adapterOf(name) === modbus.name);
    expect(names.filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe("values that make no sense apart", () => {
  const LINE = { transport: "rtu", port: "p", baudRate: 9600 } as const;

  it("are read in one request, lest a formula or a factor joins what is of different times", async () => {
    const apart: string[] = [];
    for (const name of shelf.names.filter((one) => shelf.adapterOf(one) === modbus.name)) {
      const profile = (await shelf.read(name))?.profile;
      if (profile === undefined) throw new Error(`no profile ${name}`);
      const polled = [...profile.points.values()].map(({ point }) => point as Point<ModbusPoint>);
      // What is slow is set at the device, and does not change by itself.
      const changing = polled.filter(({ pollClass }) => pollClass === "fast" || pollClass === "normal");
      const pollClass = new Map(changing.map((point) => [point.name, point.pollClass]));
      for (const [user, datum] of [...profile.points, ...profile.derived]) {
        const needed = [user, ...inputsOf(datum)].filter((one) => pollClass.has(one));
        const station = { name: "d", address: { unit: 1 }, traits: profile.traits };
        const classes = new Set(needed.map((one) => pollClass.get(one)));
        const plans = [...classes].flatMap((own) =>
          modbus.plan(
            LINE,
            station,
            polled.filter((point) => point.pollClass === own),
          ),
        );
        const shared = plans.some(({ points }) => needed.every((one) => points.some((point) => point.name === one)));
        if (needed.length > 1 && !shared) apart.push(`${name}: ${needed.join(" ")}`);
      }
    }
    expect(apart).toEqual([]);
  });
});

/** Each resource holds what the status tells of its point. */
function expectTree({ objects }: Profile, { tree, points }: Awaited<ReturnType<typeof modbusRig>>): void {
  const known = points();
  for (const { model, ordinal, resources } of objects) {
    for (const [id, source] of resources) {
      if (source.kind === "literal") continue;
      const path = `/${model.id}/${ordinal}/${id}`;
      expect(valueAt(tree, path), `${path} of ${source.point}`).toEqual(known.get(source.point)?.value);
    }
  }
}

/** Six digits are more than any of the devices measures. */
function rounded(value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(6)) : value;
}
