import { describe, expect, it } from "vitest";
import { type AccessControlList, heirOf, mayCreate, NO_OWNER, rightsOf } from "../../src/lwm2m/access.js";

const list = (owner: number, ...rights: readonly (readonly [number, number])[]): AccessControlList => ({
  owner,
  rights: new Map(rights),
});

describe("what server 1 may do with an instance", () => {
  it.each([
    ["without a list nothing", undefined, 0],
    ["as its owner everything but create", list(1), 15],
    ["as its owner with an entry of its own what that says", list(1, [1, 1]), 1],
    ["what its own entry says, whatever is the default", list(2, [0, 15], [1, 3]), 3],
    ["what the default says, without an own entry", list(2, [0, 5], [2, 15]), 5],
    ["not what the default says, as its owner", list(1, [0, 1]), 15],
    ["nothing where others have entries", list(2, [2, 15], [3, 15]), 0],
    ["nothing that no bit says", list(NO_OWNER, [1, 0], [0, 31]), 0],
  ])("%s", (_, of, rights) => {
    expect(rightsOf(of, 1)).toBe(rights);
  });
});

describe("whether server 1 may create instances of an object", () => {
  it.each([
    ["without a list no", undefined, false],
    ["with the bit in its own entry yes", list(NO_OWNER, [1, 16]), true],
    ["with other bits no", list(NO_OWNER, [1, 15]), false],
    ["by the default no", list(NO_OWNER, [0, 16]), false],
    ["as its owner no", list(1), false],
  ])("%s", (_, of, isAllowed) => {
    expect(mayCreate(of, 1)).toBe(isAllowed);
  });
});

describe("who owns what server 1 leaves behind", () => {
  it.each([
    ["the one with most of Write and Delete", list(1, [2, 2], [3, 10], [4, 8]), 3],
    ["the lowest of several", list(1, [4, 8], [3, 2]), 3],
    ["also one that may only read", list(1, [1, 15], [2, 1]), 2],
    ["no server where a default is left", list(1, [0, 1]), NO_OWNER],
    ["nobody where nobody is left", list(1, [1, 15]), undefined],
    ["nobody where the default grants nothing", list(1, [0, 0]), undefined],
  ])("%s", (_, of, heir) => {
    expect(heirOf(of)).toBe(heir);
  });
});
