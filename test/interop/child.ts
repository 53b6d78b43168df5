import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program of its own whose standard output is read line by line; disposing kills it. */
export class Child implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly name: string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  #complaint = "";
  #waiting: (() => void)[] = [];

  constructor(command: string, args: readonly string[], folder?: string) {
    this.name = command;
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], cwd: folder });
    this.#process = child;
    // A program that has gone reads no more; that it has gone is told by `ended`.
    child.stdin.on("error", () => undefined);
    child.stderr.on("data", (text) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-4000);
    });
    createInterface(child.stdout).on("line", (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#complaint += error.message;
        resolve(-1);
        this.#wake();
      });
      child.once("close", (code, signal) => {
        resolve(code ?? signal ?? -1);
        this.#wake();
      });
    });
  }

  get isRunning(): boolean {
    return this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** What it wrote to standard error, the end of it. */
  get complaint(): string {
    return this.#complaint;
  }

  /** The first line from `from` on that passes; throws when the program ends before. */
  async line(passes: (line: string) => boolean, from = 0): Promise<string> {
    for (let index = from; ; index++) {
      while (index >= this.lines.length) {
        if (!this.isRunning) throw new Error(`${this.name} has ended: ${this.#complaint}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      const line = this.lines[index];
      if (line !== undefined && passes(line)) return line;
    }
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Asks again and again until it is so; says what it waited for when it never is. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const until = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
