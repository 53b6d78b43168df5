import { expect, it } from "vitest";
import { parseId } from "../../src/lwm2m/path.js";

it.each([
  ["0", 0],
  ["7", 7],
  ["5700", 5700],
  ["65535", 65535],
  ["65536", undefined],
  ["99999", undefined],
  ["100000", undefined],
  ["", undefined],
  ["00", undefined],
  ["01", undefined],
  ["-1", undefined],
  ["+1", undefined],
  ["1.5", undefined],
  ["1e3", undefined],
  ["12a", undefined],
  [" 1", undefined],
  ["٣", undefined],
])("reads the id %j as %j", (segment, id) => {
  expect(parseId(segment)).toBe(id);
});
