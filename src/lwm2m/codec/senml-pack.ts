import type { EncodeContext, Entry } from "./codec.js";
import { ABSOLUTE_TIME_S } from "./senml.js";

/** A SenML record to be written; absent parts are not written (RFC 8428 §4). */
export interface PackRecord {
  readonly baseName?: string;
  /** Milliseconds, written as seconds. */
  readonly baseTimeMs?: number;
  readonly name?: string;
  /** Milliseconds relative to the base time. */
  readonly timeMs?: number;
  readonly entry: Entry;
}

const HISTORICAL_AGE_MS = 1000;
/** A base name costs a label and a length besides its text. */
const FIELD_COST = 2;

/** The records of a pack, names and times shortened by base values; order is kept. */
export function packRecords(entries: readonly Entry[], context: EncodeContext): readonly PackRecord[] {
  const timesMs = packTimes(entries, context);
  const [first] = entries;
  // The hot path: one fresh value, as most notifications are.
  if (first !== undefined && entries.length === 1 && timesMs === undefined) {
    return [{ baseName: nameOf(first), entry: first }];
  }
  return packNames(entries).map(({ baseName, name, entry }, index) => {
    const timeMs = timesMs?.offsetsMs[index];
    return {
      ...(baseName === undefined ? {} : { baseName }),
      ...(timesMs === undefined || index > 0 ? {} : { baseTimeMs: timesMs.baseMs }),
      ...(name === undefined || name === "" ? {} : { name }),
      ...(timeMs === undefined || timeMs === 0 ? {} : { timeMs }),
      entry,
    };
  });
}

export interface PackTimes {
  readonly baseMs: number;
  readonly offsetsMs: readonly number[];
}

/**
 * The time of the first entry is the base, so that values of one poll share it and those of regular polls have short
 * offsets. Without a clock that is set, times are relative to now.
 */
export function packTimes(entries: readonly Entry[], context: EncodeContext): PackTimes | undefined {
  const { nowMs, times = "historical" } = context;
  if (times === "none") return undefined;
  const oldestMs = times === "all" ? Number.POSITIVE_INFINITY : nowMs - HISTORICAL_AGE_MS;
  if (!entries.some(({ atMs }) => atMs !== undefined && atMs < oldestMs)) return undefined;
  const clockIsSet = nowMs >= ABSOLUTE_TIME_S * 1000;
  const absoluteMs = entries.map(({ atMs = nowMs }) =>
    // A time before the clock was set would be taken for one relative to now, in the future.
    clockIsSet ? Math.max(atMs, ABSOLUTE_TIME_S * 1000) : atMs - nowMs,
  );
  const baseMs = absoluteMs[0] ?? 0;
  return { baseMs, offsetsMs: absoluteMs.map((atMs) => atMs - baseMs) };
}

type NamedRecord = Pick<PackRecord, "baseName" | "name" | "entry">;

/**
 * Chooses the shortest of: one base name for all, one per run of an object instance, one per run of a resource (a series
 * of samples then has no names at all).
 */
function packNames(entries: readonly Entry[]): readonly NamedRecord[] {
  const together = nameRun(entries, sharedDepth(entries));
  if (entries.length < 3 || together.depth === 4 || (together.depth >= 2 && !hasSeries(entries))) {
    return together.records;
  }
  const perInstance = nameRuns(entries, 2);
  const perResource = nameRuns(entries, 4);
  return [perInstance, perResource].reduce((best, next) => (cost(next) < cost(best) ? next : best), together.records);
}

/** Whether samples of one resource follow each other. */
function hasSeries(entries: readonly Entry[]): boolean {
  return entries.some((entry, index) => index > 0 && sharesIds(entry, entries[index - 1], 4));
}

function nameRuns(entries: readonly Entry[], depth: number): readonly NamedRecord[] {
  const records: NamedRecord[] = [];
  for (let start = 0; start < entries.length; ) {
    const first = entries[start];
    let end = start + 1;
    while (end < entries.length && first !== undefined && sharesIds(first, entries[end], depth)) end++;
    const run = entries.slice(start, end);
    records.push(...nameRun(run, sharedDepth(run)).records);
    start = end;
  }
  return records;
}

/** How many leading ids all entries share, the prefix included: -1 when their prefixes differ, 4 when all is the same. */
function sharedDepth(entries: readonly Entry[]): number {
  const [first, ...others] = entries;
  if (first === undefined) return 0;
  if (others.every((entry) => sharesIds(first, entry, 4))) return 4;
  let depth = 3;
  while (depth >= 0 && !others.every((entry) => sharesIds(first, entry, depth))) depth--;
  return depth;
}

function sharesIds(a: Entry, b: Entry | undefined, depth: number): boolean {
  if (b === undefined || a.prefix !== b.prefix) return false;
  for (let index = 0; index < depth; index++) if (a.path[index] !== b.path[index]) return false;
  return true;
}

/** Names of a run whose entries share `depth` leading ids. */
function nameRun(run: readonly Entry[], depth: number): { depth: number; records: readonly NamedRecord[] } {
  const [first] = run;
  if (first === undefined) return { depth, records: [] };
  if (depth === 4)
    return { depth, records: run.map((entry, index) => (index > 0 ? { entry } : { baseName: nameOf(entry), entry })) };
  // Nothing is shared, and then this run is the whole pack: no base name has to be undone.
  if (depth < 0 || (depth === 0 && first.prefix === undefined)) {
    return { depth, records: run.map((entry) => ({ name: nameOf(entry), entry })) };
  }
  const baseName = `${rootOf(first)}${first.path.slice(0, depth).join("/")}${depth > 0 ? "/" : ""}`;
  const records = run.map((entry, index) => {
    const name = entry.path.slice(depth).join("/");
    return index > 0 ? { name, entry } : { baseName, name, entry };
  });
  return { depth, records };
}

function rootOf(entry: Entry): string {
  return entry.prefix === undefined ? "/" : `/${entry.prefix}/`;
}

function nameOf(entry: Entry): string {
  // A loop beats join() for so few ids.
  let name = entry.prefix === undefined ? "" : `/${entry.prefix}`;
  for (const id of entry.path) name += `/${id}`;
  return name;
}

function cost(records: readonly NamedRecord[]): number {
  return records.reduce((sum, { baseName, name }) => sum + fieldCost(baseName) + fieldCost(name), 0);
}

function fieldCost(text: string | undefined): number {
  return text === undefined || text === "" ? 0 : text.length + FIELD_COST;
}
