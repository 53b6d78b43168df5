import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AIR, MAPPINGS } from "./air.js";

const STATUS = "http://127.0.0.1:8474/status";
const PROGRAM = new URL("../../bundle/src/main.js", import.meta.url).pathname;

export interface PointStatus {
  readonly quality: string;
  readonly atMs?: number;
  readonly reason?: string;
}

interface StatusPart {
  readonly buses: readonly {
    readonly state: string;
    readonly opened: number;
    readonly fault?: { readonly code: string };
  }[];
  readonly devices: readonly {
    readonly name: string;
    readonly points: readonly (PointStatus & { readonly name: string })[];
  }[];
}

/** The built gateway in a process of its own. */
export class GatewayProcess {
  readonly #child: ChildProcess;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "causeway-"));
    for (const [name, text] of Object.entries(MAPPINGS)) writeFileSync(join(folder, `${name}.yaml`), text);
    const configuration = {
      gateway: { endpoint: "system-test", state: join(folder, "state"), log: "info" },
      servers: [{ uri: "coap://127.0.0.1" }],
      mappings: Object.keys(MAPPINGS).map((name) => `${name}.yaml`),
      links: { ble: { adapter: "ble" } },
      devices: AIR.map(({ name, profile, address }) => ({
        name,
        link: "ble",
        profile,
        address: { address },
        poll: { normal: "5s" },
      })),
      local: {},
    };
    const file = join(folder, "causeway.yaml");
    writeFileSync(file, JSON.stringify(configuration));
    this.#child = spawn(process.execPath, [PROGRAM, "run", "-c", file], { stdio: ["ignore", "inherit", "inherit"] });
  }

  async status(): Promise<StatusPart | undefined> {
    try {
      const answer = await fetch(STATUS);
      return (await answer.json()) as StatusPart;
    } catch {
      // Not yet listening.
      return undefined;
    }
  }

  /** Memory in MB and the processor time so far in seconds. */
  usage(): { readonly rssMb: number; readonly cpuS: number } {
    const of = (file: string): string => readFileSync(`/proc/${this.#child.pid}/${file}`, "utf8");
    const fields = of("stat")
      .replace(/^.*\) /, "")
      .split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(of("status"))?.[1]) / 1024, cpuS: ticks / 100 };
  }

  async stop(): Promise<number | null> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
    return this.#child.exitCode;
  }
}
