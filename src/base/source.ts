import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Range,
  type Scalar,
  type YAMLMap,
} from "yaml";

export interface Position {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** A parsed YAML value that remembers where it stands, so that every complaint can name the place. */
export type Located =
  | { readonly kind: "scalar"; readonly at: Position; readonly value: string | number | bigint | boolean | null }
  | { readonly kind: "list"; readonly at: Position; readonly items: readonly Located[] }
  | { readonly kind: "map"; readonly at: Position; readonly entries: readonly LocatedEntry[] };

export interface LocatedEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: Located;
}

export interface Problem {
  readonly at: Position;
  /** Where in the document, e.g. `points.voltage.at.register`; empty for the whole. */
  readonly path: string;
  readonly what: string;
  readonly hint?: string;
}

/** `FILE:LINE:COLUMN path: what (hint)`, the line that `causeway check` prints. */
export function formatProblem(problem: Problem): string {
  const { at, path, what, hint } = problem;
  const place = `${at.file}:${at.line}:${at.column}`;
  return `${place}${path === "" ? "" : ` ${path}`}: ${what}${hint === undefined ? "" : ` (${hint})`}`;
}

export interface ParsedSource {
  /** Undefined when the file is empty or its syntax is too broken to go on. */
  readonly root: Located | undefined;
  readonly problems: readonly Problem[];
}

/** Reads YAML 1.2 (so JSON too); every syntax error becomes a problem, none is thrown. */
export function parseSource(text: string, file: string): ParsedSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: "1.2", intAsBigInt: false, uniqueKeys: true });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = document.errors.map(({ pos, code, message }): Problem => {
    const at = position(pos[0]);
    if (code === "DUPLICATE_KEY") return { at, path: "", what: "a key stands twice in one map", hint: ONE_KEY };
    if (code === "MULTIPLE_DOCS")
      return { at, path: "", what: "a second document begins with ---", hint: ONE_DOCUMENT };
    return { at, path: "", what: firstLine(message), hint: "mend the YAML syntax first; spaces, not tabs, indent" };
  });
  const context = { position, document, problems, following: new Set<Node>(), aliases: 0 };
  const root = document.contents === null ? undefined : locate(document.contents, context);
  return { root: document.errors.length > 0 && root?.kind !== "map" ? undefined : root, problems };
}

const ONE_KEY = "only one of the two can count: take one out";
const ONE_DOCUMENT = "only one is read: give each a file of its own";
const MERGE_KEY = "<<";
/** A few lines of aliases of aliases stand for more than any memory holds. */
const MAX_ALIASES = 10_000;

interface Context {
  readonly position: (offset: number) => Position;
  readonly document: ReturnType<typeof parseDocument>;
  readonly problems: Problem[];
  /** What aliases stand for that are being read: one of these again would never end. */
  readonly following: Set<Node>;
  aliases: number;
}

function locate(node: Node, context: Context): Located {
  const { position } = context;
  const at = position(rangeOf(node)?.[0] ?? 0);
  if (isMap(node)) return { kind: "map", at, entries: locateEntries(node, context) };
  if (isSeq(node)) {
    const items = node.items.map((item) => locate(item as Node, context));
    return { kind: "list", at, items };
  }
  if (isScalar(node)) {
    const value = node.value;
    refuseLeadingZero(node, at, context);
    const plain =
      typeof value === "string" || typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
    return { kind: "scalar", at, value: plain ? value : null };
  }
  return (isAlias(node) ? follow(node, at, context) : undefined) ?? { kind: "scalar", at, value: null };
}

function follow(alias: Alias, at: Position, context: Context): Located | undefined {
  const { document, problems, following } = context;
  context.aliases++;
  if (context.aliases === MAX_ALIASES) problems.push({ at, path: "", what: "too much is said by aliases" });
  if (context.aliases >= MAX_ALIASES) return undefined;
  const target = alias.resolve(document);
  if (target === undefined) return undefined;
  if (following.has(target)) {
    problems.push({ at, path: "", what: `what *${alias.source} stands for contains itself` });
    return undefined;
  }
  following.add(target);
  const located = locate(target, context);
  following.delete(target);
  return located;
}

function locateEntries(map: YAMLMap, context: Context): LocatedEntry[] {
  const keys = new Set<string>();
  return map.items.flatMap((pair) => {
    const node = pair.key as Node;
    const keyAt = context.position(rangeOf(node)?.[0] ?? 0);
    const key = isScalar(node) ? String(node.value) : String(node);
    if (key === MERGE_KEY) {
      const hint = "YAML 1.2 has none: write the keys out";
      context.problems.push({ at: keyAt, path: "", what: "'<<' would merge maps", hint });
      return [];
    }
    if (isScalar(node)) refuseLeadingZero(node, keyAt, context);
    // 16, 0x10 and "16" are different keys of YAML and the same here; what YAML itself finds it has told.
    const isTold = context.problems.some(({ hint }) => hint === ONE_KEY);
    if (keys.has(key) && !isTold) {
      context.problems.push({ at: keyAt, path: "", what: `the key '${key}' stands twice in one map`, hint: ONE_KEY });
    }
    keys.add(key);
    const value: Located =
      pair.value === null ? { kind: "scalar", at: keyAt, value: null } : locate(pair.value as Node, context);
    return [{ key, keyAt, value }];
  });
}

/** 010 is ten in YAML 1.2 and was eight in 1.1; a serial number 0012 would lose its zeros. */
function refuseLeadingZero({ value, source = "" }: Scalar, at: Position, { problems }: Context): void {
  if (typeof value !== "number" || !/^[-+]?0\d/.test(source)) return;
  const what = `${source} has a leading zero, which can mean several things`;
  problems.push({ at, path: "", what, hint: `write ${value}, 0o… for octal, or "${source}" for text` });
}

function rangeOf(node: Node): Range | null | undefined {
  return node.range;
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}
