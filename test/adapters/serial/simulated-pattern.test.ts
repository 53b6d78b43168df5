import { expect, it } from "vitest";
import { textFor } from "../../../adapters/serial/simulated-pattern.js";

it.each<[pattern: string, group: number, text: string]>([
  ["^S [SD]\\s+(-?[\\d.]+)\\s+g$", 1, "S D 0 g"],
  ["^\\$..GGA,", 0, "$AAGGA,"],
  ["a|b(\\d)", 1, "b0"],
  ["a|b(\\d)", 0, "a"],
  ["(?:T=(\\d{2,4}))?;", 1, "T=00;"],
  ["(?<word>[^,]{3}),(?<next>x*)", 2, "AAA,"],
  ["^(?!ERR)([A-Z]+)$", 1, "A"],
  ["(?<!-)(\\d+)", 1, "0"],
  ["\\bOK\\b", 0, "OK"],
  ["\\x02(.+?)\\x03", 1, "\x02A\x03"],
  ["[\\]\\-]+", 0, "-"],
  ['^\\{"t":(-?\\d+)\\}$', 1, '{"t":0}'],
  ["{x}", 0, "{x}"],
  ["([+-])(\\d)", 2, "+0"],
  ["", 0, ""],
])("%s with group %d is met by a text", (pattern, group, text) => {
  expect(textFor(pattern, group)).toBe(text);
});

it.each(["(a)\\1", "(?=x)y", "a(?<=b)", "(?<n>a)\\k<n>", "[^\\s\\S]", "a^b", "x(?!y)y"])(
  "%s is beyond it, and known to be",
  (pattern) => {
    expect(textFor(pattern)).toBeUndefined();
  },
);
