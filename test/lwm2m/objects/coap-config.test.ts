import { describe, expect, it } from "vitest";
import { DEFAULT_PARAMETERS } from "../../../src/coap/parameters.js";
import { CoapSettings, transmissionProblem } from "../../../src/coap/settings.js";
import { ContentFormat } from "../../../src/lwm2m/codec/formats.js";
import { addCoapConfig } from "../../../src/lwm2m/objects/coap-config.js";
import { shippedModels, startBench } from "../../fakes/lwm2m-client.js";

const INITIAL = { ackTimeoutMs: 2000, ackRandomFactor: 1.5, maxRetransmit: 4, nstart: 4, separateResponseMs: 247_000 };

async function start() {
  const settings = new CoapSettings({ nstart: 4 });
  const bench = await startBench({
    objects: (tree, clock) => addCoapConfig(tree, shippedModels, settings, () => 41, clock),
  });
  const write = (resourceId: number, payload: string) =>
    bench.server.text("PUT", `/500/0/${resourceId}`, { contentFormat: 0, payload });
  return { ...bench, settings, write };
}

describe("CoAP configuration", () => {
  it("shows the parameters of now, in its own units", async () => {
    const { server, settings } = await start();
    expect(settings.current).toEqual(INITIAL);
    expect(await server.text("GET", "/500/0", { accept: ContentFormat.senmlJson })).toBe(
      '2.05 [{"bn":"/500/0/","n":"0","v":41},{"n":"1","v":2},{"n":"2","v":1.5},{"n":"3","v":4},{"n":"4","v":4},{"n":"8","v":247}]',
    );
  });

  it("takes effect with Apply, all at once", async () => {
    const { server, settings, write } = await start();
    for (const [id, value] of [
      [1, "5"],
      [2, "2"],
      [3, "6"],
      [4, "1"],
      [8, "60"],
    ] as const) {
      expect(await write(id, value)).toBe("2.04");
    }
    expect(settings.current).toEqual(INITIAL);
    expect(await server.text("POST", "/500/0/9")).toBe("2.04");
    expect(settings.current).toEqual({
      ackTimeoutMs: 5000,
      ackRandomFactor: 2,
      maxRetransmit: 6,
      nstart: 1,
      separateResponseMs: 60_000,
    });
  });

  it.each([
    [0, "21"],
    [1, "0"],
    [1, "61"],
    [2, "0.9"],
    [2, "NaN"],
    [3, "-1"],
    [3, "11"],
    [4, "0"],
    [4, "65"],
    [8, "0"],
  ])("does not take %s at %i", async (id, value) => {
    const { write } = await start();
    expect(await write(id, value)).toBe("4.00");
  });

  it("does not apply what makes no sense together", async () => {
    const { server, settings, write } = await start();
    await write(1, "60");
    await write(3, "10");
    expect(await server.text("POST", "/500/0/9")).toBe("4.00");
    expect(settings.current).toEqual(INITIAL);
  });
});

it("the standard's own parameters make sense", () => {
  expect(transmissionProblem(DEFAULT_PARAMETERS)).toBeUndefined();
});
