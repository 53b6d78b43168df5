import { expect, it } from "vitest";
import { parseArguments } from "../../../src/lwm2m/operation/arguments.js";

it.each([
  ["", []],
  ["0", [[0, ""]]],
  [
    "3='text',4",
    [
      [3, "text"],
      [4, ""],
    ],
  ],
  [
    "2='10.3',7='0,1=2'",
    [
      [2, "10.3"],
      [7, "0,1=2"],
    ],
  ],
  ["1=''", [[1, ""]]],
] as const)("'%s' holds arguments", (text, expected) => {
  expect([...parseArguments(text)]).toEqual(expected);
});

it.each(["a", "0,", "10", "0=1", "0='a", "0, 1", "0,0", "1='\"'", "1='é'"])("'%s' is refused", (text) => {
  expect(() => parseArguments(text)).toThrow(/argument/);
});
