import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../src/base/package-root.js";

const PROFILES = {
  device: `profile: device
title: One value that changes
adapter: sim
points:
  value: { wave: sine, period: 5s, every: fast }
objects:
  - { object: 3300, resources: { 5700: value } }
`,
  location: `profile: location
title: A position that changes
adapter: sim
points:
  lat: { wave: sine, min: 43.5, max: 43.6, period: 5s, unit: lat, every: fast }
  lon: { wave: sine, min: 153.2, max: 153.3, period: 7s, unit: lon, every: fast }
objects:
  - { object: 6, resources: { 0: lat, 1: lon } }
`,
  "room-a": roomProfile("room-a", "Room A"),
  "room-b": roomProfile("room-b", "Room B"),
};

function roomProfile(name: string, title: string): string {
  return `profile: ${name}
title: ${title}
adapter: sim
points:
  temperature: { wave: constant, min: 22.1, every: slow }
  setpoint: { wave: constant, min: 21, access: rw, every: slow }
  level: { wave: sine, period: 5s, every: fast }
objects:
  - { object: 3303, resources: { 5700: temperature, 5701: { value: Cel } } }
  - { object: 3308, resources: { 5900: setpoint } }
  - { object: 3300, resources: { 5700: level } }
`;
}

const SIMULATED = { link: "simulation" };
const DEVICES = {
  device: [{ ...SIMULATED, name: "device", profile: "device" }],
  location: [{ ...SIMULATED, name: "device", profile: "location" }],
  // As the examples of OMA LwM2M Gateway 1.1.1 §10 name them.
  behind: [
    { ...SIMULATED, name: "a", profile: "room-a", expose: "gateway", id: "urn:dev:os:32473-101", prefix: "d01" },
    { ...SIMULATED, name: "b", profile: "room-b", expose: "gateway", id: "urn:dev:os:32473-102", prefix: "d02" },
  ],
} as const;

export interface GatewayOptions {
  /** URIs, in the order of their short server ids. */
  readonly servers: readonly string[];
  readonly bootstrap?: { readonly uri: string; readonly pack?: "try" };
  readonly field?: keyof typeof DEVICES;
  /** Further keys of every server, and of the gateway. */
  readonly keys?: object;
  readonly gatewayKeys?: object;
  /** Per server. */
  readonly rights?: readonly (object | undefined)[];
}

/** The built gateway in a process and a folder of its own. */
export class GatewayUnderTest implements AsyncDisposable {
  readonly #folder: string;
  #child: ChildProcess;
  #complaint = "";

  private constructor(folder: string) {
    this.#folder = folder;
    this.#child = this.#spawn();
  }

  /** Resolves at once; the first Register tells that it runs. */
  static async start({
    servers,
    bootstrap,
    field,
    keys,
    gatewayKeys,
    rights = [],
  }: GatewayOptions): Promise<GatewayUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), "causeway-conformance-"));
    const config = join(folder, "causeway.yaml");
    const history = field === undefined ? "none" : "send";
    for (const [name, text] of Object.entries(PROFILES)) await writeFile(join(folder, `${name}.yaml`), text);
    await writeFile(
      config,
      JSON.stringify({
        gateway: {
          endpoint: "urn:dev:os:32473-ets",
          state: "state",
          log: "warn",
          conformance: "oma-ets",
          ...gatewayKeys,
        },
        mappings: ["."],
        servers: servers.map((uri, index) => ({
          uri,
          lifetime: "24h",
          history,
          ...keys,
          ...(rights[index] === undefined ? {} : { rights: rights[index] }),
        })),
        ...(bootstrap === undefined ? {} : { bootstrap: { ...bootstrap, history } }),
        links: { simulation: { adapter: "sim" } },
        devices: field === undefined ? [] : DEVICES[field],
      }),
    );
    return new GatewayUnderTest(folder);
  }

  /** Ends the process, and starts another one with the same state. */
  async restart(by: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#end(by);
    this.#child = this.#spawn();
  }

  /** The end of what it wrote to standard error. */
  get complaint(): string {
    return this.#complaint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const program = join(packageRoot(), "dist", "bundle", "src", "main.js");
    const config = join(this.#folder, "causeway.yaml");
    const child = spawn(process.execPath, [program, "run", "-c", config], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (text) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-2000);
    });
    return child;
  }

  async #end(by: "SIGTERM" | "SIGKILL"): Promise<void> {
    const isRunning = this.#child.exitCode === null && this.#child.signalCode === null;
    const ended = isRunning ? once(this.#child, "close") : undefined;
    this.#child.kill(by);
    await ended;
  }
}
