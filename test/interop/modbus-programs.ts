import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Scope } from "../../src/base/scope.js";

const PYTHON = "/usr/bin/python3";

/** Real peers for one test file; closing it ends them and removes what they left. */
export class Programs implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "causeway-modbus-"));
  readonly #scope = new Scope((error) => {
    throw error;
  });

  constructor() {
    this.#scope.defer(() => rmSync(this.folder, { recursive: true }));
  }

  /** Starts a program that ends with the test; resolves with its first line of output, if it prints one. */
  async start(command: string, args: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (text) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code) => resolve(`exit ${code}`));
    });
    this.#scope.defer(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    const line = once(createInterface(child.stdout), "line").then(([text]) => String(text));
    const first = await Promise.race([line, ended.then((reason) => new Error(`${command}: ${reason}\n${complaint}`))]);
    if (first instanceof Error) throw first;
    return { child, line: first };
  }

  async pymodbus(transport: "tcp" | "udp" | "tls" | "rtu" | "ascii", place: string): Promise<string> {
    needs(PYTHON, ["-c", "import pymodbus"], "python3-pymodbus");
    const script = fileURLToPath(new URL("modbus-pymodbus.py", import.meta.url));
    return (await this.start(PYTHON, [script, transport, place])).line;
  }

  async libmodbus(transport: "tcp" | "rtu", place: string): Promise<void> {
    const program = join(this.folder, "libmodbus-slave");
    const source = fileURLToPath(new URL("modbus-libmodbus.c", import.meta.url));
    if (!existsSync(program)) needs("gcc", ["-o", program, source, "-lmodbus"], "gcc and libmodbus-dev");
    await this.start(program, [transport, place]);
  }

  /** A certificate that is its own authority, for `localhost`, and its key. */
  certificate(): { cert: string; key: string } {
    const [cert, key] = [join(this.folder, "cert.pem"), join(this.folder, "key.pem")];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const files = ["-keyout", key, "-out", cert];
    needs("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names, ...files], "openssl");
    return { cert, key };
  }

  /** Two ends of a serial line; `unplug` takes both away. */
  async ptyPair(name: string): Promise<{ near: string; far: string; unplug: () => Promise<void> }> {
    needs("socat", ["-V"], "socat");
    const [near, far] = [join(this.folder, `${name}-near`), join(this.folder, `${name}-far`)];
    // -d -d tells of each pty; a shell joins the streams, for the first line is what `start` waits for.
    const pty = (link: string): string => `pty,raw,echo=0,link=${link}`;
    const script = `exec socat -d -d ${pty(near)} ${pty(far)} 2>&1`;
    const { child } = await this.start("/bin/sh", ["-c", script]);
    await until(() => existsSync(near) && existsSync(far));
    const unplug = async (): Promise<void> => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    };
    return { near, far, unplug };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Asks again and again, for at most ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("what the test waits for did not come within ten seconds");
}

function needs(command: string, args: readonly string[], what: string): void {
  try {
    execFileSync(command, args, { stdio: "pipe" });
  } catch (error) {
    throw new Error(`this test needs ${what} installed: ${error instanceof Error ? error.message : error}`);
  }
}
