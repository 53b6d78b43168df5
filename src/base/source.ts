import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Range, type YAMLMap } from "yaml";

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
  const problems = document.errors.map((error) => ({
    at: position(error.pos[0]),
    path: "",
    what: firstLine(error.message),
    hint: "mend the YAML syntax first; spaces, not tabs, indent",
  }));
  const root = document.contents === null ? undefined : locate(document.contents, position, document);
  return { root: problems.length > 0 && root?.kind !== "map" ? undefined : root, problems };
}

type Document = ReturnType<typeof parseDocument>;

function locate(node: Node, position: (offset: number) => Position, document: Document): Located {
  const at = position(rangeOf(node)?.[0] ?? 0);
  if (isMap(node)) return { kind: "map", at, entries: locateEntries(node, position, document) };
  if (isSeq(node)) {
    const items = node.items.map((item) => locate(item as Node, position, document));
    return { kind: "list", at, items };
  }
  if (isScalar(node)) {
    const value = node.value;
    const plain =
      typeof value === "string" || typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
    return { kind: "scalar", at, value: plain ? value : null };
  }
  const target = "resolve" in node && typeof node.resolve === "function" ? node.resolve(document) : undefined;
  return target === undefined ? { kind: "scalar", at, value: null } : locate(target as Node, position, document);
}

function locateEntries(map: YAMLMap, position: (offset: number) => Position, document: Document): LocatedEntry[] {
  return map.items.map((pair) => {
    const key = pair.key as Node;
    const keyAt = position(rangeOf(key)?.[0] ?? 0);
    const value: Located =
      pair.value === null ? { kind: "scalar", at: keyAt, value: null } : locate(pair.value as Node, position, document);
    return { key: isScalar(key) ? String(key.value) : String(key), keyAt, value };
  });
}

function rangeOf(node: Node): Range | null | undefined {
  return node.range;
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}
