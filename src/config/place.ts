import type { WithSource } from "../base/schema.js";
import type { Located } from "../base/source.js";

/** Where a key stands, so that a complaint about its value points there; the section itself when it has no such key. */
export function placeOf(section: WithSource<unknown>, ...keys: readonly string[]): Located["at"] {
  let source: Located | undefined = section.source;
  for (const key of keys) {
    source = source?.kind === "map" ? source.entries.find((entry) => entry.key === key)?.value : undefined;
  }
  return (source ?? section.source).at;
}
