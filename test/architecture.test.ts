import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const MAX_LINES = 400;

/** Folder under src → folders of ours that it may import; the table of docs/architecture.md. */
const LAYERS: Record<string, readonly string[]> = {
  base: [],
  coap: ["base"],
  field: ["base"],
  lwm2m: ["base", "coap"],
  mapping: ["base", "field", "lwm2m"],
  outbox: ["base", "lwm2m"],
  config: ["base", "field", "lwm2m", "mapping"],
  local: ["base", "field", "lwm2m", "outbox"],
};

interface SourceFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly { readonly specifier: string; readonly target: string | undefined }[];
}

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => {
      const file = join(root, folder, name);
      const text = readFileSync(file, "utf8");
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
      const imports = specifiers.map((specifier) => ({
        specifier,
        target: specifier.startsWith(".")
          ? relative(root, resolve(dirname(file), specifier)).replace(/\.js$/, ".ts")
          : undefined,
      }));
      return { path: relative(root, file), lines: text.split("\n").length - 1, imports };
    });
}

const src = sourceFiles("src");
const adapters = sourceFiles("adapters");

describe("architecture", () => {
  it("finds the sources", () => {
    expect(src.length).toBeGreaterThan(10);
  });

  it("keeps the layers of src", () => {
    const breaches = src.flatMap((file) => {
      const folder = file.path.split("/")[1] ?? "";
      const allowed = LAYERS[folder];
      if (allowed === undefined) return [];
      return file.imports
        .filter(({ target }) => target !== undefined)
        .filter(({ target = "" }) => {
          const [top, targetFolder = ""] = target.split("/");
          return top !== "src" || (targetFolder !== folder && !allowed.includes(targetFolder));
        })
        .map(({ target }) => `${file.path} → ${target}`);
    });
    expect(breaches).toEqual([]);
  });

  it("lets adapters import only causeway/adapter, node: and their own dependencies", () => {
    const breaches = adapters.flatMap((file) => {
      const own = file.path.split("/").slice(0, 2).join("/");
      return file.imports
        .filter(({ specifier, target }) =>
          target === undefined
            ? specifier.startsWith("causeway") && specifier !== "causeway/adapter"
            : !target.startsWith(`${own}/`),
        )
        .map(({ specifier }) => `${file.path} → ${specifier}`);
    });
    expect(breaches).toEqual([]);
  });

  it("names sqlite3 in one file only", () => {
    const users = src.filter((file) => file.imports.some(({ specifier }) => specifier === "sqlite3"));
    expect(users.map((file) => file.path).filter((path) => path !== "src/outbox/database.ts")).toEqual([]);
  });

  it("has no import circle, types included", () => {
    expect(circles([...src, ...adapters])).toEqual([]);
  });

  it(`keeps files to ${MAX_LINES} lines`, () => {
    const long = [...src, ...adapters].filter((file) => file.lines > MAX_LINES);
    expect(long.map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
  });
});

function circles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push([...trail.slice(start), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) if (target !== undefined) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return found;
}
