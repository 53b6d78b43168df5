import { formatPath, MAX_ID } from "../path.js";
import { fromCbor, writeValue } from "./cbor.js";
import { CborMap, type CborValue, decodeCbor } from "./cbor-reader.js";
import { CborWriter } from "./cbor-writer.js";
import type { Codec, DecodeContext, DecodedEntry, Entry, NamedPath } from "./codec.js";
import { checkPrefix, decodeError, typeAt } from "./convert.js";

/**
 * LwM2M CBOR (OMA LwM2M Core 1.2.2 §7.5.4): maps whose keys are ids, or arrays of ids, from the object on; a text before
 * them is the prefix of a device behind the gateway (OMA LwM2M Gateway 1.1.1 §9). Times do not go along.
 */
export const lwm2mCborCodec: Codec = {
  contentFormat: 11544,
  name: "application/vnd.oma.lwm2m+cbor",
  encode(entries, { target }) {
    const writer = new CborWriter();
    const prefixLength = entries[0]?.prefix === undefined ? 0 : 1;
    // What was asked for is one key; a composite answer joins whatever does not branch.
    const joined = target.length === 0 ? Number.POSITIVE_INFINITY : prefixLength + target.length;
    writeBranch(writer, branchOf(entries), joined);
    return writer.finish();
  },
  decode(payload, context) {
    const map = decodeCbor(payload);
    if (!(map instanceof CborMap)) throw decodeError("LwM2M CBOR is not a map");
    const entries: DecodedEntry[] = [];
    const seen = new Set<string>();
    visitValues(map, { path: [] }, (named, item) => {
      const key = `${named.prefix ?? ""}/${named.path.join("/")}`;
      if (seen.has(key)) throw decodeError(`${formatPath(named.path)} comes twice`);
      seen.add(key);
      const entry = readEntry(named, item, context);
      if (entry !== undefined) entries.push(entry);
    });
    return entries;
  },
};

/** Ids, and perhaps a prefix first, that lead to values; the newest of several values of one path. */
type Branch = Map<number | string, Branch | Entry>;

// Entries of a composite answer come in the order of the request, yet a key may stand in a map only once.
function branchOf(entries: readonly Entry[]): Branch {
  const root: Branch = new Map();
  for (const entry of entries) {
    const ids: (number | string)[] = entry.prefix === undefined ? [...entry.path] : [entry.prefix, ...entry.path];
    const last = ids.pop();
    let branch = root;
    for (const id of ids) {
      const below = branch.get(id);
      if (below instanceof Map) {
        branch = below;
      } else {
        const next: Branch = new Map();
        branch.set(id, next);
        branch = next;
      }
    }
    if (last !== undefined) branch.set(last, entry);
  }
  return root;
}

/** Keys join at most `joined` ids while there is only one below. */
function writeBranch(writer: CborWriter, branch: Branch, joined: number): void {
  writer.map(branch.size);
  for (const [id, item] of branch) {
    const ids = [id];
    let below = item;
    while (below instanceof Map && below.size === 1 && ids.length < joined) {
      for (const [nextId, next] of below) {
        ids.push(nextId);
        below = next;
      }
    }
    writeKey(writer, ids);
    if (below instanceof Map) writeBranch(writer, below, 1);
    else writeValue(writer, below.type, below.value);
  }
}

function writeKey(writer: CborWriter, ids: readonly (number | string)[]): void {
  if (ids.length > 1) writer.array(ids.length);
  for (const id of ids) {
    if (typeof id === "string") writer.text(id);
    else writer.integer(id);
  }
}

function visitValues(map: CborMap, above: NamedPath, visit: (named: NamedPath, item: CborValue) => void): void {
  for (const [key, item] of map.pairs) {
    const named = extend(above, key);
    if (item instanceof CborMap) visitValues(item, named, visit);
    else visit(named, item);
  }
}

/** The path that a key leads to; keys of inner maps are relative to the outer ones. */
function extend({ path, prefix }: NamedPath, key: CborValue): NamedPath {
  const ids: readonly CborValue[] = Array.isArray(key) ? key : [key];
  const [first] = ids;
  if (typeof first === "string" && path.length === 0 && prefix === undefined) {
    const hasId = !Array.isArray(key) || ids.length > 1;
    if (/^\d*$/.test(first) || !hasId) throw decodeError(`'${first.slice(0, 64)}' is not a prefix`);
    return { path: ids.slice(1).map(readId), prefix: first };
  }
  const longer = [...path, ...ids.map(readId)];
  if (ids.length === 0 || longer.length > 4) throw decodeError(`a key below ${formatPath(path)} is not a path`);
  return prefix === undefined ? { path: longer } : { path: longer, prefix };
}

function readId(id: CborValue): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_ID) return id;
  throw decodeError("a key is not an id of 0 to 65535");
}

/** Undefined for an unknown resource. */
function readEntry({ path, prefix }: NamedPath, item: CborValue, context: DecodeContext): DecodedEntry | undefined {
  checkPrefix(path, prefix, context);
  const type = typeAt(path, context, prefix);
  if (type === undefined) return undefined;
  const value = item === null ? null : fromCbor(type, item);
  if (value === undefined) throw decodeError(`${formatPath(path)} takes ${type}`);
  return prefix === undefined ? { path, value } : { path, value, prefix };
}
