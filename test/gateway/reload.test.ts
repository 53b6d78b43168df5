import { expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.js";
import { Site } from "./site.js";

const LINK_FORMAT = 40;

const PROFILE = `profile: wave
title: A wave
adapter: sim
points:
  level: { wave: ramp, period: 1m, every: fast }
objects:
  - { object: 3300, resources: { 5700: level } }
`;

/** A run of the command in this process, with everything that usually comes from outside in the test's hands. */
class Run {
  readonly lines: string[] = [];
  readonly exit: Promise<number>;
  readonly #stop = new AbortController();
  #reload: () => void = () => undefined;
  #wake: () => void = () => undefined;

  constructor(config: string) {
    this.exit = runCli(["run", "-c", config], {
      out: (line) => this.#take(line),
      err: (line) => this.#take(line),
      terminal: "pipe",
      environment: {},
      signal: this.#stop.signal,
      onReload: (listener) => {
        this.#reload = listener;
      },
    });
  }

  /** SIGHUP */
  reload(): void {
    this.#reload();
  }

  /** SIGTERM */
  stop(): void {
    this.#stop.abort(new Error("SIGTERM"));
  }

  /** Lines with this message, as soon as there are so many. */
  async logged(message: string, count: number): Promise<readonly Record<string, unknown>[]> {
    for (;;) {
      const found = this.lines.filter((line) => line.includes(`"msg":"${message}"`));
      if (found.length >= count) return found.map((line) => JSON.parse(line));
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(line: string): void {
    this.lines.push(line);
    this.#wake();
  }
}

it("SIGHUP takes a good configuration over and refuses a broken one; SIGTERM takes leave", async () => {
  await using site = await Site.open();
  const { server } = site;
  await site.file("wave.yaml", PROFILE);
  const configure = (...names: string[]) =>
    site.file("causeway.yaml", {
      gateway: { endpoint: "gw", state: "state" },
      mappings: ["."],
      servers: [{ uri: site.uri }],
      links: { hall: { adapter: "sim" } },
      devices: names.map((name) => ({ name, link: "hall", profile: "wave" })),
    });
  const run = new Run(await configure("a"));
  await server.until(() => server.registrations === 1);
  expect(server.links).toContain("</3300/0>");

  await configure("b", "a");
  run.reload();
  await server.until(() => server.links.includes("</3300/1>"));
  expect(server.registrations).toBe(1);
  await run.logged("gateway started", 2);

  await site.file("causeway.yaml", "gateway: { endpoint: gw, sate: state }\nservers: []\ndevices: [{ name: a }]\n");
  run.reload();
  const [refusal] = await run.logged("the configuration has mistakes; the old one stays", 1);
  expect(refusal?.["problems"]).toEqual(
    expect.arrayContaining([expect.stringMatching(/causeway\.yaml:1:26 gateway\.sate: unknown key.*'state'/)]),
  );
  await site.file("causeway.yaml", "gateway: [");
  run.reload();
  await run.logged("the configuration has mistakes; the old one stays", 2);
  expect(server.registrations).toBe(1);
  expect(await run.logged("gateway stops", 1)).toHaveLength(1);

  run.stop();
  expect(await run.exit).toBe(0);
  expect(server.log.at(-1)).toMatch(/^DELETE \/rd\//);
  expect(server.registrations).toBe(0);
});

it("SIGHUP takes leave of servers and endpoints that the file no longer has, and of nobody else", async () => {
  await using site = await Site.open();
  await using other = await Site.open();
  await site.file("wave.yaml", PROFILE);
  const configure = (uris: readonly string[], expose: string) =>
    site.file("causeway.yaml", {
      gateway: { endpoint: "gw", state: "state", expose },
      mappings: ["."],
      servers: uris.map((uri) => ({ uri })),
      links: { hall: { adapter: "sim" } },
      devices: [{ name: "a", link: "hall", profile: "wave" }],
    });
  const run = new Run(await configure([site.uri, other.uri], "endpoints"));
  await Promise.all([site, other].map(({ server }) => server.until(() => server.registrations === 2)));

  await configure([site.uri], "endpoints");
  run.reload();
  await other.server.until(() => other.server.registrations === 0);
  await run.logged("in touch again, the registration goes on", 2);
  expect([...site.server.endpoints].sort()).toEqual(["gw", "gw:a"]);

  await configure([site.uri], "flat");
  run.reload();
  await run.logged("in touch again, the registration goes on", 3);
  expect(site.server.endpoints).toEqual(["gw"]);
  expect(site.server.log.filter((line) => line.startsWith("POST /rd?"))).toHaveLength(2);
  run.stop();
  expect(await run.exit).toBe(0);
});

it("what a server has attached is not taken for another's that has its place in the list now", async () => {
  await using site = await Site.open();
  await using other = await Site.open();
  await site.file("wave.yaml", PROFILE);
  const configure = (...uris: readonly string[]) =>
    site.file("causeway.yaml", {
      gateway: { endpoint: "gw", state: "state" },
      mappings: ["."],
      servers: uris.map((uri) => ({ uri })),
      links: { hall: { adapter: "sim" } },
      devices: [{ name: "a", link: "hall", profile: "wave" }],
    });
  const run = new Run(await configure(site.uri, other.uri));
  await run.logged("registered", 2);
  expect(await site.server.ask("PUT", "/3300/0/5700", { query: ["pmin=30"] })).toBe("2.04");

  await configure(other.uri);
  run.reload();
  await run.logged("registered", 3);
  await other.server.until(() => other.server.registrations === 1);
  const links = await other.server.ask("GET", "/3300/0/5700", { accept: LINK_FORMAT });
  expect(links).toContain("</3300/0/5700>");
  expect(links).not.toContain("pmin");
  run.stop();
  expect(await run.exit).toBe(0);
});

it("a stop while the gateway starts is not missed", async () => {
  await using site = await Site.open();
  const config = await site.file("causeway.yaml", {
    gateway: { endpoint: "gw", state: "state" },
    servers: [{ uri: site.uri }],
  });
  const run = new Run(config);
  run.stop();
  expect(await run.exit).toBe(0);
});
