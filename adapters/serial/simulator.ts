import { createServer, type Server, type Socket } from "node:net";
import {
  CausewayError,
  type Clock,
  type Line,
  type LinkContext,
  openSerialLine,
  type Scalar,
  type SimulatedField,
  type SimulatedStation,
  type Timer,
  type Variables,
} from "causeway/adapter";
import { type SerialLinkOptions, type SerialPoint, serialSettings } from "./options.js";
import { SimulatedDevice, type SimulatedFault } from "./simulated-device.js";

const HOST = "127.0.0.1";
/** A station that speaks on its own does so at this interval, and at once when it has something new to say. */
const SPEAK_EVERY_MS = 1000;
/** Bytes; who does not listen misses what is said. */
const MAX_UNHEARD = 65_536;

/** At the serial port of the options, where they name one; otherwise behind a serial server on a TCP port of this host. */
export async function simulateSerial(
  options: Partial<SerialLinkOptions>,
  stations: readonly SimulatedStation<Variables, SerialPoint>[],
  { clock }: LinkContext,
): Promise<SerialSimulator> {
  const { host, port } = options;
  const simulator = new SerialSimulator(stations, clock);
  if (host === undefined && typeof port === "string") await simulator.connect({ ...options, port });
  else await simulator.listen(typeof port === "number" ? port : 0);
  return simulator;
}

/** Stations on one line; whoever is connected to the serial server hears all that is said on it. */
export class SerialSimulator implements SimulatedField<SerialLinkOptions> {
  readonly #devices: ReadonlyMap<string, SimulatedDevice>;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Frames that wait for the silence before them. */
  readonly #waiting = new Set<Timer>();
  #line: Line | undefined;
  #link: SerialLinkOptions = { host: HOST, port: 0 };
  #speaking: Timer | undefined;
  #fault: SimulatedFault = () => undefined;

  /** Throws CONFIG_INVALID for a point that cannot be simulated. */
  constructor(stations: readonly SimulatedStation<Variables, SerialPoint>[], clock: Clock) {
    this.#devices = new Map(stations.map((one) => [one.station.name, new SimulatedDevice(one)]));
    this.#clock = clock;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Of a serial port as it was given: which path its other end has is known only to who connected them. */
  get link(): SerialLinkOptions {
    return this.#link;
  }

  /** Port 0 takes a free one. Rejects with LINK_FAILED. */
  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: Error): void =>
        reject(new CausewayError("LINK_FAILED", `the simulator cannot listen on port ${port}`, { cause: error }));
      this.#server.once("error", onError);
      this.#server.listen(port, HOST, () => {
        this.#server.off("error", onError);
        resolve();
      });
    });
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#link = { host: HOST, port: address.port };
    this.#speak();
  }

  /** Rejects with LINK_*. */
  async connect(options: SerialLinkOptions): Promise<void> {
    const path = String(options.port);
    this.#line = await openSerialLine({ ...serialSettings(options), path }, new AbortController().signal);
    this.#line.listen((bytes) => this.#hear(bytes));
    this.#link = options;
    this.#speak();
  }

  set(station: string, point: string, value: Scalar): void {
    const device = this.#device(station);
    const before = device.spoken;
    device.set(point, value);
    // A frame that ends with silence waits for its turn.
    if (device.gapMs > 0) return;
    for (const frame of device.spoken) if (!before.includes(frame)) this.#say(frame);
  }

  get(station: string, point: string): Scalar {
    return this.#device(station).get(point);
  }

  /** Decides from now on what goes wrong, for tests. */
  misbehave(fault: SimulatedFault): void {
    this.#fault = fault;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#speaking?.cancel();
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
    await this.#line?.[Symbol.asyncDispose]();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #device(name: string): SimulatedDevice {
    const device = this.#devices.get(name);
    if (device === undefined) throw new CausewayError("INTERNAL", `no station '${name}' is simulated`);
    return device;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (bytes) => this.#hear(bytes));
  }

  #hear(bytes: Uint8Array): void {
    for (const device of this.#devices.values()) {
      for (const answer of device.hear(bytes, this.#fault)) this.#say(answer);
    }
  }

  #say(frame: Uint8Array): void {
    this.#line?.write(frame);
    for (const socket of this.#sockets) if (socket.writableLength < MAX_UNHEARD) socket.write(frame);
  }

  #speak(): void {
    this.#speaking = this.#clock.schedule(SPEAK_EVERY_MS, () => {
      let delayMs = 0;
      for (const { spoken, gapMs } of this.#devices.values()) {
        for (const frame of spoken) {
          this.#later(delayMs, frame);
          delayMs += 2 * gapMs;
        }
      }
      this.#speak();
    });
  }

  #later(delayMs: number, frame: Uint8Array): void {
    const timer = this.#clock.schedule(delayMs, () => {
      this.#waiting.delete(timer);
      this.#say(frame);
    });
    this.#waiting.add(timer);
  }
}
