import { fileURLToPath } from "node:url";
import { Child } from "./child.js";

export type Table = "coil" | "discrete" | "holding" | "input";

/** A number that the slave answered, and when (ms since 1970). */
export type Counted = readonly [value: number, atMs: number];

/** Debian's own Python, which has Debian's pymodbus. */
const PYTHON = "/usr/bin/python3";

/** A Modbus slave by pymodbus, unit 1, that does as the test says. */
export class PymodbusSlave implements AsyncDisposable {
  readonly #child: Child;
  #asked = 1;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** `place` is a TCP port or the path of a serial port. */
  static async start(transport: "tcp" | "rtu", place: string): Promise<PymodbusSlave> {
    const script = fileURLToPath(new URL("pymodbus_slave.py", import.meta.url));
    const child = new Child(PYTHON, [script, transport, place]);
    try {
      await child.line(() => true);
    } catch (error) {
      throw new Error("this test needs Debian's python3-pymodbus installed", { cause: error });
    }
    return new PymodbusSlave(child);
  }

  async set(table: Table, first: number, ...values: readonly number[]): Promise<void> {
    await this.#ask("set", table, first, values);
  }

  async get(table: Table, first: number, count = 1): Promise<readonly number[]> {
    return JSON.parse(await this.#ask("get", table, first, count));
  }

  /** From now on the uint32 in two input registers grows by one each time it is read, from 1. */
  async count(first: number): Promise<void> {
    await this.#ask("count", first);
  }

  async counted(): Promise<readonly Counted[]> {
    return JSON.parse(await this.#ask("counted"));
  }

  /** Answers writes with a Modbus exception, or takes them again. */
  async refuseWrites(exception: 2 | 4 | "none"): Promise<void> {
    await this.#ask("refuse", exception === "none" ? null : exception);
  }

  async silence(silence: "on" | "off"): Promise<void> {
    await this.#ask("silence", silence);
  }

  /** The writes that it carried out, with their time (ms since 1970). */
  async writes(): Promise<readonly (readonly [Table, first: number, values: readonly number[], atMs: number])[]> {
    return JSON.parse(await this.#ask("writes"));
  }

  async #ask(...command: readonly unknown[]): Promise<string> {
    const answer = this.#asked++;
    this.#child.write(JSON.stringify(command));
    return this.#child.line(() => true, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
