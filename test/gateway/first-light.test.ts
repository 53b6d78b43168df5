import { describe, expect, it } from "vitest";
import { random } from "../fakes/random.js";
import { METER_PATHS, Rig } from "./rig.js";

const { seed } = random();

describe(`first light (seed ${seed})`, () => {
  it("registers, is observed, and each change of the field arrives once with the right value", async () => {
    await using rig = new Rig({ seed });
    await rig.start();
    await rig.run(30_000);
    expect(rig.server.log[0]).toBe("POST /rd?ep=urn:dev:os:32473-1&lt=300&lwm2m=1.2&b=U");
    for (const path of METER_PATHS) expect(rig.server.links).toContain(`<${path.slice(0, -5)}>`);
    const values = rig.server.arrivals.filter(({ path }) => path === "/3300/3/5700").map(({ value }) => value);
    expect(values.length).toBeGreaterThan(28);
  });
});
