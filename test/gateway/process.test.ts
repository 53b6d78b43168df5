import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { ModbusPoint, ModbusStation } from "../../adapters/modbus/options.js";
import { ModbusSimulator } from "../../adapters/modbus/simulator.js";
import { systemClock } from "../../src/base/clock.js";
import type { SimulatedStation } from "../../src/field/index.js";
import { Child } from "../interop/child.js";
import { Site } from "./site.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bundle/src/main.js", import.meta.url));
const running: Child[] = [];

/** The built gateway in a process of its own. */
function start(config: string): Child {
  const child = new Child(process.execPath, [PROGRAM, "run", "-c", config]);
  running.push(child);
  return child;
}

afterAll(async () => {
  for (const child of running) await child[Symbol.asyncDispose]();
});

const logged = (child: Child, message: string, more = ""): Promise<string> =>
  child.line((line) => line.includes(`"msg":"${message}"`) && line.includes(more));

describe("a configuration that cannot be used ends the program at once", () => {
  const GATEWAY = "gateway: { endpoint: gw, state: state }\nservers: [{ uri: 'coap://127.0.0.1' }]\n";
  it.each<[string, string | undefined, number, RegExp]>([
    ["no file", undefined, 2, /^CONFIG_UNREADABLE: .*causeway\.yaml.*\n {2}Check the path/],
    ["broken YAML", "gateway: [1, 2\nservers: }", 2, /causeway\.yaml:\d+:\d+/],
    [
      "a profile that is not there",
      `${GATEWAY}links: { a: { adapter: sim } }\ndevices: [{ name: d, link: a, profile: eastron-sdm12 }]\n`,
      2,
      /causeway\.yaml:4:40 devices\[0\]\.profile: no profile 'eastron-sdm12' \(did you mean 'eastron-sdm120'\?\)/,
    ],
    [
      "a state folder that cannot be",
      GATEWAY.replace("state: state", "state: causeway.yaml/x"),
      1,
      /OUTBOX_UNAVAILABLE/,
    ],
  ])("%s", async (_, text, code, complaint) => {
    await using site = await Site.open();
    const config = text === undefined ? `${site.folder}/causeway.yaml` : await site.file("causeway.yaml", text);
    const child = start(config);
    expect(await child.ended).toBe(code);
    expect(child.complaint).toMatch(complaint);
    expect(child.complaint).not.toMatch(/\n +at /);
  });
});

describe("output that cannot be written", () => {
  it.each<[string, string, number, RegExp]>([
    ["a full disk is told", "explain >/dev/full", 1, /^error: standard output cannot be written: ENOSPC/],
    ["a full disk under what is wrong changes no exit code", "explain FIELD_TIMEOT 2>/dev/full", 2, /^$/],
    ["a reader that wants no more is no fault", "profiles list | head -1", 0, /^$/],
  ])("%s", async (_, words, code, complaint) => {
    const child = new Child("sh", ["-c", `"$0" "$1" ${words}`, process.execPath, PROGRAM]);
    running.push(child);
    expect(await child.ended).toBe(code);
    expect(child.complaint).toMatch(complaint);
  });
});

const RELAY = { name: "relay", link: "line", profile: "relay-8", address: { unit: 1 } };

describe("what is absent is waited for", () => {
  it("a serial port that is not there is told once, with a remedy, and servers are served", async () => {
    await using site = await Site.open();
    const config = await site.file("causeway.yaml", {
      gateway: { endpoint: "gw", state: "state" },
      servers: [{ uri: site.uri }],
      links: { line: { adapter: "modbus", transport: "rtu", port: `${site.folder}/ttyNone` } },
      devices: [RELAY],
    });
    const child = start(config);
    const down = JSON.parse(await logged(child, "field link down"));
    expect(down).toMatchObject({ code: "LINK_NOT_FOUND", remedy: expect.stringContaining("/dev/serial/by-id/") });
    await logged(child, "registered");
    expect(site.server.links).toContain("</3306/7>");
    child.signal("SIGTERM");
    expect(await child.ended).toBe(0);
    expect(site.server.log.at(-1)).toMatch(/^DELETE/);
    expect(child.lines.filter((line) => line.includes("field link down"))).toHaveLength(1);
  });

  it("a server that is not there does not keep the gateway from running, nor from ending", async () => {
    await using site = await Site.open();
    const uri = await closedPort();
    const config = await site.file("causeway.yaml", {
      gateway: { endpoint: "gw", state: "state" },
      servers: [{ uri }],
    });
    const child = start(config);
    await logged(child, "registration failed, it is tried again", "COAP_UNREACHABLE");
    expect(child.isRunning).toBe(true);
    child.signal("SIGTERM");
    expect(await child.ended).toBe(0);
  });
});

/** An address where something listened a moment ago. */
async function closedPort(): Promise<string> {
  await using site = await Site.open();
  return site.uri;
}

/** Between the moment at which the device has the value and that at which the gateway has it, on a busy machine. */
const ANSWER_MS = 1000;

const POINTS = ["first", "second"];
const PROFILE = `profile: counters
title: Two counters in neighbouring registers
adapter: modbus
addressBase: 0
points:
  first: { at: { table: holding, register: 0 }, type: uint16, every: fast }
  second: { at: { table: holding, register: 1 }, type: uint16, every: fast }
objects:
  - { object: 3300, resources: { 5700: first } }
  - { object: 3300, resources: { 5700: second } }
`;

const STATION: SimulatedStation<ModbusStation, ModbusPoint> = {
  station: { name: "counters", address: { unit: 1 }, traits: {} },
  points: POINTS.map((name, register) => ({
    name,
    access: "r",
    pollClass: "fast",
    address: { at: { table: "holding", register }, type: "uint16" },
  })),
};

/** Two counters that go on with each read. */
class Counters implements AsyncDisposable {
  readonly simulator = new ModbusSimulator([STATION], systemClock);
  /** What was read, with the time. */
  readonly served: { readonly value: number; readonly atMs: number }[] = [];
  #wake: () => void = () => undefined;

  async listen(): Promise<void> {
    this.simulator.misbehave(() => {
      const value = this.served.length + 1;
      for (const point of POINTS) this.simulator.set("counters", point, value);
      this.served.push({ value, atMs: systemClock.nowMs() });
      this.#wake();
      return undefined;
    });
    await this.simulator.listen(0);
  }

  /** Resolves after so many further reads. */
  async reads(count: number): Promise<void> {
    for (const end = this.served.length + count; this.served.length < end; ) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.simulator[Symbol.asyncDispose]();
  }
}

it("SIGKILL in the middle of an outage: nothing is missing that was read a second before", async () => {
  const paths = POINTS.map((_, instanceId) => `/3300/${instanceId}/5700`);
  await using site = await Site.open(paths);
  const { server } = site;
  await using counters = new Counters();
  await counters.listen();
  const { served } = counters;
  await site.file("counters.yaml", PROFILE);
  const config = await site.file("causeway.yaml", {
    gateway: { endpoint: "gw", state: "state" },
    mappings: ["."],
    servers: [{ uri: site.uri }],
    links: { line: { adapter: "modbus", ...counters.simulator.link } },
    devices: [{ name: "counters", link: "line", profile: "counters", address: { unit: 1 }, poll: { fast: "200ms" } }],
  });
  const child = start(config);
  await server.until(() => server.arrivals.filter(({ how }) => how === "notified").length >= 10);
  server.presence = "silent";
  await counters.reads(30);
  child.signal("SIGKILL");
  const killedAtMs = systemClock.nowMs();
  expect(await child.ended).toBe("SIGKILL");

  server.presence = "there";
  server.forget();
  const again = start(config);
  const wanted = served.filter(({ atMs }) => atMs < killedAtMs - 1000).map(({ value }) => value);
  const heard = (path: string, value: number | undefined): boolean =>
    server.arrivals.some((arrival) => arrival.path === path && arrival.value === value);
  // The outbox keeps the order: what was read last arrives last.
  await server.until(() => paths.every((path) => heard(path, wanted.at(-1))));
  expect(paths.flatMap((path) => wanted.filter((value) => !heard(path, value)))).toEqual([]);
  const measuredMs = new Map(served.map(({ value, atMs }) => [value, atMs]));
  const sent = server.arrivals.filter(({ how }) => how === "sent");
  const inTime = sent.filter(
    ({ value, atMs = 0 }) => Math.abs(atMs - (measuredMs.get(Number(value)) ?? 0)) < ANSWER_MS,
  );
  expect(inTime).toHaveLength(sent.length);
  again.signal("SIGTERM");
  expect(await again.ended).toBe(0);
});
