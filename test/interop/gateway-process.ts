import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bundle/src/main.js", import.meta.url));

/** The built gateway as an installer runs it. */
export class GatewayProcess implements AsyncDisposable {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Resolves when the gateway has started; it may not have registered yet. */
  static async start(configFile: string): Promise<GatewayProcess> {
    if (!existsSync(PROGRAM)) throw new Error("this test runs what is built: npm run build");
    const gateway = new GatewayProcess(new Child(process.execPath, [PROGRAM, "run", "-c", configFile]));
    await gateway.logged("gateway started");
    return gateway;
  }

  /** What the gateway has logged so far, line by line. */
  get log(): string {
    return this.#child.lines.join("\n");
  }

  /** Resolves with the facts of the first line with this message. */
  async logged(message: string): Promise<Readonly<Record<string, unknown>>> {
    const line = await this.#child.line((text) => text.includes(`"msg":"${message}"`));
    return JSON.parse(line);
  }

  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | NodeJS.Signals> {
    this.#child.signal("SIGTERM");
    return this.#child.ended;
  }

  /** SIGKILL, as a power cut. */
  async kill(): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
