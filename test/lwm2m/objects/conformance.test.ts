import { expect, it } from "vitest";
import { loadModels } from "../../../src/lwm2m/models.js";
import { addConformanceObjects } from "../../../src/lwm2m/objects/conformance.js";
import { addDevice } from "../../../src/lwm2m/objects/device.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import { FakeClock } from "../../fakes/clock.js";

it("the test specification finds a serial number, two power sources and an empty Portfolio", async () => {
  const tree = new ObjectTree();
  const models = await loadModels();
  const clock = new FakeClock();
  addDevice(tree, models, { modelNumber: "x", binding: "U" }, clock);
  addConformanceObjects(tree, models, clock);
  const counts = [2, 6, 7, 8, 9].map((id) => tree.resource(3, 0, id)?.samples.size);
  expect(counts).toEqual([1, 2, 2, 2, 1]);
  expect(tree.objects.get(16)?.instances.size).toBe(0);
  expect(tree.objects.get(16)?.factory?.create(0)).toEqual(new Map());
});
