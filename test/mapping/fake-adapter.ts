import { object } from "../../src/base/object-schema.js";
import { integer, oneOf } from "../../src/base/schema.js";
import { type AnyAdapter, defineAdapter } from "../../src/field/adapter.js";

/** An adapter that is never opened: only its schemas count. */
export const fakeAdapter: AnyAdapter = defineAdapter({
  name: "fake",
  link: object({}),
  station: object({ unit: integer(1, 247) }),
  point: object({ at: object({ register: integer(0, 65535) }) }, { type: oneOf("float32", "bool", "string") }),
  medium: () => "fake",
  plan: () => [],
  kind: ({ type }) => (type === "bool" ? "boolean" : type === "string" ? "string" : "number"),
  open: () => Promise.reject(new Error("not opened in these tests")),
});

export const fakeAdapters = new Map([["fake", fakeAdapter]]);
