import { object } from "../base/object-schema.js";
import { childPath, near, oneOf, type Problems } from "../base/schema.js";
import type { Located, Position } from "../base/source.js";
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
  const good: ReadLink[] = [];
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
    const own = { adapter, config: { name, adapter: named.name, options } };
    result.set(name, own);
    if (complaint !== undefined) continue;
    for (const other of good) checkShared(own, other, { at: link.at, path, problems });
    good.push(own);
  }
  return result;
}

/** Of links that share a medium the first one opens it: what the others say otherwise would not count. */
function checkShared(
  { adapter, config: { options } }: ReadLink,
  { adapter: otherAdapter, config: other }: ReadLink,
  { at, path, problems }: { readonly at: Position; readonly path: string; readonly problems: Problems },
): void {
  const shares = `has the line of link '${other.name}'`;
  if (adapter.name !== otherAdapter.name) {
    const [own, others] = [adapter.line?.(options, ""), otherAdapter.line?.(other.options, "")];
    if (own?.serial === undefined || others?.serial === undefined || own.address !== others.address) return;
    problems.add(at, path, `${shares}, which ${otherAdapter.name} holds`, "give each adapter a port of its own");
    return;
  }
  if (adapter.medium(options) !== adapter.medium(other.options)) return;
  const [mine, theirs] = [fieldsOf(options), fieldsOf(other.options)];
  const keys = [...new Set([...mine.keys(), ...theirs.keys()])].filter((key) => mine.get(key) !== theirs.get(key));
  if (keys.length === 0) return;
  const hint = "name one link at the devices of both, or say the same in both";
  const isOnBoth = keys.some((key) => mine.has(key) && theirs.has(key));
  const what = `${shares} with another ${keys.join(", ")}: only that of '${other.name}' counts`;
  if (isOnBoth) problems.add(at, path, what, hint);
  else problems.note(at, path, what, hint);
}

/** By name, as text that can be compared. */
function fieldsOf(options: unknown): ReadonlyMap<string, string> {
  return new Map(Object.entries(options ?? {}).map(([key, value]) => [key, JSON.stringify(value)]));
}
