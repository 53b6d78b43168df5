import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/base/bytes.js";
import { model, startBench } from "../../fakes/lwm2m-client.js";

/** What the fuzz run has found, each as the shortest request that shows it. */
describe("found by fuzzing", () => {
  it.each([
    ["not a number", "f97e00"],
    ["infinity", "f97c00"],
    ["minus infinity in 64 bits", "fbfff0000000000000"],
  ])("a Write of %s is refused: it would make the whole object unreadable in JSON", async (_, cbor) => {
    const { server } = await startBench({
      prepare: (tree) => {
        tree.addObject(model(3442), undefined, "model");
        tree.addInstance(model(3442), 0);
        tree.set([3442, 0, 130], { value: 0.5, atMs: 0 });
      },
    });
    expect(await server.text("PUT", "/3442/0/130", { contentFormat: 60, payload: fromHex(cbor) })).toBe("4.00");
    expect(await server.text("GET", "/3442/0/130", { accept: 0 })).toBe("2.05 0.5");
  });
});
