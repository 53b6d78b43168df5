import { expect, it } from "vitest";
import { addConformanceObjects } from "../../../src/lwm2m/objects/conformance.js";
import { addDevice } from "../../../src/lwm2m/objects/device.js";
import { ObjectTree } from "../../../src/lwm2m/tree.js";
import { FakeClock } from "../../fakes/clock.js";
import { shippedModels } from "../../fakes/lwm2m-client.js";

it("the test specification finds a serial number, two power sources and the test object", () => {
  const tree = new ObjectTree();
  const clock = new FakeClock();
  addDevice(tree, shippedModels, { modelNumber: "x", binding: "U" }, clock);
  addConformanceObjects(tree, shippedModels, { clock, random: () => 0, send: () => undefined });
  const counts = [2, 6, 7, 8, 9].map((id) => tree.resource(3, 0, id)?.samples.size);
  expect(counts).toEqual([1, 2, 2, 2, 1]);
  expect(tree.instance(3442, 0)).toBeDefined();
});
