import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock } from "../base/clock.js";
import { CausewayError } from "../base/errors.js";
import { createLog } from "../base/log.js";
import { durationMs, Problems } from "../base/schema.js";
import { Scope } from "../base/scope.js";
import { formatProblem } from "../base/source.js";
import { type Command, EXIT, type Io, text } from "../cli/command.js";
import type { GatewayConfig } from "../config/config.js";
import { readConfig } from "../config/read.js";
import { type Gateway, openGateway } from "../gateway.js";
import { formatPath } from "../lwm2m/path.js";
import { peerOpener } from "../uplink.js";
import { Child } from "./child.js";
import { DEMO_DEVICES, DEMO_RELAY } from "./devices.js";
import type { FieldCommand, FieldMessage, ServerCommand, ServerMessage } from "./messages.js";
import { renderTable, type TableRow } from "./table.js";
import { Tally } from "./tally.js";

const DEFAULT_MS = 60_000;
const DRAW_EVERY_MS = 1000;
const WRITE_AFTER_MS = 4000;
const LAST_NOTIFICATIONS_MS = 3000;

export const demo: Command = {
  name: "demo",
  synopsis: "[--for DURATION] [--json]",
  summary: "Runs an embedded LwM2M server and a simulated Modbus TCP field, with the real gateway between them.",
  options: {
    for: { type: "string", value: "DURATION", summary: "how long, such as 15s; 60s unless given" },
    json: { type: "boolean", summary: "prints only one summary object at the end" },
  },
  positionals: "none",
  async run(args, io) {
    const runMs = durationOf(text(args, "for"));
    const log = createLog("warn", (line) => io.err(line.trimEnd()));
    await using scope = new Scope((error) => log.error("a part of the demo failed", { error }));
    const show = new Show(args.values["json"] === true ? "json" : "table", io);
    const summary = await runDemo(runMs, show, scope, io);
    show.end(summary);
    const good = summary.registered && summary.readings > 0 && summary.notifications > 0 && summary.writes > 0;
    return good && summary.lost === 0 ? EXIT.good : EXIT.fatal;
  },
};

export interface DemoSummary {
  registered: boolean;
  readings: number;
  notifications: number;
  writes: number;
  lost: number;
}

function durationOf(given: string | undefined): number {
  if (given === undefined) return DEFAULT_MS;
  const at = { file: "", line: 1, column: 1 };
  const ms = durationMs.read({ kind: "scalar", at, value: given }, "", new Problems());
  if (ms === undefined) throw new CausewayError("USAGE", `'${given}' is not a duration such as 15s`);
  return ms;
}

async function runDemo(runMs: number, show: Show, scope: Scope, io: Io): Promise<DemoSummary> {
  const signal = AbortSignal.any([scope.signal, io.signal]);
  const server = new Child<ServerCommand, ServerMessage>("server", scope);
  const field = new Child<FieldCommand, FieldMessage>("field", scope);
  const [{ port }, { link }] = await Promise.all([server.next("listening", signal), field.next("listening", signal)]);
  const config = await demoConfig(port, link, scope);

  const tally = new Tally();
  const summary: DemoSummary = { registered: false, readings: 0, notifications: 0, writes: 0, lost: 0 };
  const rows = new Map<string, TableRow>();
  server.listen((message) => {
    if (message.kind === "registered") summary.registered = true;
    if (message.kind !== "value") return;
    if (message.how !== "observed") summary.notifications++;
    tally.received(message.path, message.value);
    const row = rows.get(message.path);
    if (row !== undefined) row.receivedAtMs = systemClock.nowMs();
  });

  const log = createLog("warn", (line) => io.err(line.trimEnd()));
  const context = { clock: systemClock, log, random: Math.random };
  const gatewayScope = scope.child();
  const gateway = await openGateway(
    config,
    { ...context, openPeer: peerOpener(context), restart: () => undefined },
    gatewayScope,
    {
      onReadings: (device, readings) => {
        summary.readings += readings.length;
        for (const row of rows.values()) {
          const reading = readings.find(({ point }) => device === row.device && point === row.point);
          if (reading !== undefined) row.quality = reading.quality;
        }
      },
      onSample: ({ device, point, path, sample }) => {
        const key = formatPath(path);
        tally.measured(key, sample.value);
        const row = rows.get(key) ?? newRow(config, device, point, key);
        row.value = typeof sample.value === "object" ? undefined : sample.value;
        rows.set(key, row);
      },
    },
  );
  scope.spawn((aborted) => writeRelay(server, field, summary, show, aborted));
  await drawUntilEnd(runMs, show, rows, gateway, signal);
  await finish(tally, gateway, signal);
  summary.lost = tally.missing;
  await gatewayScope[Symbol.asyncDispose]();
  return summary;
}

async function demoConfig(port: number, link: unknown, scope: Scope): Promise<GatewayConfig> {
  const folder = await mkdtemp(join(tmpdir(), "causeway-demo-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "causeway.yaml");
  const document = {
    gateway: { endpoint: "urn:dev:os:32473-demo", state: folder },
    servers: [{ uri: `coap://127.0.0.1:${port}`, shortServerId: 1, lifetime: "60s" }],
    links: { plant: { adapter: "modbus", ...(link as object) } },
    devices: DEMO_DEVICES.map(({ name, profile, unit }) => ({
      name,
      profile,
      link: "plant",
      address: { unit },
      poll: { fast: "1s", normal: "1s", slow: "2s" },
    })),
  };
  await writeFile(file, JSON.stringify(document, undefined, 2));
  const { config, problems } = await readConfig(file);
  if (config === undefined) throw new CausewayError("CONFIG_INVALID", problems.map(formatProblem).join("; "));
  return config;
}

function newRow(config: GatewayConfig, device: string, point: string, path: string): TableRow {
  const profile = config.devices.find(({ field }) => field.name === device)?.profile;
  const unit = profile?.points.get(point)?.unit ?? "";
  return { device, point, unit, path, value: undefined, quality: "never-read", receivedAtMs: undefined };
}

/** The server switches a relay once; the answer shows what the device itself holds then. */
async function writeRelay(
  server: Child<ServerCommand, ServerMessage>,
  field: Child<FieldCommand, FieldMessage>,
  summary: DemoSummary,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  if (!summary.registered) await server.next("registered", signal);
  await sleep(systemClock, WRITE_AFTER_MS, signal);
  const { device, point, path } = DEMO_RELAY;
  const written = server.next("written", signal);
  server.send({ kind: "write", path, value: "1" });
  const { code } = await written;
  const state = field.next("state", signal);
  field.send({ kind: "get", station: device, point });
  const { value } = await state;
  if (code === "2.04" && value === true) summary.writes++;
  show.note(`server wrote ${path} = 1: answer ${code}; ${device}.${point} itself holds ${String(value)}`);
}

async function drawUntilEnd(
  runMs: number,
  show: Show,
  rows: ReadonlyMap<string, TableRow>,
  gateway: Gateway,
  signal: AbortSignal,
): Promise<void> {
  const endMs = systemClock.monotonicMs() + runMs;
  while (!signal.aborted && systemClock.monotonicMs() < endMs) {
    const leftMs = endMs - systemClock.monotonicMs();
    await sleep(systemClock, Math.min(DRAW_EVERY_MS, leftMs), signal).catch(() => undefined);
    const { endpoints, outbox } = await gateway.status();
    const state = endpoints
      .flatMap(({ servers }) => servers)
      .map((server) => `${server.uri} ${server.state}`)
      .join(", ");
    show.draw(
      [...rows.values()],
      `${state}; outbox ${outbox.buffered} buffered, ${outbox.delivered} delivered by Send`,
    );
  }
}

/** What was measured last is still on its way. */
async function finish(tally: Tally, gateway: Gateway, signal: AbortSignal): Promise<void> {
  const endMs = systemClock.monotonicMs() + LAST_NOTIFICATIONS_MS;
  while (tally.missing > 0 && systemClock.monotonicMs() < endMs && !signal.aborted) {
    await sleep(systemClock, 50, signal).catch(() => undefined);
    await gateway.status();
  }
}

const CLEAR = "\u001b[2J\u001b[H";

/** A table that redraws itself on a terminal, lines elsewhere, nothing but the summary with --json. */
class Show {
  readonly #format: "table" | "json";
  readonly #io: Io;
  #notes: string[] = [];

  constructor(format: "table" | "json", io: Io) {
    this.#format = format;
    this.#io = io;
  }

  draw(rows: readonly TableRow[], state: string): void {
    if (this.#format === "json") return;
    const lines = [...renderTable(rows, systemClock.nowMs()), "", state, ...this.#notes];
    this.#io.out((this.#io.terminal === "terminal" ? CLEAR : "") + lines.join("\n"));
  }

  note(line: string): void {
    this.#notes.push(line);
  }

  end(summary: DemoSummary): void {
    this.#io.out(this.#format === "json" ? JSON.stringify(summary) : `\n${JSON.stringify(summary, undefined, 2)}`);
  }
}
