import { describe, expect, it } from "vitest";
import type { Trouble } from "../fakes/plant.js";
import { random } from "../fakes/random.js";
import { expectBalance } from "./balance.js";
import { METER_PATHS, Rig, type RigDevice } from "./rig.js";

const { seed } = random();
const MINUTE_MS = 60_000;
const DEVICES: readonly RigDevice[] = [
  { name: "meter", profile: "meter" },
  { name: "valve", profile: "valve" },
];
const PRESSURE = "/3315/0/5700";

async function startBoth(before: (rig: Rig) => void = () => undefined): Promise<Rig> {
  const rig = new Rig({ seed, devices: DEVICES, servers: [[...METER_PATHS, PRESSURE]] });
  rig.plant.set("valve", "pressure", 42);
  before(rig);
  await rig.start();
  return rig;
}

/** Indicator 6042 and level 6049 of the pressure, and the pressure. */
async function pressure(rig: Rig): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const path of ["/3315/0/6042", "/3315/0/6049", PRESSURE]) {
    answers.push(await rig.during(rig.server.ask("GET", path, { accept: 0 })));
  }
  return answers;
}

const GOOD = ["2.05 4", "2.05 100", "2.05 42"];

describe(`a field with faults (seed ${seed})`, () => {
  it("a device that is off at the start delays the registration a little, and is shown when it comes", async () => {
    await using rig = await startBoth(({ plant }) => plant.trouble("valve", "silent"));
    await rig.run(4000);
    expect(rig.server.registrations).toBe(1);
    expect(rig.server.links).toContain("</3315/0>");
    expect(await pressure(rig)).toEqual(["2.05 0", "2.05 0", "4.04"]);
    await rig.run(MINUTE_MS);
    expect(await pressure(rig)).toEqual(["2.05 0", "2.05 0", "4.04"]);
    rig.plant.trouble("valve", "none");
    await rig.run(MINUTE_MS);
    expect(await pressure(rig)).toEqual(GOOD);
    expect(rig.server.arrivals.filter(({ path }) => path === PRESSURE).at(-1)?.value).toBe(42);
    expect(rig.messages("device offline")).toHaveLength(1);
  });

  it.each<[Trouble, readonly string[]]>([
    ["silent", ["2.05 3", "2.05 25", "2.05 42"]],
    ["damaged", ["2.05 3", "2.05 25", "2.05 42"]],
    ["nonsense", ["2.05 1", "2.05 0", "2.05 42"]],
  ])(
    "a device that becomes %s keeps its last value, which is marked, and no other device suffers",
    async (trouble, marked) => {
      await using rig = await startBoth();
      await rig.run(10_000);
      expect(await pressure(rig)).toEqual(GOOD);
      rig.plant.set("valve", "pressure", 43);
      rig.plant.trouble("valve", trouble);
      const before = rig.plant.served.length;
      await rig.run(MINUTE_MS);
      expect(await pressure(rig)).toEqual(marked);
      // Ten values each second, give or take one poll.
      expect(rig.plant.served.length - before).toBeGreaterThanOrEqual(590);
      rig.plant.set("valve", "pressure", 42);
      rig.plant.trouble("valve", "none");
      await rig.run(15_000);
      expect(await pressure(rig)).toEqual(GOOD);
      const pressures = rig.server.arrivals.filter(({ path }) => path === PRESSURE).map(({ value }) => value);
      expect(new Set(pressures)).toEqual(new Set([42]));
      rig.plant.trouble("meter", "resting");
      await rig.run(2000);
      await expectBalance(rig, MINUTE_MS);
    },
  );

  it("a value beyond its valid range is marked and never told", async () => {
    await using rig = await startBoth();
    await rig.run(10_000);
    rig.plant.set("valve", "pressure", 501);
    await rig.run(5000);
    expect(await pressure(rig)).toEqual(["2.05 2", "2.05 10", "2.05 42"]);
  });
});
