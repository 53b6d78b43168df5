import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Scope } from "../src/base/scope.js";
import { Child } from "../src/demo/child.js";
import type { ServerCommand, ServerMessage } from "../src/demo/messages.js";
import { SoakBle } from "./ble.js";
import { GatewayProcess } from "./gateway-process.js";
import { Ledger } from "./ledger.js";
import { memoryGrowth } from "./memory.js";
import { SoakModbus } from "./modbus.js";
import { SoakMqtt } from "./mqtt.js";
import { Random } from "./random.js";
import { SoakSerial } from "./serial.js";
import type { SoakField, Trouble } from "./soak-field.js";
import { Truth } from "./truth.js";

export interface SoakOptions {
  readonly seed: number;
  readonly runMs: number;
  progress(line: string): void;
}

export interface SoakReport {
  readonly seed: number;
  readonly values: number;
  readonly wrong: number;
  readonly devices: number;
  readonly recovered: number;
  readonly troubles: Readonly<Record<string, number>>;
  readonly memoryMb: { readonly first: number; readonly last: number; readonly growth: number };
  readonly complaints: readonly string[];
}

const CHANGE_MS = 500;
const REST_MS = [500, 4000] as const;
const TROUBLE_MS = [300, 8000] as const;
/** What was offline for long is looked for once a minute. */
const RECOVERY_MS = 90_000;
const MAX_GROWTH = 0.1;

/** Runs the gateway with all adapters while everything behind them goes wrong by turns. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  await using scope = new Scope((error) => options.progress(`a part of the soak failed: ${String(error)}`));
  const truth = new Truth();
  const random = new Random(options.seed);
  const context = { truth, random };
  const fields: SoakField[] = [];
  // One after the other: the order in which points are claimed is that of the configuration.
  fields.push(scope.use(await SoakModbus.open("mbap", context)));
  fields.push(scope.use(await SoakModbus.open("rtu", context)));
  fields.push(scope.use(await SoakSerial.open(context)));
  fields.push(scope.use(await SoakMqtt.open(context)));
  fields.push(scope.use(await SoakBle.open(context)));
  const ledger = new Ledger(truth);
  const server = new Child<ServerCommand, ServerMessage>("server", scope);
  const { port } = await server.next("listening", scope.signal);
  server.listen((message) => {
    if (message.kind === "value") ledger.receive(message.path, message.value);
  });
  const gateway = scope.use(
    new GatewayProcess(
      await writeConfig(fields, port, scope),
      Object.assign({}, ...fields.map(({ environment }) => environment)),
    ),
  );
  const run = new Run(options, fields, random, gateway, ledger);
  await run.trouble();
  const late = await run.recover();
  return run.report(late);
}

class Run {
  readonly #options: SoakOptions;
  readonly #fields: readonly SoakField[];
  readonly #random: Random;
  readonly #gateway: GatewayProcess;
  readonly #ledger: Ledger;
  readonly #memoryMb: number[] = [];
  readonly #troubles: Record<string, number> = {};

  constructor(
    options: SoakOptions,
    fields: readonly SoakField[],
    random: Random,
    gateway: GatewayProcess,
    ledger: Ledger,
  ) {
    this.#options = options;
    this.#fields = fields;
    this.#random = random;
    this.#gateway = gateway;
    this.#ledger = ledger;
  }

  /** Values change and troubles come and go, until the time is over. */
  async trouble(): Promise<void> {
    const slots = this.#fields.map((field) => new TroubleSlot(field, this.#random, (what) => this.#note(field, what)));
    const startedMs = Date.now();
    let toldMs = startedMs;
    while (Date.now() - startedMs < this.#options.runMs && this.#gateway.ended === undefined) {
      for (const field of this.#fields) field.change();
      for (const slot of slots) await slot.step(Date.now());
      this.#memoryMb.push(this.#gateway.residentMb());
      if (Date.now() - toldMs >= 60_000) {
        toldMs = Date.now();
        const minutes = Math.round((toldMs - startedMs) / 60_000);
        this.#options.progress(
          `minute ${minutes}: ${this.#ledger.received} values, ${this.#ledger.wrongCount} wrong, ${this.#memoryMb.at(-1)} MB`,
        );
      }
      await sleep(CHANGE_MS);
    }
    for (const slot of slots) await slot.end();
  }

  /** All is well again: the names of the devices that the server does not know as they are. */
  async recover(): Promise<readonly string[]> {
    const startedMs = Date.now();
    const waiting = new Map(this.#devices());
    while (waiting.size > 0 && Date.now() - startedMs < RECOVERY_MS && this.#gateway.ended === undefined) {
      // Devices that speak on their own do so when their values change.
      if (Date.now() - startedMs < RECOVERY_MS / 2) for (const field of this.#fields) field.change();
      await sleep(2 * CHANGE_MS);
      for (const [device, instances] of waiting) {
        if (instances.every((instance) => this.#ledger.isCurrent(instance))) waiting.delete(device);
      }
    }
    return [...waiting.keys()];
  }

  report(late: readonly string[]): SoakReport {
    const devices = this.#devices().size;
    const { seed } = this.#options;
    const { ended, log } = this.#gateway;
    const growth = memoryGrowth(this.#memoryMb);
    const complaints = [
      ...this.#ledger.wrong,
      ...late.map((device) => `${device} did not recover`),
      ...(growth > MAX_GROWTH ? [`memory grew by ${Math.round(100 * growth)} %`] : []),
      ...(ended === undefined ? [] : [`the gateway ended: ${ended}`, ...log.slice(-20)]),
    ];
    return {
      seed,
      values: this.#ledger.received,
      wrong: this.#ledger.wrongCount,
      devices,
      recovered: devices - late.length,
      troubles: this.#troubles,
      memoryMb: {
        first: this.#memoryMb[Math.floor(this.#memoryMb.length / 4)] ?? 0,
        last: this.#memoryMb.at(-1) ?? 0,
        growth,
      },
      complaints,
    };
  }

  /** Instances at the server by device, in the order in which they were claimed. */
  #devices(): ReadonlyMap<string, readonly number[]> {
    return new Map(
      this.#fields.flatMap((field) =>
        field.devices.map(({ name }, index) => [name, field.instances[index] ?? []] as const),
      ),
    );
  }

  #note(field: SoakField, what: string): void {
    const adapter = Object.keys(field.links)[0] ?? "";
    const kind = `${adapter}: ${what.replace(/ of (all|\d+)$/, "")}`;
    this.#troubles[kind] = (this.#troubles[kind] ?? 0) + 1;
  }
}

/** One field's troubles, one after the other, with rests between. */
class TroubleSlot {
  readonly #field: SoakField;
  readonly #random: Random;
  readonly #onTrouble: (what: string) => void;
  #trouble: Trouble | undefined;
  #untilMs = 0;

  constructor(field: SoakField, random: Random, onTrouble: (what: string) => void) {
    this.#field = field;
    this.#random = random;
    this.#onTrouble = onTrouble;
  }

  async step(nowMs: number): Promise<void> {
    if (nowMs < this.#untilMs) return;
    if (this.#trouble === undefined) {
      this.#trouble = await this.#field.trouble();
      this.#onTrouble(this.#trouble.what);
      this.#untilMs = nowMs + this.#random.whole(...TROUBLE_MS);
    } else {
      await this.end();
      this.#untilMs = nowMs + this.#random.whole(...REST_MS);
    }
  }

  async end(): Promise<void> {
    await this.#trouble?.end();
    this.#trouble = undefined;
  }
}

async function writeConfig(fields: readonly SoakField[], port: number, scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "causeway-soak-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "causeway.yaml");
  const document = {
    gateway: { endpoint: "urn:dev:os:32473-soak", state: folder },
    servers: [{ uri: `coap://127.0.0.1:${port}`, lifetime: "60s" }],
    mappings: [fileURLToPath(new URL("../../soak/mappings", import.meta.url))],
    links: Object.assign({}, ...fields.map(({ links }) => links)),
    devices: fields.flatMap(({ devices }) => devices),
  };
  await writeFile(file, JSON.stringify(document, undefined, 2));
  return file;
}
