import { describe, expect, it } from "vitest";
import { utf8Encode, utf8Length, utf8Write } from "../../src/base/bytes.js";

describe("UTF-8", () => {
  const texts = [
    "",
    "a",
    "/3303/0/5700",
    "a".repeat(24),
    "a".repeat(25),
    "é",
    `${"a".repeat(23)}é`,
    "€".repeat(20),
    "😀",
    "\ud800",
    "\0",
  ];

  it.each(texts)("of %j is what the standard library makes of it", (text) => {
    const expected = new TextEncoder().encode(text);
    const byteLength = utf8Length(text);
    const target = Buffer.alloc(byteLength + 2, 0x2e);
    utf8Write(text, byteLength, target, 1);
    expect(utf8Encode(text)).toEqual(expected);
    expect(byteLength).toBe(expected.length);
    expect([...target]).toEqual([0x2e, ...expected, 0x2e]);
  });
});
