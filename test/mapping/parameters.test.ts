import { describe, expect, it } from "vitest";
import { Problems } from "../../src/base/schema.js";
import { formatProblem, type Located, parseSource } from "../../src/base/source.js";
import { substitute } from "../../src/mapping/parameters.js";
import type { Word } from "../../src/mapping/value-map.js";
import { readText } from "./read-profile.js";

const FILE = `profile: device
title: A device of \${id}
adapter: fake
parameters:
  register: { default: 5 }
  id: { required: true, note: the number on its plate }
  factor: { default: 10, oneOf: [1, 10, 100] }
points:
  a: { at: { register: "\${register}" }, scale: "\${factor}" }
  b: { expr: "\${factor} * a", note: "\${env:HOME} \${id}" }
objects:
  - object: 3303
    resources: { 5700: a, 5750: { value: "Boiler \${id}, \${factor}" } }
`;

describe("parameters in a mapping file", () => {
  it("stand for their defaults, and their names, while the file is checked alone", () => {
    const { profile, problems } = readText(FILE);
    expect(problems).toEqual([]);
    expect(profile?.title, "what is for people is as it stands").toBe(`A device of \${id}`);
    expect(profile?.points.get("a")).toMatchObject({
      point: { address: { at: { register: 5 } } },
      transform: { scale: 10 },
    });
    expect(profile?.derived.get("b")?.expression.text).toBe("10 * a");
    expect(profile?.objects[0]?.resources.get(5750)).toEqual({ kind: "literal", value: "Boiler id, 10" });
  });

  it("may be all of a condition", () => {
    const { profile, problems } = readText(FILE.replace("scale:", `when: "\${factor}", scale:`));
    expect(problems).toEqual([]);
    expect(profile?.points.get("a")?.when?.text).toBe("10");
  });

  it.each<[string, string, string, string]>([
    [
      "an unknown name",
      `"\${register}"`,
      `"\${regster}"`,
      "m.yaml:9:24 points.a.at.register: no parameter 'regster' (did you mean 'register'?)",
    ],
    [
      "a value that does not fit where it stands",
      "default: 5",
      "default: five",
      'm.yaml:9:24 points.a.at.register: expected a whole number from 0 to 65535, found "five"',
    ],
    [
      "a default that is not one of the choices",
      "default: 10,",
      "default: 7,",
      "m.yaml:7:11 parameters.factor: the default 7 is not one of 1, 10, 100",
    ],
    [
      "what has a default and is required",
      "required: true",
      "required: true, default: 3",
      "m.yaml:6:7 parameters.id: with a default it is not required",
    ],
    [
      "a name that is none",
      "  id: {",
      "  i-d: {",
      "m.yaml:5:3 parameters: 'i-d' is no name: letters, digits and _, beginning with a letter",
    ],
  ])("%s is named with its place", (_, good, bad, problem) => {
    expect(readText(FILE.replace(good, bad)).problems).toContain(problem);
  });
});

describe("substitution", () => {
  function substituted(text: string, ...values: readonly (readonly [string, Word])[]): [Located | undefined, string[]] {
    const problems = new Problems();
    const { root } = parseSource(text, "f.yaml");
    const result = root === undefined ? undefined : substitute(root, new Map(values), problems);
    const entry = result?.kind === "map" ? result.entries[0]?.value : undefined;
    return [entry, problems.list.map(formatProblem)];
  }

  it.each<[string, Word | boolean]>([
    [`\${n}`, 7],
    [`\${flag}`, true],
    [`unit \${n}`, "unit 7"],
    [`\${n}\${n}`, "77"],
    [`\${text}`, `\${n}`],
    [`\${env:n} \${credential:n}`, `\${env:n} \${credential:n}`],
    ["$n {n} $ {n}", "$n {n} $ {n}"],
  ])("%s becomes %j", (text, value) => {
    const [entry, problems] = substituted(
      `points: ${JSON.stringify(text)}`,
      ["n", 7],
      ["flag", true],
      ["text", `\${n}`],
    );
    expect(problems).toEqual([]);
    expect(entry).toMatchObject({ kind: "scalar", value, at: { line: 1, column: 9 } });
  });

  it("says what to do where a file has no parameters", () => {
    expect(substituted(`points: "\${n}"`)[1]).toEqual([
      "f.yaml:1:9 points: no parameter 'n' (say it under 'parameters')",
    ]);
  });
});
