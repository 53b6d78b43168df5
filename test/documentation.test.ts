import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type JsonSchema, Problems } from "../src/base/schema.js";
import { parseSource } from "../src/base/source.js";
import { runCli } from "../src/cli/cli.js";
import { FURTHER_OBJECT_NAMES } from "../src/config/further-objects.js";
import { configFile } from "../src/config/gateway-schema.js";
import type { AnyAdapter } from "../src/field/adapter.js";
import { loadAdapter } from "../src/field/load-adapter.js";

const text = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");

interface Row {
  readonly key: string;
  readonly meaning: string;
  /** What stands first in the column, where that is a value. */
  readonly value: string | undefined;
}

/** The first table after a heading. */
function tableBelow(heading: string): readonly Row[] {
  const lines = text.slice(text.indexOf(`${heading}\n`)).split("\n");
  const from = lines.findIndex((line) => line.startsWith("| `"));
  const rows = lines.slice(from);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) => {
      // A bar within a cell is escaped.
      const [, key = "", meaning = "", standard = ""] = line.split(/(?<!\\)\|/);
      return { key: unquoted(key) ?? key, meaning, value: unquoted(standard) };
    });
}

function unquoted(cell: string): string | undefined {
  return /^\s*`([^`]+)`/.exec(cell)?.[1];
}

/** `servers[].poll.fast` for all that may stand in the file, without what stands below. */
function keysOf(schema: JsonSchema, path = ""): readonly string[] {
  const { properties, items, additionalProperties } = Object(schema);
  if (items !== undefined) return keysOf(items, `${path}[]`);
  if (properties !== undefined && Object.keys(properties).length > 0) {
    return Object.entries(properties).flatMap(([key, below]) =>
      keysOf(Object(below), path === "" ? key : `${path}.${key}`),
    );
  }
  return additionalProperties === undefined || typeof additionalProperties === "boolean"
    ? [path]
    : keysOf(additionalProperties, `${path}.NAME`);
}

/** Known, and refused: there is no DTLS yet. */
function isToCome(key: string): boolean {
  return key.endsWith(".security");
}

function optionsOf(adapter: AnyAdapter, options: string): unknown {
  const problems = new Problems();
  const { root } = parseSource(options, "options.yaml");
  const read = root === undefined ? undefined : adapter.link.read(root, "", problems);
  expect(problems.list, options).toEqual([]);
  return read;
}

describe("docs/configuration.md", () => {
  it("has every key of the file, and none that is not there", () => {
    const rows = tableBelow("# causeway.yaml");
    const keys = keysOf(configFile.json).filter((key) => !key.startsWith("links.") && !isToCome(key));
    const isTold = (key: string): boolean => {
      // Names that users give stand for themselves.
      const leaf =
        key
          .replace(/\.NAME$/, "")
          .split(".")
          .at(-1)
          ?.replace("[]", "") ?? "";
      return rows.some(
        (row) => key === row.key || (key.startsWith(row.key) && `${row.key} ${row.meaning}`.includes(leaf)),
      );
    };
    expect(keys.filter((key) => !isTold(key))).toEqual([]);
    const known = (row: Row): boolean => row.key.startsWith("links.") || keys.some((key) => key.startsWith(row.key));
    expect(rows.filter((row) => !known(row)).map(({ key }) => key)).toEqual([]);
  });

  it.each([
    [
      "modbus",
      "## Modbus links",
      '{ transport: tcp, host: "192.0.2.1" }',
      ["baudRate", "dataBits", "parity", "stopBits"],
    ],
    ["modbus", "## Modbus links", "{ transport: rtu, port: /dev/ttyS1 }", ["port"]],
    ["mqtt", "## MQTT links", '{ host: "192.0.2.1" }', []],
    ["serial", "## Serial links", "{ port: /dev/ttyS1 }", []],
    ["ble", "## Bluetooth links", "{}", []],
  ] as const)(
    "has every option of a link of %s, with defaults that are so (%s, %s)",
    async (name, heading, least, others) => {
      const adapter = await loadAdapter(name);
      const rows = tableBelow(heading);
      expect(rows.map(({ key }) => key).sort()).toEqual([...keysOf(adapter.link.json)].sort());
      const factsOf = (options: string) => {
        const read = optionsOf(adapter, options);
        return { medium: adapter.medium(read), line: adapter.line?.(read, "link") };
      };
      for (const { key, value } of rows) {
        if (value === undefined || key.includes(".") || ["url", "host", "clientId"].includes(key)) continue;
        if (others.some((other) => other === key)) continue;
        const given = least.replace(/ ?}$/, `${least === "{}" ? "" : ","} ${key}: ${value} }`);
        expect(factsOf(given), key).toEqual(factsOf(least));
      }
    },
  );

  it("has every further object of the gateway", () => {
    const names = tableBelow("## Objects of the gateway itself").map(({ key }) => key);
    expect(names).toEqual([...FURTHER_OBJECT_NAMES]);
  });
});

describe("README.md and CONTRIBUTING.md", () => {
  const fileOf = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

  it("have every command of the program", async () => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(...line.split("\n"));
    await runCli(["--help"], {
      out: print,
      err: print,
      terminal: "pipe",
      environment: {},
      signal: new AbortController().signal,
      onReload: () => undefined,
    });
    const commands = lines.map((line) => /^ {2}(\w+) {2}/.exec(line)?.[1]).filter((name) => name !== undefined);
    expect(commands).toContain("run");
    // `npm start` is what runs the demo.
    const missing = commands.filter((name) => name !== "demo" && !fileOf("README.md").includes(`causeway ${name} `));
    expect(missing).toEqual([]);
  });

  it("have every script of the package", () => {
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(fileOf("package.json"));
    // What runs before others is not for people.
    const names = Object.keys(scripts).filter((name) => !name.startsWith("pre"));
    const texts = fileOf("CONTRIBUTING.md") + fileOf("README.md");
    expect(names.filter((name) => !new RegExp(`npm (run )?${name}\\b`).test(texts))).toEqual([]);
  });
});
