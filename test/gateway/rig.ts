import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CausewayError } from "../../src/base/errors.js";
import { createLog } from "../../src/base/log.js";
import { Scope } from "../../src/base/scope.js";
import { formatProblem } from "../../src/base/source.js";
import type { ExposureMode } from "../../src/config/config.js";
import { readConfig } from "../../src/config/read.js";
import { loadAdapter } from "../../src/field/load-adapter.js";
import { type Gateway, openGateway } from "../../src/gateway.js";
import type { OpenPeer } from "../../src/lwm2m/client.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import type { Host } from "../../src/own-objects.js";
import { FakeClock, settle } from "../fakes/clock.js";
import { FakeLwm2mServer } from "../fakes/lwm2m-server.js";
import { Plant } from "../fakes/plant.js";
import { random } from "../fakes/random.js";
import { Route } from "../fakes/route.js";
import { WireLwm2mServer } from "../fakes/wire-server.js";

const models = await loadModels();

export const GATEWAY = "urn:dev:os:32473-1";

/** A station with its profile; `fast` is the period of its polls, 1 s when absent. */
export interface RigDevice {
  readonly name: string;
  readonly profile: "meter" | "valve" | "tracker" | "counter";
  readonly fast?: string;
  /** Values in the place of points. */
  readonly manual?: Readonly<Record<string, number>>;
  readonly expose?: ExposureMode;
  readonly id?: string;
  readonly prefix?: string;
}

export interface RigOptions {
  readonly seed: number;
  /** One meter when absent. */
  readonly devices?: readonly RigDevice[];
  /** Per server the paths that it observes; one server that observes the meter's ten values when absent. */
  readonly servers?: readonly (readonly string[])[];
  /** With `only` a bootstrap must tell the gateway of the servers. */
  readonly bootstrap?: "also" | "only";
  /** `rights` of the configuration, per server. */
  readonly rights?: readonly object[];
  readonly lifetime?: string;
  /** Of all servers; that of the configuration's default when absent. */
  readonly history?: "send" | "notify" | "none";
  /** `flat` when absent. */
  readonly expose?: ExposureMode;
  /** `gateway.objects` of the configuration. */
  readonly objects?: readonly string[];
  /** The endpoint whose paths the servers observe; every one's when absent. */
  readonly observesAt?: string;
  /** Without it the gateway has no objects 4 and 7. */
  readonly host?: Host;
  /** What becomes of the registrations when a gateway is stopped; "deregister" when absent. */
  readonly ending?: "deregister" | "suspend";
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A gateway that runs, until it is closed or left lying as a crash leaves it. */
interface Run {
  readonly gateway: Gateway;
  readonly scope: Scope;
}

const METER_POINTS = Array.from({ length: 10 }, (_, index) => `value${index}`);
/** What a meter that is the first device shows. */
export const METER_PATHS: readonly string[] = METER_POINTS.map((_, index) => `/3300/${index}/5700`);

const PROFILES = {
  "meter.yaml": `profile: meter
title: Ten values that never come twice
adapter: plant
points:
${METER_POINTS.map((name) => `  ${name}: { from: counter, every: fast }`).join("\n")}
objects:
${METER_POINTS.map((name) => `  - { object: 3300, resources: { 5700: ${name} } }`).join("\n")}
`,
  "valve.yaml": `profile: valve
title: A pressure, and a set point in tenths
adapter: plant
points:
  pressure: { from: kept, every: fast, valid: [0, 500] }
  setpoint: { from: kept, every: fast, access: rw, scale: 0.1, valid: [0, 100] }
objects:
  - { object: 3315, resources: { 5700: pressure } }
  - { object: 3308, resources: { 5900: setpoint } }
`,
  "counter.yaml": `profile: counter
title: Pulses in 16 bits
adapter: plant
points:
  pulses: { from: kept, every: fast, kind: counter, rollover: 2^16, onReset: continue }
objects:
  - { object: 3300, resources: { 5700: pulses } }
`,
  "tracker.yaml": `profile: tracker
title: A position
adapter: plant
points:
  lat: { from: kept, every: fast, unit: lat }
  lon: { from: kept, every: fast, unit: lon }
objects:
  - { object: 6, resources: { 0: lat, 1: lon } }
`,
};

const STEP_MS = 500;
/** A commit and a drain are a few statements one after the other; each round lets one of them end. */
const IO_ROUNDS = 2;

/** A whole gateway on a fake clock between a plant and servers that speak real CoAP over a bad network. */
export class Rig implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly plant = new Plant(this.clock);
  readonly servers: readonly WireLwm2mServer[];
  readonly routes: readonly Route[];
  readonly bootstrapServer = new FakeLwm2mServer();
  readonly log: LogLine[] = [];
  readonly #options: RigOptions;
  readonly #runs: Run[] = [];
  readonly #folders: string[] = [];
  readonly #random: () => number;

  constructor(options: RigOptions) {
    this.#options = options;
    const { seed, servers = [METER_PATHS], observesAt } = options;
    const only = observesAt === undefined ? {} : { observesAt };
    this.#random = random(seed).next;
    this.servers = servers.map(
      (observes) => new WireLwm2mServer({ clock: this.clock, random: this.#random, models, observes, ...only }),
    );
    this.routes = this.servers.map((server, index) => new Route(this.clock, seed + 1000 * index, server));
  }

  get server(): WireLwm2mServer {
    const [first] = this.servers;
    if (first === undefined) throw new Error("no server");
    return first;
  }

  get route(): Route {
    const [first] = this.routes;
    if (first === undefined) throw new Error("no route");
    return first;
  }

  get gateway(): Gateway {
    const run = this.#runs.at(-1);
    if (run === undefined) throw new Error("the gateway was not started");
    return run.gateway;
  }

  /** The folder of the newest gateway's state. */
  get folder(): string {
    const folder = this.#folders.at(-1);
    if (folder === undefined) throw new Error("the gateway was not started");
    return folder;
  }

  messages(msg: string): readonly LogLine[] {
    return this.log.filter((line) => line.msg === msg);
  }

  /** In the folder, which is made when absent. Stays silent until the clock goes on. */
  async start(folder?: string): Promise<void> {
    const file = join(folder ?? (await this.makeFolder()), "causeway.yaml");
    const { plant, clock } = this;
    const load = async (name: string) => (name === "plant" ? plant.adapter : await loadAdapter(name));
    const { config, problems } = await readConfig(file, load);
    if (config === undefined) throw new Error(problems.map(formatProblem).join("\n"));
    const scope = new Scope((error) => {
      this.log.push({ level: 50, msg: "a part of the gateway failed", error: String(error) });
    });
    const log = createLog("info", (line) => this.log.push(JSON.parse(line)));
    const { host, ending = "deregister" } = this.#options;
    const context = {
      ending: () => ending,
      clock,
      log,
      random: this.#random,
      restart: () => undefined,
      openPeer: this.#openPeer,
      ...(host === undefined ? {} : { host }),
    };
    this.#runs.push({ gateway: await openGateway(config, context, scope), scope });
  }

  /** Closes the newest gateway as SIGTERM does. */
  async stop(): Promise<void> {
    const run = this.#runs.pop();
    if (run !== undefined) await this.#close(run);
  }

  /** What a power cut would leave behind at this moment, in a folder of its own. */
  async copyState(): Promise<string> {
    const from = join(this.folder, "state");
    // What the last commit began has time to end; that is no part of the question.
    for (let round = 0; round < 10; round++) await this.gateway.status();
    const folder = await this.makeFolder();
    await cp(from, join(folder, "state"), { recursive: true });
    return folder;
  }

  /** A new folder with the configuration; a gateway that starts there knows nothing. */
  async makeFolder(
    devices: readonly RigDevice[] = this.#options.devices ?? [{ name: "meter", profile: "meter" }],
  ): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "causeway-gateway-"));
    this.#folders.push(folder);
    for (const [name, text] of Object.entries(PROFILES)) await writeFile(join(folder, name), text);
    await this.configure(folder, devices);
    return folder;
  }

  /** Writes the configuration; it counts from the next start on. */
  async configure(folder: string, devices: readonly RigDevice[]): Promise<void> {
    const { lifetime = "5m", expose = "flat", rights = [], objects = [], bootstrap, history } = this.#options;
    const servers = bootstrap === "only" ? [] : this.servers;
    const document = {
      gateway: { endpoint: GATEWAY, state: "state", expose, objects },
      mappings: [folder],
      ...(bootstrap === undefined ? {} : { bootstrap: { uri: "coap://192.0.2.9" } }),
      servers: servers.map((_, index) => ({
        uri: `coap://192.0.2.${index + 1}`,
        lifetime,
        ...(history === undefined ? {} : { history }),
        ...(rights[index] === undefined ? {} : { rights: rights[index] }),
      })),
      links: { hall: { adapter: "plant" } },
      devices: devices.map(({ fast = "1s", ...device }) => ({ ...device, link: "hall", poll: { fast } })),
    };
    await writeFile(join(folder, "causeway.yaml"), JSON.stringify(document));
  }

  /** Moves the clock on, and lets the database end what it began; with `nobody` there is no gateway. */
  readonly run = async (ms: number, who: "gateway" | "nobody" = "gateway"): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
      await this.clock.advance(Math.min(STEP_MS, leftMs));
      if (who === "nobody") continue;
      for (let round = 0; round < IO_ROUNDS; round++) await this.gateway.status();
    }
  };

  async until(condition: () => boolean, withinMs: number): Promise<void> {
    for (let leftMs = withinMs; !condition(); leftMs -= STEP_MS) {
      if (leftMs <= 0) throw new Error(`did not come true within ${withinMs} ms`);
      await this.run(STEP_MS);
    }
  }

  /** The promise's value, while the clock goes on. */
  async during<T>(promise: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    void promise.then(
      () => {
        state.isSettled = true;
      },
      () => {
        state.isSettled = true;
      },
    );
    await this.until(() => state.isSettled, 600_000);
    return await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) server.stop();
    for (const run of this.#runs.splice(0)) await this.#close(run);
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }

  readonly #openPeer: OpenPeer = async (account, handler, signal, wanted) => {
    signal.throwIfAborted();
    const { shortServerId } = account;
    if (shortServerId === undefined) return this.bootstrapServer.openPeer(account, handler, signal);
    const route = this.routes[shortServerId - 1];
    if (route === undefined) throw new CausewayError("COAP_SOCKET", "no such server");
    return route.connect(handler, wanted);
  };

  async #close({ scope }: Run): Promise<void> {
    const state = { isClosed: false };
    const closing = scope[Symbol.asyncDispose]().then(() => {
      state.isClosed = true;
    });
    // Turns of the event loop for the disk, and now and then some time for the farewell to the server.
    for (let turn = 1; !state.isClosed; turn++) {
      if (turn % 50 === 0) await this.clock.advance(100);
      else await settle();
    }
    await closing;
  }
}
