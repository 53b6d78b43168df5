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

  it("tells of a mapping that is not there, and of the mistakes of the others", async () => {
    const broken = await file("broken.yaml", SIX_MISTAKES);
    const none = join(folder, "none.yaml");
    const { code, out } = await cli("check", none, broken, "--json");
    expect(code).toBe(2);
    const problems: { at: { file: string }; what: string }[] = JSON.parse(out);
    expect(problems[0]).toMatchObject({ at: { file: none }, what: "does not exist" });
    expect(problems.filter(({ at }) => at.file === broken)).toHaveLength(6);
  });

  it("says which kind of file it was given for another", async () => {
    const config = await file("causeway.yaml", CONFIG);
    expect((await cli("check", config)).err).toBe(`note: ${config} is a gateway's configuration: check it with -c`);
    const mapping = await file("m.yaml", SIX_MISTAKES);
    expect((await cli("check", "-c", mapping)).err).toBe(`note: ${mapping} is a mapping file: check it without -c`);
  });

  it("tells of a file that is not there, with what to do", async () => {
    const { code, err } = await cli("check", "-c", join(folder, "none.yaml"));
    expect(code).toBe(2);
    expect(err).toMatch(/CONFIG_UNREADABLE.*none\.yaml/);
  });
});

const LINE = "{ transport: rtu, port: /dev/ttyS0, baudRate: 9600 }";

describe("plan", () => {
  it("shows the requests of a profile on a line, and what they cost", async () => {
    const { code, out } = await cli("plan", "-m", "xy-md02", "--link", LINE, "--station", "{ unit: 7 }", "--points");
    expect(code).toBe(0);
    const [head, header, row] = out.split("\n");
    expect(head).toMatch(/^modbus \/dev\/ttyS0 \(link link\): 1 requests, 0\.\d % of the bus$/);
    expect(header).toMatch(/^DEVICE +EVERY +REQUEST +VALUES +MS +LOAD +POINTS$/);
    expect(row).toMatch(/^device +10s +FC4 unit 7, 2 registers from 1 +2 +\d+\.\d +0\.\d % +temperature humidity$/);
  });

  it("has one request for all that a three-phase meter tells", async () => {
    const words = ["plan", "-m", "eastron-sdm630", "--link", LINE, "--station", "{ unit: 1 }", "--json"];
    const [bus] = JSON.parse((await cli(...words)).out);
    expect(bus.requests).toMatchObject([{ request: "FC4 unit 1, 78 registers from 0" }]);
  });

  it("reads the profile from a file", async () => {
    const mapping = await file("mine.yaml", MINE);
    const { out, err } = await cli("plan", "-m", mapping, "--link", LINE, "--station", "{ unit: 7 }", "--json");
    expect({ plan: JSON.parse(out), err }).toMatchObject({
      plan: [{ requests: [{ points: ["level"] }], heard: [] }],
      err: "",
    });
  });

  it("warns of a bus that is asked for more than its time", async () => {
    const devices = Array.from(
      { length: 40 },
      (_, unit) =>
        `  - { name: m${unit + 1}, link: line, profile: xy-md02, address: { unit: ${unit + 1} }, poll: { normal: 1s } }`,
    );
    const links = `links: { line: { adapter: modbus, transport: rtu, port: /dev/ttyS0, baudRate: 9600 } }`;
    const head = CONFIG.split("links:")[0] ?? "";
    const config = await file("causeway.yaml", `${head}${links}\ndevices:\n${devices.join("\n")}\n`);
    const { code, err } = await cli("plan", "-c", config);
    expect(code).toBe(0);
    expect(err).toMatch(/^modbus \/dev\/ttyS0 is overcommitted: its requests take 1\d\d\.\d % of the time/);
    expect((await cli("plan", "-c", config, "m1", "m2")).err).toBe("");
  });

  it.each([
    [["-m", "xy-md2"], "USAGE: no profile 'xy-md2' (did you mean 'xy-md02'?)"],
    [["-m", "xy-md02", "--link", "{ transport: rtu"], "USAGE: --link:1:1"],
    [["-m", "xy-md02", "--link", "{ transport: rtu, prot: /dev/ttyS0 }"], "--link:1:19 links.link.prot: unknown key"],
    [["-m", "xy-md02", "--link", LINE, "--station", "{ unit: 999 }"], "--station:1:9 devices[0].address.unit"],
    [["-m", "xy-md02", "-c", "x.yaml"], "USAGE: either -c or -m, not both"],
    [["-m", "xy-md02", "--link", LINE, "--station", "{ unit: 7 }", "pump"], "USAGE: no device 'pump' (known: device)"],
  ])("%j is refused with its place", async (words, message) => {
    const { code, err } = await cli("plan", ...words);
    expect({ code, err: err.slice(0, message.length) }).toEqual({ code: 2, err: message });
  });
});

const MINE = `profile: my-level
title: A level sensor
adapter: modbus
addressBase: 0
points: { level: { at: { table: holding, register: 4 }, type: int16 } }
objects: [{ object: 3300, resources: { 5700: level } }]
`;

describe("profiles", () => {
  it("lists what there is, and what has the words", async () => {
    const all = await cli("profiles", "list");
    expect(all.out).toMatch(/^PROFILE +ADAPTER +POINTS +TITLE\n/);
    expect(all.out).toMatch(/\nxy-md02 +modbus +2 +XY-MD02 /);
    const found = await cli("profiles", "search", "humidity", "rs-485", "--json");
    expect(JSON.parse(found.out)).toMatchObject([{ name: "xy-md02", adapter: "modbus", points: 2 }]);
    expect((await cli("profiles", "search", "nonsense")).err).toMatch(/no profile has these words/);
  });

  it("shows what a profile reads and feeds, and its caveats", async () => {
    const { code, out } = await cli("profiles", "show", "xy-md02");
    expect(code).toBe(0);
    expect(out).toMatch(
      /\ntemperature +r +normal +Cel +at:table:input register:1 type:int16 +3303\/0\/5700 +-20 to 60\n/,
    );
    expect(out).toMatch(/\n! Not tried on a device yet\./);
  });

  it("puts a folder of one's own first", async () => {
    await file("xy-md02.yaml", MINE.replace("my-level", "xy-md02"));
    expect((await cli("profiles", "show", "xy-md02", "--mappings", folder)).out).toMatch(/^xy-md02: A level sensor\n/);
  });

  it("knows its verbs and names", async () => {
    expect(await cli("profiles", "find")).toMatchObject({ code: 2, err: expect.stringContaining("not 'find'") });
    expect(await cli("profiles", "show", "xymd02")).toMatchObject({
      err: expect.stringContaining("did you mean 'xy-md02'?"),
    });
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
    [["explain", "FIELD_TIMEOUT", "LINK_BUSY"], /'explain' takes no 'LINK_BUSY'/],
    [["trace", "line", "broker"], /'trace' takes no 'broker'/],
    [["profiles", "list", "abb"], /profiles list takes no 'abb'/],
    [["profiles", "show", "abb-b23", "pzem-016"], /profiles show takes no 'pzem-016'/],
    [["preview", "extra", "-c", "x"], /takes no 'extra'/],
    [["run"], /-c FILE is missing/],
    [["plan"], /give -c FILE, or -m MAPPING/],
    [["test", "-m", "keller-30x", "--station", "{ unit: 1 }"], /^--link:1:1 links.link: 'transport' is missing$/],
    [["scan", "modbus", "/dev/ttyUSB0"], /what is '\/dev\/ttyUSB0'\? A port is given as --port/],
    [["profiles", "mach"], /profiles list, search, show or match, not 'mach'/],
    [["profiles", "match"], /profiles match ADAPTER --link/],
    [["profiles", "match", "modbus", "--link", "{ transport: tcp }"], /--link: tcp needs 'host'/],
    [["profiles", "match", "modbus", "--link", "{ transport: tcp, host: h }"], /--station:1:1.*'unit' is missing/],
    [["profiles", "match", "mqtt", "--link", "{ url: mqtt://h }"], /speak on their own: 'causeway scan mqtt'/],
    [["scan"], /scan what\? there are: .*scan modbus/],
    [["scan", "modus", "--port", "x"], /there is no 'scan modus' \(did you mean 'scan modbus'\?\)/],
    [["read", "ble"], /there is no 'read ble' \(there are: .*read modbus/],
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
