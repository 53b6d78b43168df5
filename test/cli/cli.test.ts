import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "causeway-cli-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(words, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    terminal: "pipe",
    environment: {},
    signal: AbortSignal.abort(new Error("no command may wait in these tests")),
    onReload: () => undefined,
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const CONFIG = `gateway: { endpoint: urn:dev:os:32473-gw1, state: state }
servers: [{ uri: "coap://127.0.0.1:5683" }]
links: { plc: { adapter: modbus, transport: tcp, host: 127.0.0.1 } }
devices:
  - { name: meter, link: plc, profile: eastron-sdm120, address: { unit: 7 } }
`;

/** Six different mistakes, each on a line of its own. */
const SIX_MISTAKES = `profile: broken
title: Six mistakes
adapter: modbus
addressBase: 0
colour: red
points:
  voltage: { at: { table: input, register: 0 }, type: float32, unti: V }
  current: { at: { table: inputs, register: 6 }, type: float32 }
  power:   { at: { table: input, register: 70000 }, type: float32, unit: W }
objects:
  - object: 3316
    resources: { 5700: voltag }
  - object: 3999
    resources: { 5700: voltage }
`;

describe("check", () => {
  it("prints one line for each of six mistakes, with line and column, and exits 2", async () => {
    const mapping = await file("broken.yaml", SIX_MISTAKES);
    const { code, out } = await cli("check", mapping);
    const places = out.split("\n").map((line) => line.replace(`${mapping}:`, "").split(" ")[0]);
    expect(places.sort()).toEqual(["12:24", "13:13", "5:1", "7:64", "8:27", "9:44"]);
    expect(code).toBe(2);
  });

  it("asks a Modbus mapping to say what its registers count from", async () => {
    const { code, out } = await cli("check", await file("m.yaml", SIX_MISTAKES.replace("addressBase: 0\n", "")));
    expect(out).toMatch(/m\.yaml:1:1: 'addressBase' is missing/);
    expect(code).toBe(2);
  });

  it("says that a good configuration has no problems", async () => {
    const config = await file("causeway.yaml", CONFIG);
    expect(await cli("check", "-c", config)).toEqual({ code: 0, out: "", err: "no problems" });
  });

  it("prints problems as JSON for programs", async () => {
    const config = await file("causeway.yaml", CONFIG.replace("plc,", "plk,"));
    const { code, out } = await cli("check", "-c", config, "--json");
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject([{ path: "devices[0].link", at: { line: 5, column: 26 } }]);
  });

  it("tells of a file that is not there, with what to do", async () => {
    const { code, err } = await cli("check", "-c", join(folder, "none.yaml"));
    expect(code).toBe(2);
    expect(err).toMatch(/CONFIG_UNREADABLE.*none\.yaml/);
  });
});

describe("preview", () => {
  it("shows each resource with the point that feeds it", async () => {
    const config = await file("causeway.yaml", CONFIG);
    const { code, out } = await cli("preview", "-c", config);
    expect(code).toBe(0);
    expect(out).toMatch(/^endpoint urn:dev:os:32473-gw1/);
    expect(out).toMatch(/\/3316\/0\/5700 +R +float +V +meter\.voltage +Voltage \/ Sensor Value/);
    expect(out).toMatch(/\/3316\/0\/5601 .* gateway /);
  });

  it("shows what is behind a prefix, and each endpoint", async () => {
    const behind = CONFIG.replace("{ unit: 7 }", "{ unit: 7 }, expose: gateway, prefix: d01");
    const { out } = await cli("preview", "-c", await file("causeway.yaml", behind));
    expect(out).toMatch(/\n\/25\/0\/1 +R +string/);
    expect(out).toMatch(/\n\/d01\/3316\/0\/5700 +R +float +V +meter\.voltage/);
    const apart = behind.replace("expose: gateway", "expose: endpoints");
    const json = JSON.parse((await cli("preview", "--json", "-c", await file("causeway.yaml", apart))).out);
    expect(json.map(({ endpoint }: { endpoint: string }) => endpoint)).toEqual([
      "urn:dev:os:32473-gw1",
      "urn:dev:os:32473-gw1:meter",
    ]);
  });

  it("refuses a bad configuration with its mistakes", async () => {
    const config = await file("causeway.yaml", CONFIG.replace("eastron-sdm120", "eastron-sdm12"));
    const { code, err } = await cli("preview", "-c", config);
    expect(code).toBe(2);
    expect(err).toMatch(/did you mean 'eastron-sdm120'/);
  });
});

describe("explain", () => {
  it("says what a code means and what to do", async () => {
    const { code, out } = await cli("explain", "field_timeout");
    expect(code).toBe(0);
    expect(out).toMatch(/FIELD_TIMEOUT[\s\S]*did not answer[\s\S]*To do: Check power/);
  });

  it("names the nearest code", async () => {
    expect((await cli("explain", "FIELD_TIMOUT")).err).toMatch(/did you mean 'FIELD_TIMEOUT'/);
  });

  it("lists all codes", async () => {
    expect((await cli("explain")).out.split("\n").length).toBeGreaterThan(30);
  });
});

describe("words", () => {
  it.each<[string[], RegExp]>([
    [["chekc"], /unknown command 'chekc' \(did you mean 'check'\?\)/],
    [["check", "--jsn"], /unknown option '--jsn' \(did you mean '--json'\?\)/],
    [["check", "-c"], /option '-c' needs a value/],
    [["check"], /check needs -c FILE/],
    [["preview", "extra", "-c", "x"], /takes no 'extra'/],
    [["run"], /-c FILE is missing/],
  ])("%j", async (words, message) => {
    const { code, err } = await cli(...words);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it.each(["run", "check", "preview", "explain", "demo"])("%s has --help", async (name) => {
    const { code, out } = await cli(name, "--help");
    expect(code).toBe(0);
    expect(out).toContain(`causeway ${name}`);
    expect(out).toContain("--help");
  });

  it("without a word it shows what there is", async () => {
    expect((await cli("--help")).out).toMatch(/run[\s\S]*check[\s\S]*preview[\s\S]*explain/);
  });
});
