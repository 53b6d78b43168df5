import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { UdpHub } from "../fakes/udp-hub.js";
import { WireLwm2mServer } from "../fakes/wire-server.js";

const models = await loadModels();

/** A folder of files and an LwM2M server on a real socket, for gateways that run in real time. */
export class Site implements AsyncDisposable {
  readonly folder: string;
  readonly server: WireLwm2mServer;
  readonly #hub: UdpHub;

  private constructor(folder: string, server: WireLwm2mServer, hub: UdpHub) {
    this.folder = folder;
    this.server = server;
    this.#hub = hub;
  }

  static async open(observes: readonly string[] = []): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), "causeway-site-"));
    const server = new WireLwm2mServer({ clock: systemClock, random: Math.random, models, observes });
    const hub = await UdpHub.open((transport) => server.accept(transport));
    return new Site(folder, server, hub);
  }

  get uri(): string {
    return `coap://127.0.0.1:${this.#hub.port}`;
  }

  /** Writes the file and gives its path. */
  async file(name: string, content: string | object): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.stop();
    await this.#hub[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
