import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program under measurement, pinned to one core. */
export class MeasuredProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #closed: Promise<unknown>;

  /** What it had written when it was ready. */
  readonly output: string;

  private constructor(child: ChildProcess, pid: number, closed: Promise<unknown>, output: string) {
    this.output = output;
    this.#child = child;
    this.#pid = pid;
    this.#closed = closed;
  }

  /** Waits until the program has written `ready`, where there is one; rejects when it ends before. */
  static async start(core: number, command: readonly string[], ready: RegExp | undefined): Promise<MeasuredProcess> {
    const child = spawn("taskset", ["--cpu-list", String(core), ...command], { stdio: ["ignore", "pipe", "pipe"] });
    const closed = once(child, "close");
    let output = "";
    const isReady = new Promise<void>((resolve) => {
      const onData = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-10_000);
        if (ready?.test(output) === true) resolve();
      };
      if (ready === undefined) resolve();
      child.stdout.on("data", onData);
      child.stderr.on("data", onData);
    });
    const ended = closed.then(() => {
      throw new Error(`${command.join(" ")} ended: ${output}`);
    });
    ended.catch(() => undefined);
    await Promise.race([isReady, ended]);
    if (child.pid === undefined) throw new Error(`${command.join(" ")} did not start`);
    return new MeasuredProcess(child, child.pid, closed, output);
  }

  /** CPU time of all threads since the start, nanoseconds. */
  cpuNs(): number {
    return readdirSync(`/proc/${this.#pid}/task`)
      .map((task) => Number(readFileSync(`/proc/${this.#pid}/task/${task}/schedstat`, "utf8").split(" ")[0]))
      .reduce((sum, ns) => sum + ns, 0);
  }

  /** Resident memory, MiB. */
  rssMib(): number {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8"))?.[1];
    return Number(kib) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed.catch(() => undefined);
  }
}

/** A program in C beside the benchmarks, compiled for this run. */
export class CompiledProgram implements Disposable {
  readonly path: string;
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "bench-"));
    this.path = join(this.#folder, name);
    const source = fileURLToPath(new URL(`../../bench/${name}.c`, import.meta.url));
    execFileSync("cc", ["-O2", "-o", this.path, source, "-lm"], { stdio: "inherit" });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end on a core and gives what it printed. */
export function runPinned(core: number, command: readonly string[]): string {
  return execFileSync("taskset", ["--cpu-list", String(core), ...command], { encoding: "utf8" });
}

/** What the first line of `src/main.ts` gives the gateway's process: its memory counts more than its last percent of speed. */
export const GATEWAY_FLAGS = ["--optimize-for-size", "--max-semi-space-size=4"];

/** The command that runs a module of the benchmarks, e.g. `servers/echo.js`. */
export function nodeCommand(module: string): string[] {
  return [process.execPath, fileURLToPath(new URL(module, import.meta.url))];
}

/** The same as the gateway's own process is run. */
export function gatewayCommand(module: string): string[] {
  const [node = process.execPath, ...rest] = nodeCommand(module);
  return [node, ...GATEWAY_FLAGS, ...rest];
}
