import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shippedMappings } from "../../src/mapping/profiles.js";
import { readText } from "./read-profile.js";

const text = readFileSync(join(shippedMappings(), "README.md"), "utf8");
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, example = ""]) => example);

const HEAD = "profile: example\ntitle: An example\nadapter: modbus\n";
const HEAD_KEYS = /^(probe|setup|limits|timing|parameters|points|replaces|deprecated):/;

/** An example with what a file needs besides: the rest of the head, or a map of points around it. */
function complete(example: string): string {
  const head = `${HEAD}addressBase: 0\nobjects: []\n`;
  if (!HEAD_KEYS.test(example)) return `${head}points:\n${example.replace(/^/gm, "  ")}`;
  return `${head}${example}${example.includes("points:") ? "" : "points: {}\n"}`;
}

describe("the examples of mappings/README.md", () => {
  it("are many", () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples.map((example) => [example.split("\n")[0] ?? "", example]))("%s …", (_, example) => {
    const { problems } = readText(complete(example));
    // What an example refers to need not stand in it.
    expect(problems.filter((problem) => !problem.includes(": no point '"))).toEqual([]);
  });
});
