import { describe, expect, it } from "vitest";
import { goodProfile, readText } from "./read-profile.js";

const HEAD = `profile: device
title: A device
adapter: fake
objects: []
points:
`;

/** The problems of a file whose points begin at line 6. */
function problemsOf(...points: readonly string[]): readonly string[] {
  return readText(HEAD + points.map((point) => `  ${point}\n`).join("")).problems;
}

describe("what points say of each other", () => {
  it.each<[string, readonly string[], string]>([
    [
      "a misspelt point in a formula",
      ["energy: { at: { register: 0 } }", "twice: { expr: 2 * enrgy }"],
      "m.yaml:7:18 points.twice.expr: no point 'enrgy' (did you mean 'energy'?)",
    ],
    [
      "a formula with a mistake",
      ["energy: { at: { register: 0 } }", 'twice: { expr: "2 * (energy" }'],
      "m.yaml:7:18 points.twice.expr: ')' is missing, at its end of '2 * (energy'",
    ],
    [
      "a function that is none",
      ["energy: { at: { register: 0 } }", 'half: { expr: "flor(energy / 2)" }'],
      "m.yaml:7:17 points.half.expr: no function 'flor', at 'flor(energy ' of 'flor(energy / 2)' (did you mean 'floor'?)",
    ],
    [
      "a circle",
      ["a: { expr: b + 1 }", "b: { expr: c + 1 }", "c: { expr: a }"],
      "m.yaml:6:14 points.a.expr: needs itself: a → b → c → a",
    ],
    [
      "a derived point that is to be read from the device",
      ["a: { expr: 1 + 1, at: { register: 0 } }"],
      "m.yaml:6:21 points.a.at: unknown key",
    ],
    [
      "a formula over what cannot be read",
      ["a: { at: { register: 0 }, access: w }", "b: { expr: a }"],
      "m.yaml:7:14 points.b.expr: point 'a' is write only (access: rw)",
    ],
    [
      "an unknown factor",
      ["a: { at: { register: 0 }, scaleFrom: a_SF }"],
      "m.yaml:6:40 points.a.scaleFrom: no point 'a_SF'",
    ],
    [
      "a factor that has a factor",
      [
        "a: { at: { register: 0 }, scaleFrom: b }",
        "b: { at: { register: 1 }, scaleFrom: c }",
        "c: { at: { register: 2 } }",
      ],
      "m.yaml:6:40 points.a.scaleFrom: 'b' has a factor itself",
    ],
    [
      "a unit that measures something else",
      [
        "u: { at: { register: 0 } }",
        "p: { at: { register: 1 }, unit: Pa, unitFrom: { point: u, map: { 0: bar, 1: cm } } }",
      ],
      "m.yaml:7:49 points.p.unitFrom.map.1: 'cm' cannot be converted to Pa (Pa measures something else)",
    ],
    [
      "a misspelt unit",
      ["u: { at: { register: 0 } }", "p: { at: { register: 1 }, unit: Pa, unitFrom: { point: u, map: { 0: mbr } } }"],
      "m.yaml:7:49 points.p.unitFrom.map.0: 'mbr' cannot be converted to Pa (did you mean 'mbar'?)",
    ],
    [
      "a unit that is converted into none",
      ["u: { at: { register: 0 } }", "p: { at: { register: 1 }, unitFrom: { point: u, map: { 0: bar } } }"],
      "m.yaml:7:6 points.p: 'unitFrom' needs 'unit', into which it converts",
    ],
    [
      "a condition on what is not read once",
      ["fw: { at: { register: 0 } }", "a: { at: { register: 1 }, when: fw > 2 }"],
      "m.yaml:7:35 points.a.when: 'fw' is not read once after each connect (say every: once at 'fw')",
    ],
    [
      "a condition on what depends on a condition",
      [
        "fw: { at: { register: 0 }, every: once }",
        "hw: { at: { register: 0 }, every: once, when: fw > 2 }",
        "a: { at: { register: 1 }, when: hw > 2 }",
      ],
      "m.yaml:8:35 points.a.when: 'hw' has a condition itself",
    ],
    [
      "a condition with a mistake",
      ["fw: { at: { register: 0 }, every: once }", "a: { at: { register: 1 }, when: fw => 2 }"],
      "m.yaml:7:35 points.a.when: '=' cannot stand in an expression, at '=> 2' of 'fw => 2' (equal is ==)",
    ],
  ])("%s", (_, points, problem) => {
    const problems = problemsOf(...points);
    expect(
      problems.some((line) => line.startsWith(problem)),
      problems.join("\n"),
    ).toBe(true);
  });

  it("a mistake in a point is no second one where the point is used", () => {
    expect(problemsOf("a: { at: { register: -1 } }", "b: { expr: 2 * a, when: a > 1 }")).toHaveLength(1);
  });

  it("derived points stand after those that they need", () => {
    const { derived } = goodProfile(`${HEAD}  a: { expr: b + c }\n  b: { expr: c }\n  c: { at: { register: 0 } }\n`);
    expect([...derived.keys()]).toEqual(["b", "a"]);
  });
});

describe("what does not go together in a point", () => {
  it.each<[string, string]>([
    ["curve: [[0, 0], [10, 5]], scale: 2", "'curve' stands in the place of 'scale' and 'offset'"],
    ["curve: [[0, 0]]", "a curve has two points at least"],
    ["curve: [[0, 0], [0, 5]]", "the raw value 0 does not lie above the one before"],
    ["curve: [[0, 0], [1]]", "expected two numbers, [raw, value]"],
    [
      "curve: [[0, 0], [5, 5], [9, 0]], access: rw",
      "a curve that rises and falls, or is level, cannot be written: say access: r",
    ],
    ["curve: [[0, 0], [5, 5]], map: { 0: a }", "'map' and 'curve' exclude each other"],
    ["map: { 0: a }, scale: 2", "'map' stands in the place of 'scale' and 'offset'"],
    [
      'map: { "1 .. 5": low }',
      "'1 .. 5' of the map is never met: the point is a number, its keys are numbers, ranges such as 10..19, and default",
    ],
    [
      'map: { "0x10": low }',
      "'0x10' of the map is never met: the point is a number, its keys are numbers, ranges such as 10..19, and default",
    ],
    [
      "type: bool, map: { 0: low, 1: high }",
      "'0' of the map is never met: the point is a boolean, its keys are true and false",
    ],
    [
      "type: bool, map: { 0..1: low }",
      "'0..1' of the map is never met: the point is a boolean, its keys are true and false",
    ],
    ["map: { 1..5: low, 5..9: high }", "overlaps with 1..5"],
    ["map: { 9..5: low }", "the lower bound 9 is above the upper bound 5"],
    ["rollover: 2^32", "'rollover' is for counters: say kind: counter"],
    ["onReset: continue", "'onReset' is for counters: say kind: counter"],
    ["kind: counter, rollover: 2^64", "expected a number of counts up to 2^53, such as 2^32 or 100000000"],
    ["kind: counter, rollover: 2^16, access: rw", "a total that the gateway keeps cannot be written: say access: r"],
    ["map: { 0: a }, scaleFrom: x", "'map' and a factor of the device exclude each other"],
    ["step: 0", "expected a number above 0"],
    ["report: { deadband: -1 }", "expected a number from 0, found -1"],
    ["report: { interval: 5s }", "unknown key"],
  ])("%s", (keys, what) => {
    const problems = problemsOf("x: { at: { register: 1 } }", `a: { at: { register: 0 }, ${keys} }`);
    expect(problems.map((line) => line.replace(/^\S+ \S+: /, "").replace(/ \((did|known).*/, ""))).toContain(what);
  });

  it("a total of a formula, of which only its inputs can roll over", () => {
    expect(problemsOf("x: { at: { register: 1 } }", "a: { expr: x, kind: counter, rollover: 2^16 }")).toEqual([
      "m.yaml:7:6 points.a: 'rollover' is for points of the device: say it at those of the formula",
    ]);
  });

  it("a formula without a point, which nothing would ever bring", () => {
    expect(problemsOf("a: { expr: 5 }", "b: { expr: 2 * 3 }")).toEqual([
      "m.yaml:6:6 points.a: a formula without a point: what never changes is { value: … } at the resource",
      "m.yaml:7:6 points.b: a formula without a point: what never changes is { value: … } at the resource",
    ]);
  });

  it("keys of a map that are met, as YAML and devices have them", () => {
    const maps = ["{ 0x10: a, -1: b, 1.5: c, 1e2: d, 2..3: e, default: f }", "{ true: a, false: b }, type: bool"];
    for (const map of [...maps, "{ ON: a, 1: b }, type: string"]) {
      expect(problemsOf(`a: { at: { register: 0 }, map: ${map} }`)).toEqual([]);
    }
  });

  it("a word that the resource cannot take, of ranges and of the default, too", () => {
    const text = (map: string) =>
      `profile: d\ntitle: D\nadapter: fake\npoints:\n  a: { at: { register: 0 }, map: ${map} }\nobjects:\n  - object: 3306\n    resources: { 5850: a }\n`;
    expect(readText(text("{ 0: false, 1..9: true }")).problems).toEqual([]);
    for (const map of ["{ 0: off }", "{ 0: false, 1..9: on }", "{ 0: false, default: on }"]) {
      expect(readText(text(map)).problems.join()).toMatch(
        /point 'a' gives "o(n|ff)": text cannot be a boolean \(the words are true and false\)/,
      );
    }
  });

  it("text where a formula gives a number", () => {
    const text =
      "profile: d\ntitle: D\nadapter: fake\npoints:\n  a: { at: { register: 0 } }\n  b: { expr: \"a > 1 ? 'x' : 'y'\" }\nobjects:\n  - object: 3303\n    resources: { 5700: b }\n";
    expect(readText(text).problems.join()).toMatch(/point 'b' gives string: text cannot be a float/);
  });

  it("a derived point cannot feed what is written", () => {
    const text =
      "profile: d\ntitle: D\nadapter: fake\npoints:\n  a: { at: { register: 0 } }\n  b: { expr: 2 * a }\nobjects:\n  - object: 5\n    resources: { 0: b }\n";
    expect(readText(text).problems.join()).toMatch(
      /0 \(Package\) is written, but point 'b' is read only \(what is reckoned cannot be written\)/,
    );
  });
});
