import { describe, expect, it } from "vitest";
import { fromHex } from "../../src/base/bytes.js";
import { Duplicates } from "../../src/coap/duplicates.js";

const LIFETIME_MS = 247_000;
const request = fromHex("40010001b161");
const other = fromHex("40010001b162");
const reply = fromHex("60450001");

describe("duplicates", () => {
  it("knows a message by id and bytes until its lifetime is over", () => {
    const duplicates = new Duplicates(LIFETIME_MS, 64);
    expect(duplicates.find(1, request, 0)).toBeUndefined();
    const ticket = duplicates.remember(1, request, 0);
    expect(duplicates.find(1, request, 1)).toBe("unanswered");
    duplicates.setReply(1, ticket, reply);
    expect(duplicates.find(1, request, LIFETIME_MS - 1)).toEqual(reply);
    expect(duplicates.find(1, other, 1)).toBeUndefined();
    expect(duplicates.find(2, request, 1)).toBeUndefined();
    expect(duplicates.find(1, request, LIFETIME_MS)).toBeUndefined();
  });

  it("keeps the reply of the message that has the id now", () => {
    const duplicates = new Duplicates(LIFETIME_MS, 64);
    const late = duplicates.remember(1, request, 0);
    const ticket = duplicates.remember(1, other, 1);
    duplicates.setReply(1, late, reply);
    expect(duplicates.find(1, other, 2)).toBe("unanswered");
    duplicates.forget(1, late);
    expect(duplicates.find(1, other, 2)).toBe("unanswered");
    duplicates.forget(1, ticket);
    expect(duplicates.find(1, other, 2)).toBeUndefined();
  });

  it("remembers as many consecutive ids as its limit, around the end of the ids too", () => {
    const duplicates = new Duplicates(LIFETIME_MS, 64);
    const ids = Array.from({ length: 200 }, (_, index) => (65_450 + index) & 0xffff);
    for (const id of ids) duplicates.setReply(id, duplicates.remember(id, request, 0), reply);
    const known = ids.filter((id) => duplicates.find(id, request, 1) !== undefined);
    expect(known).toEqual(ids.slice(-64));
  });

  it("keeps replies of any size whole", () => {
    const duplicates = new Duplicates(LIFETIME_MS, 16);
    for (const length of [1_100, 3, 65, 64]) {
      const bytes = Uint8Array.from({ length }, (_, index) => index & 0xff);
      duplicates.setReply(5, duplicates.remember(5, bytes, 0), bytes);
      expect(duplicates.find(5, bytes, 0)).toEqual(bytes);
    }
  });
});
