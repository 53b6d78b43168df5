import { describe, expect, it } from "vitest";
import { joinObjects, object } from "../../src/base/object-schema.js";
import {
  boolean,
  durationMs,
  integer,
  list,
  literal,
  number,
  oneOf,
  Problems,
  record,
  refine,
  type Schema,
  sizeBytes,
  string,
  union,
} from "../../src/base/schema.js";
import { formatProblem, parseSource } from "../../src/base/source.js";

function read<T>(schema: Schema<T>, text: string): { value: T | undefined; problems: string[] } {
  const parsed = parseSource(text, "f.yaml");
  const problems = new Problems();
  problems.list.push(...parsed.problems);
  const value = parsed.root === undefined ? undefined : schema.read(parsed.root, "", problems);
  return { value, problems: problems.list.map(formatProblem) };
}

describe("scalars", () => {
  it.each<[string, Schema<unknown>, string, unknown]>([
    ["text", string, "abc", "abc"],
    ["on is text in YAML 1.2", string, "on", "on"],
    ["quoted digits", string, '"12:30"', "12:30"],
    ["number", number(), "1.5", 1.5],
    ["hex integer", integer(), "0x10", 16],
    ["boolean", boolean, "true", true],
    ["milliseconds", durationMs, "500ms", 500],
    ["minutes", durationMs, "1.5m", 90_000],
    ["days", durationMs, "30d", 2_592_000_000],
    ["size", sizeBytes, "256MiB", 268_435_456],
    ["word", oneOf("fast", "slow"), "slow", "slow"],
    ["literal", literal(7), "7", 7],
  ])("reads %s", (_, schema, text, value) => {
    expect(read(schema, text)).toEqual({ value, problems: [] });
  });

  it.each<[string, Schema<unknown>, string, string]>([
    ["a number as text", string, "12", "f.yaml:1:1: expected text, found 12 (put it into quotes, as it is to be read)"],
    [
      "a serial number in hexadecimal as text",
      string,
      "0x00158d0001a2b3c4",
      "f.yaml:1:1: expected text, found 6066005677880260 (put it into quotes, as it is to be read)",
    ],
    ["no text", string, '""', 'f.yaml:1:1: expected text, found "" (it is empty)'],
    [
      "on as a switch",
      boolean,
      "on",
      "f.yaml:1:1: expected true or false, found \"on\" (write true, in YAML 1.2 'on' is text)",
    ],
    [
      "No as a switch",
      boolean,
      "No",
      "f.yaml:1:1: expected true or false, found \"No\" (write false, in YAML 1.2 'No' is text)",
    ],
    ["a time as number", number(), "12:30", 'f.yaml:1:1: expected a number, found "12:30"'],
    ["digits with _ as number", number(), "1_000", 'f.yaml:1:1: expected a number, found "1_000"'],
    ["infinity", number(), ".inf", "f.yaml:1:1: expected a number, found Infinity"],
    ["not a number", number(), ".nan", "f.yaml:1:1: expected a number, found NaN"],
    ["a fraction as integer", integer(0, 247), "1.5", "f.yaml:1:1: expected a whole number from 0 to 247, found 1.5"],
    ["out of range", integer(0, 247), "300", "f.yaml:1:1: expected a whole number from 0 to 247, found 300"],
    [
      "a bare number as duration",
      durationMs,
      "5",
      "f.yaml:1:1: expected a duration such as 500ms, 5s, 10m, 24h, found 5",
    ],
    [
      "a misspelt word",
      oneOf("fast", "normal", "slow"),
      "norml",
      "f.yaml:1:1: expected fast | normal | slow, found \"norml\" (did you mean 'normal'?)",
    ],
    ["nothing", string, "~", "f.yaml:1:1: expected text, found nothing"],
    ["a list", string, "[1]", "f.yaml:1:1: expected text, found a list"],
  ])("refuses %s", (_, schema, text, problem) => {
    expect(read(schema, text).problems).toEqual([problem]);
  });
});

describe("maps and lists", () => {
  const device = object({ name: string, unit: integer(1, 247) }, { poll: durationMs });

  it("reads required and optional keys", () => {
    expect(read(device, "name: a\nunit: 7\npoll: 1s").value).toEqual({ name: "a", unit: 7, poll: 1000 });
  });

  it("names every mistake of one map with its place, in one run", () => {
    expect(read(device, "nam: a\nunit: 999\npoll: soon\n").problems).toEqual([
      "f.yaml:1:1 nam: unknown key (did you mean 'name'?)",
      "f.yaml:2:7 unit: expected a whole number from 1 to 247, found 999",
      'f.yaml:3:7 poll: expected a duration such as 500ms, 5s, 10m, 24h, found "soon"',
      "f.yaml:1:1: 'name' is missing",
    ]);
  });

  it("goes on in a list after a mistake", () => {
    expect(read(list(integer()), "[1, x, 3, y]")).toEqual({
      value: [1, 3],
      problems: [
        'f.yaml:1:5 [1]: expected a whole number, found "x"',
        'f.yaml:1:11 [3]: expected a whole number, found "y"',
      ],
    });
  });

  it("keeps the order of a record", () => {
    expect([...(read(record(integer()), "b: 1\na: 2").value ?? [])]).toEqual([
      ["b", 1],
      ["a", 2],
    ]);
  });

  it("joins two objects", () => {
    const joined = joinObjects(object({ a: integer() }), object({ b: integer() }, { c: integer() }));
    expect(read(joined, "{ a: 1, b: 2, c: 3 }").value).toEqual({ a: 1, b: 2, c: 3 });
    expect(read(joined, "{ a: 1 }").problems).toEqual(["f.yaml:1:1: 'b' is missing"]);
  });

  it("takes the member of a union that fits, and complains of the nearer one", () => {
    const value = union(string, object({ value: integer() }));
    expect(read(value, "power").value).toBe("power");
    expect(read(value, "{ value: 3 }").value).toEqual({ value: 3 });
    expect(read(value, "{ value: x }").problems).toEqual(['f.yaml:1:10 value: expected a whole number, found "x"']);
  });

  it("applies further checks", () => {
    const even = refine(integer(), (n) => (n % 2 === 0 ? undefined : "must be even"));
    expect(read(even, "3").problems).toEqual(["f.yaml:1:1: must be even"]);
  });
});

describe("broken YAML", () => {
  it.each([
    ["tab", "a:\n\t- 1"],
    ["half written", 'a: "unfinished'],
    ["duplicate key", "a: 1\na: 2"],
    ["unclosed map", "{ a: 1"],
  ])("%s gives problems with a place, and throws nothing", (_, text) => {
    const { problems } = parseSource(text, "f.yaml");
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(formatProblem(problem)).toMatch(/^f\.yaml:\d+:\d+: \S/);
  });

  it.each<[string, string]>([
    ["a: 1\na: 2", "f.yaml:2:1: a key stands twice in one map (only one of the two can count: take one out)"],
    [
      "m: { 16: a, 0x10: b }",
      "f.yaml:1:13: a key stands twice in one map (only one of the two can count: take one out)",
    ],
    [
      'm: { 1: a, "1": b }',
      "f.yaml:1:12: the key '1' stands twice in one map (only one of the two can count: take one out)",
    ],
    [
      "a: 010",
      'f.yaml:1:4: 010 has a leading zero, which can mean several things (write 10, 0o… for octal, or "010" for text)',
    ],
    [
      "{ 007: a }",
      'f.yaml:1:3: 007 has a leading zero, which can mean several things (write 7, 0o… for octal, or "007" for text)',
    ],
    [
      "a:\n\tb: 1",
      "f.yaml:2:1: Tabs are not allowed as indentation (mend the YAML syntax first; spaces, not tabs, indent)",
    ],
    [
      "a: 1\n---\nb: 2",
      "f.yaml:2:1: a second document begins with --- (only one is read: give each a file of its own)",
    ],
    ["a: &x { b: 1 }\nc: { <<: *x }", "f.yaml:2:6: '<<' would merge maps (YAML 1.2 has none: write the keys out)"],
    ["a: &x [*x]", "f.yaml:1:8: what *x stands for contains itself"],
    ["a: &x { b: { c: *x } }", "f.yaml:1:17: what *x stands for contains itself"],
  ])("%j is told in words of its own", (text, problem) => {
    expect(parseSource(text, "f.yaml").problems.map(formatProblem)).toContain(problem);
  });

  it.each(["a: 0", "a: 0.5", "a: 0x10", "a: 0o10", 'a: "010"', "a: -0.5", "a: 10", "a: 00:15:8d"])(
    "%s is good",
    (text) => {
      expect(parseSource(text, "f.yaml").problems).toEqual([]);
    },
  );

  it("an empty file has no root and no syntax problem", () => {
    expect(parseSource("", "f.yaml")).toEqual({ root: undefined, problems: [] });
  });

  it("follows aliases", () => {
    expect(read(record(integer()), "a: &x 5\nb: *x").value?.get("b")).toBe(5);
    expect(read(record(list(integer())), "a: &x [1, 2]\nb: *x\nc: *x").value?.get("c")).toEqual([1, 2]);
  });

  it("follows no more aliases than a file can mean", () => {
    const lines = Array.from("bcdefgh", (name, index) => `${name}: &${name} [${`*${"abcdefg"[index]},`.repeat(10)}]`);
    const { problems } = parseSource(["a: &a [x]", ...lines].join("\n"), "f.yaml");
    expect(problems.map(({ what }) => what)).toEqual(["too much is said by aliases"]);
  });
});
