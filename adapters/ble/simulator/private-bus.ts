import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CausewayError, toError } from "causeway/adapter";

const CONFIGURATION = (socket: string, denied: string): string => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true"/>
    <allow receive_type="method_call"/>
    <allow receive_type="signal"/>
    <allow receive_requested_reply="true"/>
    ${denied}
  </policy>
</busconfig>`;

/** A real dbus-daemon of its own. */
export class PrivateBus implements AsyncDisposable {
  readonly socket: string;
  readonly address: string;
  readonly #folder: string;
  #daemon: ChildProcess | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.socket = join(folder, "bus");
    this.address = `unix:path=${this.socket}`;
  }

  /** `denied` are further rules of the bus's policy. Rejects with LINK_NO_DBUS. */
  static async start(denied = ""): Promise<PrivateBus> {
    const bus = new PrivateBus(await mkdtemp(join(tmpdir(), "bluez-")));
    try {
      await writeFile(join(bus.#folder, "bus.conf"), CONFIGURATION(bus.socket, denied));
      await bus.run();
      return bus;
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      const what = `dbus-daemon, of the Debian package 'dbus', does not start: ${toError(error).message}`;
      throw new CausewayError("LINK_NO_DBUS", what, { cause: error });
    }
  }

  /** Also after `kill`. */
  async run(): Promise<void> {
    const options = ["--nofork", "--print-address", `--config-file=${join(this.#folder, "bus.conf")}`];
    const daemon = spawn("dbus-daemon", options, { stdio: ["ignore", "pipe", "ignore"] });
    this.#daemon = daemon;
    const lines = createInterface({ input: daemon.stdout });
    const failed = once(daemon, "exit").then(([code]) => {
      throw new Error(`dbus-daemon ended with ${String(code)}`);
    });
    failed.catch(() => undefined);
    await Promise.race([once(lines, "line"), once(daemon, "error").then(([error]) => Promise.reject(error)), failed]);
  }

  /** All who are connected lose the connection. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon === undefined || daemon.exitCode !== null) return;
    const exited = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await exited;
    await rm(this.socket, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
