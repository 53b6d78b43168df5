import { object } from "../base/object-schema.js";
import { childPath, near, oneOf, type Problems } from "../base/schema.js";
import type { Located } from "../base/source.js";
import type { AnyAdapter } from "../field/adapter.js";
import type { LinkConfig } from "../field/field.js";
import type { AdapterShelf } from "./adapters.js";

export interface ReadLink {
  readonly config: LinkConfig;
  readonly adapter: AnyAdapter;
}

/** Names of the adapters that links ask for, before anything is checked. */
export function linkAdapters(links: ReadonlyMap<string, Located> | undefined): readonly string[] {
  return [...(links?.values() ?? [])].map((link) => adapterOf(link)?.name).filter((name) => name !== undefined);
}

function adapterOf(link: Located): { readonly name: string; readonly source: Located } | undefined {
  if (link.kind !== "map") return undefined;
  const source = link.entries.find(({ key }) => key === "adapter")?.value;
  return source?.kind === "scalar" && typeof source.value === "string" ? { name: source.value, source } : undefined;
}

/** Each link with its adapter's schema, the key `adapter` apart. */
export function readLinks(
  links: ReadonlyMap<string, Located>,
  adapters: AdapterShelf,
  problems: Problems,
): ReadonlyMap<string, ReadLink> {
  const result = new Map<string, ReadLink>();
  for (const [name, link] of links) {
    const path = childPath("links", name);
    const named = adapterOf(link);
    if (named === undefined) {
      problems.add(link.at, path, "'adapter' is missing", `installed: ${[...adapters.keys()].join(", ")}`);
      continue;
    }
    const adapter = adapters.get(named.name);
    if (adapter === undefined) {
      const hint = near(named.name, [...adapters.keys()]) ?? `installed: ${[...adapters.keys()].join(", ")}`;
      problems.add(named.source.at, `${path}.adapter`, `no adapter '${named.name}'`, hint);
      continue;
    }
    const schema = object({ ...adapter.link.required, adapter: oneOf(named.name) }, adapter.link.optional);
    const read = schema.read(link, path, problems);
    if (read === undefined) continue;
    const { adapter: _, ...options } = read;
    const complaint = adapter.linkProblem?.(options);
    if (complaint !== undefined) problems.add(link.at, path, complaint);
    result.set(name, { adapter, config: { name, adapter: named.name, options } });
  }
  return result;
}
