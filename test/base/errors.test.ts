import { expect, it } from "vitest";
import { CausewayError } from "../../src/base/errors.js";

it("takes the errors of another copy of the module for its own, and nothing else", () => {
  const theirs = { [Symbol.for("causeway.error")]: true };
  expect(theirs instanceof CausewayError).toBe(true);
  expect(new CausewayError("INTERNAL", "ours") instanceof CausewayError).toBe(true);
  for (const other of [new Error("INTERNAL"), { code: "INTERNAL" }, null]) {
    expect(other instanceof CausewayError).toBe(false);
  }
});
