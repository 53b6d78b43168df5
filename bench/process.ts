import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Long enough for the slowest start of a peer on a busy machine. */
const READY_MS = 60_000;

/** A program under measurement, pinned to one core. */
export class MeasuredProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #output = "";
  #onOutput: () => void = () => undefined;

  private constructor(core: number, command: readonly string[]) {
    this.#name = command.join(" ");
    const child = spawn("taskset", ["--cpu-list", String(core), ...command], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#closed = once(child, "close");
    this.#closed.catch(() => undefined);
    const onData = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-50_000);
      this.#onOutput();
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
  }

  /** Waits until the program has written `ready`, where there is one; rejects when it ends before, or is silent. */
  static async start(core: number, command: readonly string[], ready: RegExp | undefined): Promise<MeasuredProcess> {
    const started = new MeasuredProcess(core, command);
    try {
      if (ready !== undefined) await started.wait(ready);
      return started;
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What it has written, the last 50 kB of it. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when the output has `pattern`; rejects when the program ends before, or after the time. */
  async wait(pattern: RegExp, timeoutMs = READY_MS): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.#output);
        if (match !== null) resolve(match);
      };
      this.#onOutput = look;
      look();
    });
    const failed = async (what: string, when: Promise<unknown>): Promise<never> => {
      await when;
      throw new Error(`${this.#name} ${what} before ${pattern}: ${this.#output.slice(-2000)}`);
    };
    const abort = new AbortController();
    const late = delay(timeoutMs, undefined, { signal: abort.signal }).catch(() => new Promise(() => undefined));
    try {
      return await Promise.race([found, failed("ended", this.#closed), failed(`was silent for ${timeoutMs} ms`, late)]);
    } finally {
      abort.abort();
    }
  }

  /** CPU time of all threads since the start, nanoseconds. */
  cpuNs(): number {
    return readdirSync(`/proc/${this.#child.pid}/task`)
      .map((task) => Number(readFileSync(`/proc/${this.#child.pid}/task/${task}/schedstat`, "utf8").split(" ")[0]))
      .reduce((sum, ns) => sum + ns, 0);
  }

  /** Resident memory, MiB. */
  rssMib(): number {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))?.[1];
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

/**
 * Node as the first line of `src/main.ts` starts it for the gateway: its memory counts more than its last percent of
 * speed, and one arena of glibc is enough for its few threads.
 */
export const GATEWAY_NODE: readonly string[] = [
  "env",
  "MALLOC_ARENA_MAX=1",
  process.execPath,
  "--optimize-for-size",
  "--max-semi-space-size=4",
];

/** The command that runs a module of the benchmarks, e.g. `servers/echo.js`. */
export function nodeCommand(module: string): string[] {
  return [process.execPath, fileURLToPath(new URL(module, import.meta.url))];
}

/** The same as the gateway's own process is run. */
export function gatewayCommand(module: string): string[] {
  const [, ...rest] = nodeCommand(module);
  return [...GATEWAY_NODE, ...rest];
}
