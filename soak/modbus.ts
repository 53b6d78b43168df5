import { createServer, type Server, type Socket } from "node:net";
import { type LineFault, SimulatedLine } from "../adapters/modbus/line-simulator.js";
import { SlaveUnit } from "../adapters/modbus/slave.js";
import { systemClock } from "../src/base/clock.js";
import type { Random } from "./random.js";
import type { SoakContext, SoakDevice, SoakField, Trouble } from "./soak-field.js";
import { claimPoints } from "./soak-field.js";

const DEVICES = 3;
/** As in mappings/soak-modbus.yaml: 32 bits each, with a hole in the middle. */
export const REGISTERS = [0, 2, 4, 6, 20, 22, 24, 26];
const SETTINGS = "19200 8N1";
const CHARACTER_MS = (1000 * 10) / 19200;

type Framing = "mbap" | "rtu";

/** Devices behind a TCP port: of Modbus TCP, or on a line with real wire time behind a serial server. */
export class SoakModbus implements SoakField {
  readonly links: Readonly<Record<string, unknown>>;
  readonly devices: readonly SoakDevice[];
  readonly #framing: Framing;
  readonly #context: SoakContext;
  readonly instances: readonly (readonly number[])[];
  readonly #units = new Map<number, SlaveUnit>();
  readonly #lines = new Map<SimulatedLine, Socket>();
  readonly #server: Server;
  #faults: (unit: number) => LineFault | undefined = () => undefined;
  #isAway = false;

  private constructor(framing: Framing, port: number, server: Server, context: SoakContext) {
    this.#framing = framing;
    this.#context = context;
    this.#server = server;
    const link = framing === "mbap" ? "tcp" : "line";
    const transport = framing === "mbap" ? { transport: "tcp" } : { transport: "rtu-over-tcp", baudRate: 19200 };
    this.links = { [link]: { adapter: "modbus", host: "127.0.0.1", port, responseTimeout: "300ms", ...transport } };
    this.devices = Array.from({ length: DEVICES }, (_, index) => ({
      name: `${link}-${index + 1}`,
      link,
      profile: "soak-modbus",
      address: { unit: index + 1 },
      poll: { normal: "1s" },
    }));
    this.instances = claimPoints(context.truth, this.devices, REGISTERS.length);
    for (const index of this.devices.keys()) this.#units.set(index + 1, new SlaveUnit());
    server.on("connection", (socket) => this.#serve(socket));
    this.change();
  }

  static async open(framing: Framing, context: SoakContext): Promise<SoakModbus> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return new SoakModbus(framing, typeof address === "object" && address !== null ? address.port : 0, server, context);
  }

  change(): void {
    for (const [index, instances] of this.instances.entries()) {
      for (const [at, instance] of instances.entries()) {
        const value = this.#context.truth.advance(instance);
        const register = REGISTERS[at] ?? 0;
        this.#units.get(index + 1)?.set("holding", register, value >>> 16);
        this.#units.get(index + 1)?.set("holding", register + 1, value & 0xffff);
      }
    }
  }

  trouble(): Trouble {
    const { random } = this.#context;
    const what = random.pick([...this.#faultNames(), "all lines lost", "away"]);
    if (what === "all lines lost") {
      for (const line of this.#lines.keys()) line.break();
      return { what, end: () => undefined };
    }
    if (what === "away") {
      this.#isAway = true;
      for (const line of this.#lines.keys()) line.break();
      return { what, end: () => this.#comeBack() };
    }
    const victim = random.pick([0, ...this.#units.keys()]);
    const share = random.pick([0.2, 0.5, 1]);
    const make = FAULTS.get(what);
    this.#faults = (unit) => ((victim === 0 || victim === unit) && random.next() < share ? make?.(random) : undefined);
    return { what: `${what} of ${victim === 0 ? "all" : victim}`, end: () => this.#answerWell() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines.keys()) line.break();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Modbus TCP has no checksum of its own: nobody could find out. */
  #faultNames(): readonly string[] {
    return [...FAULTS.keys()].filter((name) => this.#framing === "rtu" || name !== BAD_CHECKSUMS);
  }

  #comeBack(): void {
    this.#isAway = false;
  }

  #answerWell(): void {
    this.#faults = () => undefined;
  }

  #serve(socket: Socket): void {
    socket.on("error", () => undefined);
    if (this.#isAway) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const stations = [...this.#units].map(
      ([number, unit]) => [number, { unit, settings: SETTINGS, latencyMs: 2 }] as const,
    );
    const line = new SimulatedLine({
      framing: this.#framing,
      settings: SETTINGS,
      characterMs: this.#framing === "mbap" ? 0 : CHARACTER_MS,
      clock: systemClock,
      stations: new Map(stations),
      fault: (unit) => this.#faults(unit),
    });
    this.#lines.set(line, socket);
    line.listen((bytes) => void socket.write(bytes));
    void line.closed.then(() => socket.destroy());
    socket.on("data", (bytes) => line.write(bytes));
    socket.on("close", () => {
      this.#lines.delete(line);
      line.break();
    });
  }
}

const BAD_CHECKSUMS = "bad checksums";

const FAULTS = new Map<string, (random: Random) => LineFault>([
  ["silence", () => ({ kind: "silent" })],
  [BAD_CHECKSUMS, () => ({ kind: "bad-checksum" })],
  ["wrong units", () => ({ kind: "wrong-unit" })],
  ["wrong functions", () => ({ kind: "wrong-function" })],
  ["wrong byte counts", () => ({ kind: "wrong-byte-count" })],
  ["cut answers", () => ({ kind: "cut" })],
  ["late answers", (random) => ({ kind: "late", afterMs: random.pick([100, 290, 310, 360, 700]) })],
  ["fragments", (random) => ({ kind: "fragments", gapMs: random.pick([5, 30, 200]) })],
  ["noise before answers", (random) => ({ kind: "noise-before", noise: random.bytes(random.whole(1, 9)) })],
  ["noise behind answers", (random) => ({ kind: "noise-behind", noise: random.bytes(random.whole(1, 9)) })],
  ["answers twice", () => ({ kind: "twice" })],
  ["exceptions", (random) => ({ kind: "exception", code: random.pick([1, 2, 3, 4, 5, 6, 8, 10, 11]) })],
  ["broken connections", () => ({ kind: "lost" })],
]);
