import { describe, expect, it } from "vitest";
import { type Expression, type Operand, parseExpression } from "../../../src/mapping/expression/expression.js";
import { random } from "../../fakes/random.js";

function parsed(text: string): Expression {
  const result = parseExpression(text);
  if ("what" in result) throw new Error(`${text}: ${result.what} at ${result.offset}`);
  return result;
}

const VALUES: Readonly<Record<string, Operand>> = { a: 7, b: 2, half: 0.5, on: true, model: "B23", "fan.speed": 3 };

function value(text: string): Operand {
  return parsed(text).evaluate((name) => VALUES[name] ?? Number.NaN);
}

describe("an expression", () => {
  it.each<[string, Operand]>([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 4 - 3", 3],
    ["100 / 10 / 5", 2],
    ["-a + 10", 3],
    ["- -a", 7],
    ["a % 4", 3],
    ["1e3 + .5 + 0x10", 1016.5],
    ["min(3, a, b)", 2],
    ["max(a, b)", 7],
    ["abs(b - a)", 5],
    ["round(2.5)", 3],
    ["round(2.3456, 2)", 2.35],
    ["floor(-half)", -1],
    ["sqrt(49)", 7],
    ["pow(b, 10)", 1024],
    ["a & 3", 3],
    ["a | 8", 15],
    ["1 << 40", 2 ** 40],
    ["0xFF00 >> 8", 255],
    ["a >> 1 & 1", 1],
    ["a + 1 & 12", 8],
    ["a > b", true],
    ["a <= b", false],
    ["a == 7 && b != 7", true],
    ["a == 1 || on", true],
    ["!on", false],
    ["on == 1", true],
    ["on + 1", 2],
    ["a > 5 ? 'high' : 'low'", "high"],
    ["a < 1 ? 1 : a < 8 ? 2 : 3", 2],
    ['model == "B23"', true],
    ["fan.speed * 2", 6],
    ["b < a == true", true],
    ["true ? 1 : nothing / 0", 1],
  ])("%s is %s", (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it("knows what it refers to", () => {
    expect(parsed("a > 1 ? min(b, a) : c.d").names).toEqual(["a", "b", "c.d"]);
  });

  it.each<[string, Operand | typeof Number.NaN]>([
    ["1 / 0", Number.POSITIVE_INFINITY],
    ["0 / 0", Number.NaN],
    ["sqrt(-1)", Number.NaN],
    ["unknown + 1", Number.NaN],
  ])("%s is no value to be told", (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it.each<[string, RegExp]>([
    ["half & 1", /0.5 is no whole number, it has no bits/],
    ["1 << 99", /99 is no shift of 0 to 52 bits/],
    ["model + 1", /'B23' is no number/],
    ["model == 1", /'B23' is no number/],
    ["a ? 1 : 2", /7 is neither true nor false/],
    ["!a", /7 is neither true nor false/],
  ])("%s cannot be reckoned", (text, message) => {
    expect(() => value(text)).toThrow(message);
  });
});

describe("mistakes are found before anything is reckoned", () => {
  it.each<[string, number, string, string?]>([
    ["", 0, "ends too soon"],
    ["1 +", 3, "ends too soon"],
    ["1 2", 2, "'2' is one thing too many"],
    ["* 2", 0, "a value is missing before '*'"],
    ["(1 + 2", 6, "')' is missing"],
    ["a ? 1", 5, "':' is missing"],
    ["a = 1", 2, "'=' cannot stand in an expression", "equal is =="],
    ["a ^ 2", 2, "'^' cannot stand in an expression", "a power is pow(base, exponent)"],
    ["model == 'B23", 9, "''' cannot stand in an expression", "the text does not end"],
    ["rond(1)", 0, "no function 'rond'", "did you mean 'round'?"],
    ["exec('rm')", 0, "no function 'exec'", "there are min, max, abs, round, floor, sqrt, pow"],
    ["toString(1)", 0, "no function 'toString'", "there are min, max, abs, round, floor, sqrt, pow"],
    ["pow(1)", 0, "pow takes 2 values, not 1"],
    ["min()", 0, "min takes 1 to 16 values, not 0"],
    ["a; b", 1, "';' cannot stand in an expression"],
    [`${"(".repeat(200)}1${")".repeat(200)}`, 100, "is nested too deeply"],
    [`${"-".repeat(200)}1`, 100, "is nested too deeply"],
    [`a${"+a".repeat(20_000)}`, 1000, "is too long", "divide it among several derived points"],
  ])("%s", (text, offset, what, hint) => {
    expect(parseExpression(text)).toEqual({ offset, what, ...(hint === undefined ? {} : { hint }) });
  });
});

describe("random formulas", () => {
  it("have the value that the language of the machine gives them", () => {
    const { seed, next, pick } = random();
    const term = (depth: number): string => {
      if (depth === 0) return pick(["a", "b", "3", "0.25", "12"]);
      const kind = next();
      if (kind < 0.6) return `${term(depth - 1)} ${pick(["+", "-", "*", "/"])} ${term(depth - 1)}`;
      if (kind < 0.75) return `(${term(depth - 1)})`;
      if (kind < 0.85) return `-(${term(depth - 1)})`;
      return `(${term(depth - 1)} > ${term(depth - 1)} ? ${term(depth - 1)} : ${term(depth - 1)})`;
    };
    for (let round = 0; round < 500; round++) {
      const text = term(4);
      const expected = new Function("a", "b", `return ${text}`)(VALUES["a"], VALUES["b"]);
      expect(value(text), `seed ${seed}, round ${round}: ${text}`).toBe(expected);
    }
  });

  it("never do anything but give a problem", () => {
    const { seed, below } = random();
    const alphabet = "ab1.(),+-*/%<>=!&|?:'\"_ xe";
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: below(20) }, () => alphabet[below(alphabet.length)]).join("");
      const result = parseExpression(text);
      const offset = "what" in result ? result.offset : 0;
      expect(offset, `seed ${seed}, round ${round}: ${text}`).toBeLessThanOrEqual(text.length);
    }
  });
});
