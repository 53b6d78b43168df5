import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { toHex, utf8Encode } from "../../src/base/bytes.js";
import { systemClock } from "../../src/base/clock.js";
import { codeClass, formatCode } from "../../src/coap/code.js";
import { decodeMessage } from "../../src/coap/message.js";
import { OptionNumber } from "../../src/coap/options.js";
import type { Method } from "../../src/coap/request.js";
import type { DatagramTransport } from "../../src/coap/transport.js";
import { ContentFormat } from "../../src/lwm2m/codec/formats.js";
import { loadModels } from "../../src/lwm2m/model/models.js";
import { random } from "../fakes/random.js";
import { UdpHub } from "../fakes/udp-hub.js";
import { WireLwm2mServer } from "../fakes/wire-server.js";
import { Child } from "./child.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bundle/src/main.js", import.meta.url));
/** More of them find more: CAUSEWAY_CRASH_ROUNDS=200. */
const ROUNDS = Number(process.env["CAUSEWAY_CRASH_ROUNDS"] ?? 10);
const ROUND_MS = 10_000;
const VALUE = "/3300/0/5700";
/** What was acknowledged is on disk so soon. */
const COMMIT_MS = 1000;
const models = await loadModels();
const dice = random();

const PROFILE = `profile: wave
title: One value that changes
adapter: sim
points:
  value: { wave: sine, period: 5s, every: fast }
objects:
  - { object: 3300, resources: { 5700: value } }
`;

interface Attempt {
  readonly text: string;
  acknowledgedAtMs: number;
}

/** What a server has set, and what it may find instead after a crash. */
class Setting {
  #attempts: Attempt[] = [{ text: "", acknowledgedAtMs: 0 }];

  /** Asks for the value; it may count from now on, and counts for sure some time after the acknowledgement. */
  async set(text: string, ask: () => Promise<string>): Promise<void> {
    const attempt = { text, acknowledgedAtMs: Number.POSITIVE_INFINITY };
    this.#attempts.push(attempt);
    expect(await ask()).toMatch(/^2\./);
    attempt.acknowledgedAtMs = systemClock.monotonicMs();
  }

  /** What a gateway that was killed then may still know. */
  possible(killedAtMs: number): readonly string[] {
    const safe = this.#attempts.findLastIndex(({ acknowledgedAtMs }) => killedAtMs - acknowledgedAtMs > COMMIT_MS);
    return this.#attempts.slice(Math.max(0, safe)).map(({ text }) => text);
  }

  /** That is what it knows. */
  found(text: string): void {
    this.#attempts = [{ text, acknowledgedAtMs: 0 }];
  }
}

/** Two servers on sockets of their own, and what they must find again. */
class World implements AsyncDisposable {
  readonly server = this.#wire([VALUE]);
  readonly bootstrapServer = this.#wire([]);
  readonly attributes = new Setting();
  readonly portfolio = new Setting();
  readonly backwards: string[] = [];
  readonly folder: string;
  readonly #hubs: UdpHub[] = [];
  readonly #sequences = new Map<string, number>();

  constructor(folder: string) {
    this.folder = folder;
    // Whoever asks for a bootstrap is told to wait for it.
    this.bootstrapServer.refuse = ({ path }) => (path[0] === "bs" ? "2.04" : undefined);
  }

  static async open(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), "causeway-crash-")));
    const tapped = (transport: DatagramTransport) => world.server.accept(world.#tap(transport));
    world.#hubs.push(await UdpHub.open(tapped));
    world.#hubs.push(await UdpHub.open((transport) => world.bootstrapServer.accept(transport)));
    const [uri, bootstrapUri] = world.#hubs.map(({ port }) => `coap://127.0.0.1:${port}`);
    await writeFile(join(world.folder, "wave.yaml"), PROFILE);
    await writeFile(
      join(world.folder, "causeway.yaml"),
      JSON.stringify({
        gateway: { endpoint: "gw", state: "state", objects: ["portfolio"] },
        mappings: ["."],
        servers: [{ uri, lifetime: "1h" }],
        bootstrap: { uri: bootstrapUri },
        links: { hall: { adapter: "sim" } },
        devices: [{ name: "wave", link: "hall", profile: "wave", poll: { fast: "200ms" } }],
      }),
    );
    return world;
  }

  start(): Child {
    return new Child(process.execPath, [PROGRAM, "run", "-c", join(this.folder, "causeway.yaml")]);
  }

  /** Rejects when the gateway is killed meanwhile. */
  async ask(
    of: WireLwm2mServer,
    signal: AbortSignal,
    method: Method,
    target: string,
    payload = "",
    accept?: number,
  ): Promise<string> {
    const [path = "", query] = target.split("?");
    const contentFormat = payload.startsWith("[") ? ContentFormat.senmlJson : ContentFormat.text;
    const response = await of.connection.endpoint.request(
      {
        method,
        path: path.split("/").filter((segment) => segment !== ""),
        query: query?.split("&") ?? [],
        payload: utf8Encode(payload),
        ...(payload === "" ? {} : { contentFormat }),
        ...(accept === undefined ? {} : { accept }),
      },
      signal,
    );
    return `${formatCode(response.code)} ${Buffer.from(response.payload).toString()}`.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.stop();
    this.bootstrapServer.stop();
    for (const hub of this.#hubs) await hub[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  #wire(observes: readonly string[]): WireLwm2mServer {
    return new WireLwm2mServer({ clock: systemClock, random: dice.next, models, observes });
  }

  /** Sees the sequence numbers of notifications. */
  #tap(transport: DatagramTransport): DatagramTransport {
    return {
      listen: (listener) =>
        transport.listen({
          ...listener,
          onDatagram: (datagram) => {
            this.#noteSequence(datagram);
            listener.onDatagram(datagram);
          },
        }),
      send: (datagram) => transport.send(datagram),
      [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
    };
  }

  #noteSequence(datagram: Uint8Array): void {
    const message = decodeMessage(datagram);
    if (message.type === "malformed" || codeClass(message.code) !== 2) return;
    const number = message.options.find((option) => option.number === OptionNumber.Observe)?.uint;
    if (number === undefined) return;
    const token = toHex(message.token);
    const before = this.#sequences.get(token) ?? -1;
    if (number < before) this.backwards.push(`${message.type} ${token}: ${number} after ${before}`);
    this.#sequences.set(token, number);
  }
}

/** One thing that a server does; what the gateway has acknowledged it must know again. */
async function act(world: World, signal: AbortSignal): Promise<void> {
  const { server, bootstrapServer, attributes, portfolio } = world;
  const number = dice.below(1000);
  switch (dice.below(6)) {
    case 0:
    case 1:
      await attributes.set(`;pmax=${number + 60}`, () =>
        world.ask(server, signal, "PUT", `${VALUE}?pmax=${number + 60}`),
      );
      break;
    case 2: {
      const isNew = (await world.ask(server, signal, "GET", "/16/5/0/0")).startsWith("4.04");
      await portfolio.set(String(number), () =>
        isNew
          ? world.ask(server, signal, "POST", "/16", `[{"bn":"/16/5/","n":"0/0","vs":"${number}"}]`)
          : world.ask(server, signal, "PUT", "/16/5/0/0", String(number)),
      );
      break;
    }
    case 3:
      await world.ask(server, signal, "PUT", "/1/0/1", String(3600 + number));
      break;
    case 4:
      await world.ask(server, signal, "GET", "/3");
      break;
    default:
      await bootstrap(world, signal);
      expect(bootstrapServer.log.at(-1)).toMatch(/^POST \/bs/);
  }
}

async function bootstrap(world: World, signal: AbortSignal): Promise<void> {
  const { server, bootstrapServer } = world;
  const before = bootstrapServer.log.length;
  await world.ask(server, signal, "POST", "/1/0/9");
  await until(() => bootstrapServer.log.length > before, signal);
  const settings = { 0: { v: 1 }, 1: { v: 3600 + dice.below(1000) }, 6: { vb: true }, 7: { vs: "U" } };
  const records = Object.entries(settings).map(([n, value]) => ({ bn: "/1/0/", n, ...value }));
  await world.ask(bootstrapServer, signal, "DELETE", "/16");
  await world.ask(bootstrapServer, signal, "PUT", "/1", JSON.stringify(records));
  await world.portfolio.set("", () => world.ask(bootstrapServer, signal, "POST", "/bs"));
}

async function until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
  while (!isSo()) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the gateway knows again. */
async function look(world: World, killedAtMs: number): Promise<void> {
  const { server, attributes, portfolio } = world;
  const signal = AbortSignal.timeout(ROUND_MS);
  // Whatever the server asks before the registration goes on is not answered.
  const links = await world.ask(server, signal, "GET", VALUE, "", ContentFormat.linkFormat);
  const attached = links.replace(/^2\.05 <[^>]*>/, "");
  expect(attributes.possible(killedAtMs)).toContain(attached);
  attributes.found(attached);
  const identity = (await world.ask(server, signal, "GET", "/16/5/0/0", "", ContentFormat.text)).replace(/^\S+ ?/, "");
  expect(portfolio.possible(killedAtMs)).toContain(identity.startsWith("/") ? "" : identity);
  portfolio.found(identity.startsWith("/") ? "" : identity);
  expect(await world.ask(server, signal, "GET", "/1/0/0", "", ContentFormat.text)).toBe("2.05 1");
  const accounts = await world.ask(server, signal, "GET", "/1", "", ContentFormat.linkFormat);
  expect(accounts.match(/<\/1\/\d+>/g)).toEqual(["</1/0>"]);
}

it(
  `killed at any moment, the gateway knows what it has acknowledged (seed ${dice.seed})`,
  async () => {
    await using world = await World.open();
    const { server } = world;
    let killedAtMs = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const asked = server.log.length;
      await using child = world.start();
      const quickly = dice.below(4) === 0;
      const end = new AbortController();
      if (!quickly) {
        await until(() => server.log.length > asked, AbortSignal.timeout(ROUND_MS));
        await look(world, killedAtMs);
        setTimeout(() => end.abort(new Error("the gateway is killed")), 50 + dice.below(2000));
        while (!end.signal.aborted) {
          await act(world, end.signal).catch((error: unknown) => {
            if (!end.signal.aborted) throw error;
          });
        }
      } else await new Promise((resolve) => setTimeout(resolve, dice.below(400)));
      expect(child.isRunning, child.complaint).toBe(true);
      killedAtMs = systemClock.monotonicMs();
      child.signal("SIGKILL");
      await child.ended;
      expect(child.lines.filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
      expect(child.complaint).toBe("");
    }
    expect(world.backwards).toEqual([]);
    expect(server.registrations).toBe(1);
  },
  ROUNDS * ROUND_MS,
);
