import { describe, expect, it } from "vitest";
import { formatLinks, link, parseLinks } from "../../../src/lwm2m/codec/links.js";
import { random } from "../../fakes/random.js";

describe("formatLinks", () => {
  it.each([
    [[link("/1/0"), link("/3/0")], "</1/0>,</3/0>"],
    [[link("/3303", { ver: "1.1" }), link("/3303/0")], "</3303>;ver=1.1,</3303/0>"],
    [[link("/", { rt: "oma.lwm2m", ct: "60 110 112" })], '</>;rt="oma.lwm2m";ct="60 110 112"'],
    [[link("/3/0/7", { dim: 2, gt: 50, lt: 42.2, st: -0.5 })], "</3/0/7>;dim=2;gt=50;lt=42.2;st=-0.5"],
    [[link("/x", { obs: true, title: 'a "b" \\' })], '</x>;obs;title="a \\"b\\" \\\\"'],
    [[], ""],
  ])("writes %j", (links, text) => {
    expect(formatLinks(links)).toBe(text);
    const parsed = parseLinks(text).map(({ target, attributes }) => [target, [...attributes.values()].map(String)]);
    expect(parsed).toEqual(links.map(({ target, attributes }) => [target, [...attributes.values()].map(String)]));
  });
});

describe("parseLinks", () => {
  it("forgives white space and takes quoted versions", () => {
    const links = parseLinks('</3>;ver="1.1" ; pmin=10 , </3/0>;obs, </5>');
    expect(links.map(({ target }) => target)).toEqual(["/3", "/3/0", "/5"]);
    expect(Object.fromEntries(links[0]?.attributes ?? [])).toEqual({ ver: "1.1", pmin: "10" });
    expect(links[1]?.attributes.get("obs")).toBe(true);
  });

  it.each(["/3", "</3", "</3>x", "</3>;=1", "</3>;a=", '</3>;a="b', "</3>,", ",</3>"])("refuses %s", (text) => {
    expect(() => parseLinks(text)).toThrow(expect.objectContaining({ code: "LWM2M_DECODE" }));
  });

  it("gives links or LWM2M_DECODE for anything", () => {
    const { seed, pick } = random();
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: 20 }, () => pick(["<", ">", "/3", ";", ",", "=", '"', "\\", "a", " "])).join(
        "",
      );
      try {
        parseLinks(text);
      } catch (error) {
        expect(error, `seed ${seed}`).toMatchObject({ code: "LWM2M_DECODE" });
      }
    }
  });
});
