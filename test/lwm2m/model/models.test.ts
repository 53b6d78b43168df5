import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compareVersions,
  impliedVersion,
  loadModels,
  modelRegistry,
  objectToJson,
} from "../../../src/lwm2m/model/models.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-models-"));
});
afterAll(() => rm(folder, { recursive: true }));

const OWN = `<LWM2M><Object><Name>Own</Name><ObjectID>#</ObjectID><ObjectVersion>1.1</ObjectVersion>
  <Resources><Item ID="1"><Name>x</Name><Operations>RW</Operations><Type>String</Type></Item></Resources></Object></LWM2M>`;

describe("loadModels", () => {
  it("knows the shipped objects in all versions, the newest first", async () => {
    const models = await loadModels();
    expect(models.objectIds).toEqual(expect.arrayContaining([0, 1, 3, 5, 25, 3303, 3306, 3442, 10243, 18831]));
    expect(models.object(3303)).toMatchObject({ name: "Temperature", version: "1.1", multiple: true });
    expect(models.object(3303, "1.0")?.resources.has(5518)).toBe(false);
    expect(models.object(3303)?.resources.get(5700)).toMatchObject({ operations: "R", type: "float", mandatory: true });
    expect(models.object(3)?.resources.get(11)).toMatchObject({ multiple: true, type: "integer" });
    expect(models.object(3303, "9.9")).toBeUndefined();
    expect(models.object(3443)).toBeUndefined();
    expect(models.object(10244)).toBeUndefined();
  });

  it("gives every readable or writable resource a type and no executable one", async () => {
    const models = await loadModels();
    const wrong = models.objectIds.flatMap((id) =>
      [...(models.object(id)?.resources.values() ?? [])].filter(
        ({ operations, type }) => (operations === "E") !== (type === undefined),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it("puts files of the user ahead and names every bad one", async () => {
    await writeFile(join(folder, "a.xml"), OWN.replace("#", "3303"));
    await writeFile(join(folder, "b.XML"), OWN.replace("#", "40000"));
    await writeFile(join(folder, "notes.txt"), "not a model");
    const models = await loadModels(folder);
    expect(models.object(3303)?.name).toBe("Own");
    expect(models.object(40000)?.resources.get(1)?.type).toBe("string");

    await writeFile(join(folder, "c.xml"), "<LWM2M>");
    await writeFile(join(folder, "d.xml"), OWN);
    await expect(loadModels(folder)).rejects.toThrow(/c\.xml.*d\.xml/);
    await expect(loadModels(join(folder, "missing"))).rejects.toMatchObject({ code: "LWM2M_MODEL" });
  });

  it("writes models as compact JSON without false flags", () => {
    const model = { id: 9, name: "n", version: "1.0", multiple: false, mandatory: true, resources: new Map() };
    expect(objectToJson(model)).toEqual({ id: 9, name: "n", version: "1.0", mandatory: true, resources: [] });
    expect(modelRegistry([model]).object(9)).toBe(model);
  });
});

describe("versions", () => {
  it.each([
    ["1.0", "1.1", -1],
    ["1.10", "1.9", 1],
    ["2.0", "1.9", 1],
    ["1.2", "1.2", 0],
  ])("orders %s and %s", (a, b, sign) => expect(Math.sign(compareVersions(a, b))).toBe(sign));

  it.each([
    [3, "1.0", "1.0"],
    [3, "1.1", "1.1"],
    [4, "1.1", "1.2"],
    [5, "1.1", "1.0"],
    [1, "1.2", "1.2"],
    [2, "1.2", "1.1"],
    [4, "1.2", "1.3"],
    [5, "1.2", "1.1"],
    [7, "1.2", "1.0"],
    [25, "1.2", "1.0"],
    [3303, "1.2", "1.0"],
  ] as const)("implies for /%i in LwM2M %s version %s", (id, lwm2m, version) => {
    expect(impliedVersion(id, lwm2m)).toBe(version);
  });
});
