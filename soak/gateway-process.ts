import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const FLAGS = ["--optimize-for-size", "--max-semi-space-size=4"];
const MAX_LINES = 5000;

/** The built gateway, as a service manager would run it. */
export class GatewayProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];

  constructor(configFile: string, environment: Readonly<Record<string, string>>) {
    const main = fileURLToPath(new URL("../bundle/src/main.js", import.meta.url));
    this.#child = spawn(process.execPath, [...FLAGS, main, "run", "-c", configFile], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, MALLOC_ARENA_MAX: "1", ...environment },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        if (this.#lines.push(line) > MAX_LINES) this.#lines.shift();
      });
    }
  }

  /** Undefined while it runs, otherwise how it ended. */
  get ended(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null ? undefined : `exit ${exitCode ?? signalCode}`;
  }

  /** What it wrote last. */
  get log(): readonly string[] {
    return this.#lines;
  }

  /** Resident memory. */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 102.4) / 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ended !== undefined) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}
