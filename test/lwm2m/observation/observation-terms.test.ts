import { describe, expect, it } from "vitest";
import { AttributeStore } from "../../../src/lwm2m/observation/attribute-store.js";
import type { Attributes } from "../../../src/lwm2m/observation/attributes.js";
import { type ObservationDefaults, termsOf } from "../../../src/lwm2m/observation/observation-terms.js";
import { parsePath } from "../../../src/lwm2m/path.js";

const DEFAULTS: ObservationDefaults = { pmin: 1, pmax: 0, delivery: "NON" };

function terms(target: string, paths: readonly string[], attached: Record<string, Attributes>, own?: Attributes) {
  const store = new AttributeStore();
  for (const [path, attributes] of Object.entries(attached)) store.write(parsePath(path), attributes);
  const view = { attributes: store };
  const scope = { target: parsePath(target), paths: paths.map((path) => ({ path: parsePath(path), view })), own };
  return termsOf(scope, DEFAULTS);
}

describe("terms of an Observe", () => {
  const of = (attached: Record<string, Attributes>, own?: Attributes) =>
    terms("/3303/0/5700", ["/3303/0/5700"], attached, own);

  it.each<[string, Record<string, Attributes>, Attributes | undefined, Attributes, "CON" | "NON"]>([
    ["the server's defaults", {}, undefined, { pmin: 1, pmax: 0 }, "NON"],
    ["inherits", { "/3303": { pmin: 9 }, "/3303/0/5700": { gt: 5 } }, undefined, { pmin: 9, pmax: 0, gt: 5 }, "NON"],
    [
      "its own instead of all attached ones",
      { "/3303": { pmin: 9, gt: 5 } },
      { lt: 3 },
      { pmin: 1, pmax: 0, lt: 3 },
      "NON",
    ],
    ["con", { "/3303/0": { con: 1 } }, undefined, { pmin: 1, pmax: 0, con: 1 }, "CON"],
    ["its own con", { "/3303/0/5700": { con: 1 } }, { con: 0 }, { pmin: 1, pmax: 0, con: 0 }, "NON"],
  ])("%s", (_, attached, own, whole, delivery) => {
    const writable = Object.fromEntries(Object.entries(attached));
    expect(of(writable, own)).toEqual({ each: [whole], whole, delivery });
  });
});

describe("terms of an Observe-Composite", () => {
  const of = (attached: Record<string, Attributes>, own?: Attributes) =>
    terms("/", ["/3/0/9", "/4/0/2"], attached, own);

  it("Core 1.2 §6.4.4: periods suit all paths", () => {
    const { each, whole } = of({ "/3": { pmin: 60 }, "/4": { pmax: 300 } });
    expect(whole).toEqual({ pmin: 60, pmax: 300 });
    expect(each.map(({ pmin, pmax }) => [pmin, pmax])).toEqual([
      [60, 300],
      [60, 300],
    ]);
  });

  it("takes the shortest pmax that counts", () => {
    expect(of({ "/3": { pmax: 100 }, "/4": { pmax: 30 } }).whole).toEqual({ pmin: 1, pmax: 30 });
    expect(of({ "/3": { pmin: 20, pmax: 10 }, "/4": { pmax: 50 } }).whole).toEqual({ pmin: 20, pmax: 50 });
    expect(of({}).whole).toEqual({ pmin: 1, pmax: 0 });
  });

  it("has conditions of their own for each path", () => {
    const { each } = of({ "/3/0/9": { lt: 20 }, "/4/0/2": { st: 5 } });
    expect(each).toEqual([
      { pmin: 1, pmax: 0, lt: 20 },
      { pmin: 1, pmax: 0, st: 5 },
    ]);
  });

  it("Core 1.2 §6.4.4: own attributes take the place of those of objects, not of the conditions", () => {
    const { each, whole, delivery } = of(
      { "/3": { pmin: 60, con: 1 }, "/4": { pmax: 300 }, "/3/0/9": { lt: 20 } },
      { epmin: 30 },
    );
    expect(whole).toEqual({ pmin: 1, pmax: 0 });
    expect(each).toEqual([
      { pmin: 1, pmax: 0, lt: 20, epmin: 30 },
      { pmin: 1, pmax: 0, epmin: 30 },
    ]);
    expect(delivery).toBe("NON");
  });

  it.each<[Record<string, Attributes>, Attributes | undefined, "CON" | "NON"]>([
    [{ "/4/0/2": { con: 1 } }, undefined, "CON"],
    [{ "/4": { con: 1 }, "/3": { con: 0 } }, undefined, "CON"],
    [{ "/4": { con: 1 } }, { con: 0 }, "NON"],
    [{}, { con: 1 }, "CON"],
  ])("confirmable by %j and %j: %s", (attached, own, delivery) => expect(of(attached, own).delivery).toBe(delivery));

  it("goes by the defaults without any path", () => {
    expect(terms("/", [], {})).toEqual({ each: [], whole: { pmin: 1, pmax: 0 }, delivery: "NON" });
  });
});
