import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "../../src/base/clock.js";
import { Scope } from "../../src/base/scope.js";
import { GatewayProcess } from "./gateway-process.js";
import { type Edition, LeshanServer } from "./leshan-server.js";
import { freePort, Programs } from "./modbus-programs.js";
import { PymodbusSlave } from "./pymodbus-slave.js";
import { UdpRelay } from "./udp-relay.js";

export const ENDPOINT = "urn:dev:os:32473-interop";

/** What was acknowledged before is told by then. */
const QUIET_MS = 500;

const MAPPINGS = fileURLToPath(new URL("leshan/mappings", import.meta.url));

interface SiteOptions {
  readonly edition: Edition;
  readonly field: "tcp" | "rtu";
  readonly profile: "interop-station" | "interop-counter";
  readonly lifetime: string;
  /** Further keys of the server in the configuration. */
  readonly keys?: object;
}

/** A Leshan server, the gateway and a Modbus slave, each a process of its own; ten polls a second. */
export class Site implements AsyncDisposable {
  readonly server: LeshanServer;
  readonly slave: PymodbusSlave;
  /** The way from the gateway to the server. */
  readonly network: UdpRelay;
  readonly #scope: Scope;
  readonly #configFile: string;

  private constructor(scope: Scope, server: LeshanServer, network: UdpRelay, slave: PymodbusSlave, configFile: string) {
    this.#scope = scope;
    this.server = server;
    this.network = network;
    this.slave = slave;
    this.#configFile = configFile;
  }

  static async open(options: SiteOptions): Promise<Site> {
    const scope = new Scope((error) => {
      throw error;
    });
    try {
      const programs = scope.use(new Programs());
      const server = scope.use(await LeshanServer.start(options.edition, programs));
      const [link, place] = await fieldLink(options.field, programs);
      const slave = scope.use(await PymodbusSlave.start(options.field, place));
      const configFile = `${programs.folder}/causeway.yaml`;
      const network = scope.use(await UdpRelay.open(server.coapPort));
      const uri = `coap://127.0.0.1:${network.port}`;
      const config = {
        gateway: { endpoint: ENDPOINT, state: "state" },
        mappings: [MAPPINGS],
        servers: [{ uri, lifetime: options.lifetime, ...options.keys }],
        links: { bus: link },
        devices: [
          { name: "station", link: "bus", profile: options.profile, address: { unit: 1 }, poll: { fast: "100ms" } },
        ],
      };
      await writeFile(configFile, JSON.stringify(config));
      return new Site(scope, server, network, slave, configFile);
    } catch (error) {
      await scope[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the gateway, again when it was stopped before; its state stays. */
  async startGateway(): Promise<GatewayProcess> {
    return this.#scope.use(await GatewayProcess.start(this.#configFile));
  }

  /**
   * As a power cut would, but between two messages: Leshan tells of a Send only after it has acknowledged it, so one that
   * is cut in between would have taken values that nobody hears of.
   */
  async stopServer(): Promise<void> {
    this.network.state = "dark";
    await sleep(systemClock, QUIET_MS, new AbortController().signal);
    await this.server.stop();
    this.network.state = "open";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }
}

/** The link of the configuration, and where the slave listens. */
async function fieldLink(field: "tcp" | "rtu", programs: Programs): Promise<readonly [object, string]> {
  if (field === "tcp") {
    const port = await freePort();
    return [{ adapter: "modbus", transport: "tcp", host: "127.0.0.1", port }, `${port}`];
  }
  const { near, far } = await programs.ptyPair("rtu");
  return [{ adapter: "modbus", transport: "rtu", port: near, baudRate: 115200 }, far];
}
