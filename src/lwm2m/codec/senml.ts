import { formatPath, type Path, parseId } from "../path.js";
import { fitsType, type ResourceType, type Value } from "../value.js";
import type { DecodeContext, DecodedEntry, NamedPath } from "./codec.js";
import { checkPrefix, decodeBase64, decodeError, numberValue, parseLink, typeAt } from "./convert.js";

/** A received SenML record before its base values are applied, whatever the serialization (RFC 8428 §4). */
export interface SenmlRecord {
  readonly baseName?: string;
  /** Seconds. */
  readonly baseTime?: number;
  readonly name?: string;
  /** Seconds. */
  readonly time?: number;
  readonly value?: SenmlValue;
}

/**
 * `none` is the null of SenML-ETCH, which removes a resource instance (RFC 8790); `sv` is the text of LwM2M 1.0's JSON,
 * which also carries opaque values.
 */
export type SenmlValue =
  | { readonly field: "v"; readonly value: number | bigint }
  | { readonly field: "vs" | "sv" | "vlo"; readonly value: string }
  | { readonly field: "vb"; readonly value: boolean }
  | { readonly field: "vd"; readonly value: Uint8Array | string }
  | { readonly field: "none" };

/** Times of this size or more are absolute seconds since the epoch, smaller ones are relative to now (RFC 8428 §4.5.3). */
export const ABSOLUTE_TIME_S = 2 ** 28;

interface ResolvedRecord extends NamedPath {
  readonly atMs?: number;
  readonly value?: SenmlValue;
}

/** The values of a pack; throws LWM2M_DECODE when one has no value, comes twice or is outside of the target. */
export function resolveValues(records: readonly SenmlRecord[], context: DecodeContext): DecodedEntry[] {
  const entries: DecodedEntry[] = [];
  const seen = new Set<string>();
  for (const { path, prefix, atMs, value } of resolve(records, context.nowMs)) {
    checkPrefix(path, prefix, context);
    if (value === undefined) throw decodeError(`${formatPath(path)} has no value`);
    const key = `${prefix ?? ""}/${path.join("/")}@${atMs ?? ""}`;
    if (seen.has(key)) throw decodeError(`${formatPath(path)} comes twice`);
    seen.add(key);
    const type = typeAt(path, context, prefix);
    if (type === undefined) continue;
    const decoded = value.field === "none" ? null : fromSenml(type, value);
    if (decoded === undefined) throw decodeError(`${formatPath(path)} takes ${type}`);
    entries.push({
      path,
      value: decoded,
      ...(atMs === undefined ? {} : { atMs }),
      ...(prefix === undefined ? {} : { prefix }),
    });
  }
  return entries;
}

/** The paths of a pack without values, each once (RFC 8790 §3). */
export function resolvePaths(records: readonly SenmlRecord[]): NamedPath[] {
  if (records.length === 0) throw decodeError("no path is named");
  if (records.some(({ baseName, name }) => baseName === undefined && name === undefined)) {
    throw decodeError("a record has no name");
  }
  const seen = new Set<string>();
  return resolve(records, 0).map(({ path, prefix, value }) => {
    const named = { path, ...(prefix === undefined ? {} : { prefix }) };
    if (value !== undefined) throw decodeError(`${formatPath(path)} must have no value here`);
    const key = `${prefix ?? ""}/${path.join("/")}`;
    if (seen.has(key)) throw decodeError(`${formatPath(path)} comes twice`);
    seen.add(key);
    return named;
  });
}

function resolve(records: readonly SenmlRecord[], nowMs: number): ResolvedRecord[] {
  let baseName = "";
  let baseTime: number | undefined;
  return records.map((record) => {
    baseName = record.baseName ?? baseName;
    baseTime = record.baseTime ?? baseTime;
    const named = parseName(baseName + (record.name ?? ""));
    const timed = baseTime !== undefined || record.time !== undefined;
    const atS = (baseTime ?? 0) + (record.time ?? 0);
    if (!Number.isFinite(atS)) throw decodeError(`${formatPath(named.path)}: not a time`);
    const atMs = Math.round(atS * 1000) + (atS >= ABSOLUTE_TIME_S ? 0 : nowMs);
    return {
      ...named,
      ...(timed ? { atMs } : {}),
      ...(record.value === undefined ? {} : { value: record.value }),
    };
  });
}

/** `/3303/0/5700` or, behind the gateway, `/d01/3303/0/5700`; an alternate path counts as a part of the prefix. */
export function parseName(name: string): NamedPath {
  const plain = plainPath(name);
  if (plain !== undefined) return { path: plain };
  const segments = name
    .split("/")
    .filter((segment, index, all) => segment !== "" || (index > 0 && index < all.length - 1));
  const firstId = segments.findIndex((segment) => /^\d*$/.test(segment));
  const prefix = segments.slice(0, firstId < 0 ? segments.length : firstId);
  const ids = segments.slice(prefix.length).map(parseId);
  const path: Path = ids.filter((id) => id !== undefined);
  if (path.length !== ids.length || path.length > 4) throw decodeError(`'${name.slice(0, 64)}' is not a path`);
  return prefix.length > 0 ? { path, prefix: prefix.join("/") } : { path };
}

/** Of the usual form `/3303/0/5700`; undefined for every other. A composite operation has a hundred of them. */
function plainPath(name: string): Path | undefined {
  if (!name.startsWith("/")) return undefined;
  const path: number[] = [];
  for (const segment of name.slice(1).split("/")) {
    const id = parseId(segment);
    if (id === undefined || path.length === 4) return undefined;
    path.push(id);
  }
  return path;
}

function fromSenml(type: ResourceType, received: Exclude<SenmlValue, { field: "none" }>): Value | undefined {
  switch (received.field) {
    case "v":
      return numberValue(type, received.value);
    case "vs":
      return fitsType(type, received.value) ? received.value : undefined;
    case "sv":
      if (type === "opaque") return decodeBase64(received.value);
      return fitsType(type, received.value) ? received.value : undefined;
    case "vb":
      return type === "boolean" ? received.value : undefined;
    case "vlo":
      return type === "objlnk" ? parseLink(received.value) : undefined;
    case "vd":
      if (type !== "opaque") return undefined;
      return typeof received.value === "string" ? decodeBase64(received.value) : received.value;
  }
}
