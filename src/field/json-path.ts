/** Keys and indexes from the root of a document to a value. */
export type JsonPath = readonly (string | number)[];

const STEP = /^(?:\.?([^.[\]"]+)|\.?"((?:[^"\\]|\\.)*)"|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\])/;

/**
 * Reads `$.a.b[0]`, `a.b`, `"odd.key".b`, `a["odd.key"]`; `$` alone and the empty text are the whole document.
 * Undefined when the text is no such path.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  const path: (string | number)[] = [];
  let rest = text.startsWith("$") ? text.slice(1) : text;
  while (rest !== "") {
    const match = STEP.exec(rest);
    if (match === null) return undefined;
    const [whole, bare, quoted, index, bracketed] = match;
    const key = quoted ?? bracketed;
    if (index !== undefined) path.push(Number(index));
    else path.push(key === undefined ? (bare ?? "") : key.replaceAll(/\\(.)/g, "$1"));
    rest = rest.slice(whole.length);
  }
  return path;
}

/** Undefined where the document has nothing. */
export function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    if (Array.isArray(value)) value = typeof step === "number" ? value[step] : undefined;
    else value = Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined;
  }
  return value;
}

/** The document with the value put at the path; what was there besides stays. */
export function withValueAt(document: unknown, path: JsonPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === "number") {
    const items: unknown[] = Array.isArray(document) ? [...document] : [];
    while (items.length < step) items.push(null);
    items[step] = withValueAt(items[step], rest, value);
    return items;
  }
  const isMap = typeof document === "object" && document !== null && !Array.isArray(document);
  const entries = new Map<string, unknown>(isMap ? Object.entries(document) : []);
  entries.set(step, withValueAt(entries.get(step), rest, value));
  return Object.fromEntries(entries);
}
