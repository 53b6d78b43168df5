import { Child } from "./child.js";
import { freeUdpPort } from "./coap-programs.js";
import { classPath, FOLDER } from "./leshan-server.js";
import type { Programs } from "./modbus-programs.js";

/** What every client is given. */
export interface GivenServer {
  readonly uri: string;
  readonly shortServerId: number;
  readonly lifetimeS: number;
  /** In which Leshan writes it; what the client prefers when absent. */
  readonly format?: "TLV" | "SENML_JSON" | "SENML_CBOR";
}

/** Leshan's bootstrap server in a process of its own; its events are lines. */
export class LeshanBootstrapServer implements AsyncDisposable {
  readonly uri: string;
  readonly #child: Child;

  private constructor(port: number, child: Child) {
    this.uri = `coap://127.0.0.1:${port}`;
    this.#child = child;
  }

  static async start(given: GivenServer, programs: Programs): Promise<LeshanBootstrapServer> {
    const port = await freeUdpPort();
    const account = [given.uri, `${given.shortServerId}`, `${given.lifetimeS}`];
    const format = given.format === undefined ? [] : [given.format];
    const args = [`${FOLDER}BootstrapServer.java`, `${port}`, ...account, ...format];
    // Californium leaves its settings where it is started.
    const child = new Child("java", ["-cp", classPath("bootstrap", programs), ...args], programs.folder);
    await child.line((line) => line === "started");
    return new LeshanBootstrapServer(port, child);
  }

  get events(): readonly string[] {
    return this.#child.lines;
  }

  /** Resolves when the event is there, also when it was before. */
  async event(text: string): Promise<void> {
    await this.#child.line((line) => line === text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}
