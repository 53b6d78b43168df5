import { beforeAll, describe, expect, it } from "vitest";
import { Problems } from "../../src/base/schema.js";
import { formatProblem, parseSource } from "../../src/base/source.js";
import type { ModelRegistry } from "../../src/lwm2m/model/model.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { Profile } from "../../src/mapping/profile.js";
import { readProfile } from "../../src/mapping/profile-reader.js";
import { fakeAdapters } from "./fake-adapter.js";

let models: ModelRegistry;
beforeAll(async () => {
  models = await loadModels();
});

function read(text: string): { profile: Profile | undefined; problems: string[] } {
  const problems = new Problems();
  const { root } = parseSource(text, "m.yaml");
  const profile = root === undefined ? undefined : readProfile(root, fakeAdapters, models, problems);
  return { profile, problems: problems.list.map(formatProblem) };
}

const GOOD = `profile: meter
title: A meter
adapter: fake
addressBase: 0
limits: { maxRegisters: 60, maxGap: 10 }
points:
  voltage: { at: { register: 0 }, type: float32, unit: V, every: fast }
  relay:   { at: { register: 9 }, type: bool, access: rw }
objects:
  - object: 3316
    resources: { 5700: voltage, 5750: { value: Mains } }
  - object: 3306
    resources: { 5850: relay }
  - object: 3316
    resources: { 5700: voltage }
verify: { voltage: [180, 260] }
`;

describe("a good profile", () => {
  it("reads into points, objects and traits", () => {
    const { profile, problems } = read(GOOD);
    expect(problems).toEqual([]);
    expect(profile).toMatchObject({ name: "meter", adapter: "fake" });
    expect(profile?.traits).toEqual({ maxRegisters: 60, maxGap: 10, addressBase: 0 });
    expect(profile?.points.get("relay")?.point).toEqual({
      name: "relay",
      access: "rw",
      pollClass: "normal",
      address: { at: { register: 9 }, type: "bool" },
    });
    expect(profile?.objects.map(({ model, ordinal }) => [model.id, ordinal])).toEqual([
      [3316, 0],
      [3306, 0],
      [3316, 1],
    ]);
    expect(profile?.verify.get("voltage")).toEqual([180, 260]);
  });
});

describe("mistakes are named with their place and a hint", () => {
  it.each<[string, string, string, string]>([
    [
      "an unknown key of a point",
      "unit: V,",
      "unti: V,",
      "m.yaml:7:50 points.voltage.unti: unknown key (did you mean 'unit'?)",
    ],
    [
      "a wrong type word",
      "type: float32",
      "type: float23",
      "m.yaml:7:41 points.voltage.type: expected float32 | bool | string, found \"float23\" (did you mean 'float32'?)",
    ],
    [
      "a register beyond the range",
      "register: 9 ",
      "register: 99999 ",
      "m.yaml:8:30 points.relay.at.register: expected a whole number from 0 to 65535, found 99999",
    ],
    [
      "an unknown point",
      "5850: relay",
      "5850: rely",
      "m.yaml:13:24 objects[1].resources.5850: no point 'rely' (did you mean 'relay'?)",
    ],
    [
      "an unknown object",
      "object: 3306",
      "object: 3999",
      "m.yaml:12:13 objects[1].object: no definition of object 3999 (drop its OMA XML file into the folder gateway.models names)",
    ],
    [
      "an executable resource",
      "{ 5700: voltage }",
      "{ 5700: voltage, 5605: voltage }",
      "m.yaml:15:39 objects[2].resources.5605: resource 5605 (Reset Min and Max Measured Values) is executed, it has no value",
    ],
    [
      "a mandatory resource that nothing feeds",
      "{ 5700: voltage }",
      "{ 5750: { value: x } }",
      "m.yaml:14:5 objects[2].resources: object 3316 needs resource 5700 (Sensor Value) (name the point that feeds it)",
    ],
    [
      "text where a switch belongs",
      "type: bool",
      "type: string",
      "m.yaml:13:24 objects[1].resources.5850: resource 5850 (On/Off) is boolean, point 'relay' gives string: text cannot be a boolean (use map to say which value means what)",
    ],
    [
      "a literal beyond the model's range",
      "5750: { value: Mains }",
      "6042: { value: 24 }",
      "m.yaml:11:39 objects[0].resources.6042: resource 6042 (Measurement Quality Indicator) takes integer of 0 to 23",
    ],
    ["a number where a literal is text is taken as text", "value: Mains", "value: 5", ""],
    [
      "a verify of an unknown point",
      "verify: { voltage:",
      "verify: { volt:",
      "m.yaml:16:17 verify.volt: no point 'volt'",
    ],
    [
      "bounds the wrong way round",
      "[180, 260]",
      "[260, 180]",
      "m.yaml:16:20 verify.voltage: the lower bound 260 is above the upper bound 180",
    ],
    [
      "an unknown adapter",
      "adapter: fake",
      "adapter: fke",
      "m.yaml:3:10 adapter: no adapter 'fke' (did you mean 'fake'?)",
    ],
  ])("%s", (_, good, bad, problem) => {
    const { problems } = read(GOOD.replace(good, bad));
    expect(problems).toEqual(problem === "" ? [] : [problem]);
  });

  it("a resource in another unit than the model fixes", () => {
    const text = GOOD.replace(
      "object: 3316\n    resources: { 5700: voltage, 5750: { value: Mains } }",
      "object: 3305\n    resources: { 5800: voltage }",
    );
    expect(read(text).problems).toEqual([
      "m.yaml:11:24 objects[0].resources.5800: resource 5800 (Instantaneous active power) is in W, point 'voltage' in V (convert with scale and offset, and name the unit that results)",
    ]);
  });

  it("a unit that differs only in its case: mW is not MW", () => {
    const text = GOOD.replaceAll("object: 3316", "object: 3305").replaceAll("5700: voltage", "5800: voltage");
    expect(read(text.replace("unit: V", "unit: W")).problems).toEqual([]);
    expect(read(text.replace("unit: V", "unit: w")).problems).toHaveLength(2);
  });

  it("a write-only point that feeds what is read", () => {
    const what = "resource 5700 (Sensor Value) is read, but point 'voltage' is write only (access: rw)";
    expect(read(GOOD.replace("unit: V, every: fast", "unit: V, access: w")).problems).toEqual([
      `m.yaml:11:24 objects[0].resources.5700: ${what}`,
      `m.yaml:15:24 objects[2].resources.5700: ${what}`,
    ]);
  });

  it("six mistakes come in one run, each once", () => {
    const text = GOOD.replace("title: A meter\n", "title: A meter\ncolour: red\n")
      .replace("unit: V,", "unti: V,")
      .replace("register: 9 ", "register: 99999 ")
      .replace("5850: relay", "5999: relay")
      .replace("object: 3316\n    resources: { 5700: voltage }", "object: 33160\n    resources: { 5700: voltage }")
      .replace("[180, 260]", "[260, 180]");
    const { problems } = read(text);
    expect(problems.map((line) => line.split(": ")[0])).toEqual(
      expect.arrayContaining([
        "m.yaml:3:1 colour",
        "m.yaml:8:50 points.voltage.unti",
        "m.yaml:9:30 points.relay.at.register",
        "m.yaml:14:24 objects[1].resources.5999",
        "m.yaml:15:13 objects[2].object",
        "m.yaml:17:20 verify.voltage",
      ]),
    );
  });
});
