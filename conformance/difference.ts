import type { Answer } from "./answer.js";
import { valuesOf } from "./answer.js";

/** What the client did otherwise than the test specification says. */
export class Difference extends Error {
  constructor(what: string, expected: string, actual: string) {
    super(`${what}: expected ${expected}, got ${actual}`);
  }
}

export function expectCode(answer: Answer, expected: string): void {
  if (answer.code !== expected) throw new Difference(`code of ${answer.of}`, expected, answer.code);
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (show(actual) !== show(expected)) throw new Difference(what, show(expected), show(actual));
}

export function expectTrue(what: string, isSo: boolean, actual: unknown): void {
  if (!isSo) throw new Difference(what, "this", show(actual));
}

/** 2.05 in the format, where one is named, with at least these values; undefined is any value. */
export function expectContent(
  answer: Answer,
  expected: Readonly<Record<string, unknown>>,
  contentFormat?: number,
): void {
  expectCode(answer, "2.05");
  if (contentFormat !== undefined) expectEqual(`Content-Format of ${answer.of}`, answer.contentFormat, contentFormat);
  const values = valuesOf(answer);
  for (const [path, value] of Object.entries(expected)) {
    const actual = values.get(path);
    if (actual === undefined) throw new Difference(`${path} in ${answer.of}`, "a value", `only ${[...values.keys()]}`);
    if (value !== undefined) expectEqual(`${path} in ${answer.of}`, actual, value);
  }
}

/** None of the values is at or below any of the paths. */
export function expectAbsent(answer: Answer, paths: readonly string[]): void {
  for (const path of valuesOf(answer).keys()) {
    const found = paths.find((absent) => path === absent || path.startsWith(`${absent}/`));
    if (found !== undefined) throw new Difference(answer.of, `nothing of ${found}`, path);
  }
}

export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `h'${Buffer.from(value).toString("hex")}'`;
  if (value === undefined) return "nothing";
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}
