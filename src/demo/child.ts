import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CausewayError } from "../base/errors.js";
import type { Scope } from "../base/scope.js";

/** A process of the demo, with typed messages; it ends with the scope. */
export class Child<Command extends object, Message extends { readonly kind: string }> {
  readonly #process: ChildProcess;
  readonly #listeners = new Set<(message: Message) => void>();
  #failure: Error | undefined;

  constructor(module: "server" | "field", scope: Scope) {
    this.#process = fork(fileURLToPath(new URL(`../demo/${module}.js`, import.meta.url)), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#process.on("message", (message: Message) => {
      for (const listener of this.#listeners) listener(message);
    });
    this.#process.once("exit", (code) => {
      this.#failure = new CausewayError("INTERNAL", `the demo's ${module} process ended (${code})`);
    });
    scope.defer(() => {
      if (this.#process.connected) this.#process.disconnect();
    });
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  send(command: Command): void {
    if (this.#process.connected) this.#process.send(command);
  }

  listen(listener: (message: Message) => void): void {
    this.#listeners.add(listener);
  }

  /** The next message of the kind; rejects when the process ends first or the signal aborts. */
  next<K extends Message["kind"]>(kind: K, signal: AbortSignal): Promise<Extract<Message, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#listeners.delete(onMessage);
        settle();
      };
      const onMessage = (message: Message): void => {
        if (message.kind === kind) finish(() => resolve(message as Extract<Message, { kind: K }>));
      };
      this.#listeners.add(onMessage);
      this.#process.once("exit", () => finish(() => reject(this.#failure)));
      signal.addEventListener("abort", () => finish(() => reject(signal.reason)), { once: true });
    });
  }
}
