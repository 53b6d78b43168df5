import { createServer, type Server, type Socket } from "node:net";
import {
  CausewayError,
  type Clock,
  concatBytes,
  NO_BYTES,
  type Scalar,
  type SimulatedField,
  type SimulatedStation,
  type Timer,
} from "causeway/adapter";
import { mbapFrame } from "./mbap-transport.js";
import type { ModbusLinkOptions, ModbusPoint, ModbusStation } from "./options.js";
import { SimulatedStations } from "./simulated-stations.js";
import type { SlaveUnit } from "./slave.js";

/** What a station does wrong with one request, for tests. */
export type SimulatedFault =
  | { readonly kind: "silent" | "garbled" | "wrong-unit" | "close" }
  | { readonly kind: "late"; readonly delayMs: number }
  | { readonly kind: "fragment"; readonly bytes: number }
  | { readonly kind: "exception"; readonly code: number };

/** Asked for each request; undefined answers it well. */
export type FaultPlan = (unit: number, pdu: Uint8Array) => SimulatedFault | undefined;

const HOST = "127.0.0.1";
const HEADER_LENGTH = 7;

/** A Modbus TCP server with one unit for each station; registers exist where its points, or the gaps of a read, are. */
export class ModbusSimulator implements SimulatedField<ModbusLinkOptions> {
  readonly #clock: Clock;
  readonly #stations: SimulatedStations;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<Timer>();
  readonly #server: Server;
  #link: ModbusLinkOptions = { transport: "tcp", host: HOST };
  #faultPlan: FaultPlan = () => undefined;

  constructor(stations: readonly SimulatedStation<ModbusStation, ModbusPoint>[], clock: Clock) {
    this.#clock = clock;
    this.#stations = new SimulatedStations(stations);
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get link(): ModbusLinkOptions {
    return this.#link;
  }

  /** Port 0 takes a free one. */
  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) =>
        reject(new CausewayError("LINK_FAILED", `the simulator cannot listen on port ${port}`, { cause: error })),
      );
      this.#server.listen(port, HOST, resolve);
    });
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#link = { ...this.#link, port: address.port };
  }

  set(station: string, point: string, value: Scalar): void {
    this.#stations.set(station, point, value);
  }

  get(station: string, point: string): Scalar {
    return this.#stations.get(station, point);
  }

  /** The tables of a unit, to be changed word by word. */
  unit(unit: number): SlaveUnit | undefined {
    return this.#stations.unit(unit);
  }

  /** Decides from now on what goes wrong. */
  misbehave(faultPlan: FaultPlan): void {
    this.#faultPlan = faultPlan;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    let received: Uint8Array = NO_BYTES;
    socket.on("data", (bytes) => {
      received = concatBytes([received, bytes]);
      while (received.length >= HEADER_LENGTH) {
        const header = new DataView(received.buffer, received.byteOffset, HEADER_LENGTH);
        const end = HEADER_LENGTH - 1 + header.getUint16(4);
        if (received.length < end) return;
        this.#handle(socket, header.getUint16(0), header.getUint8(6), received.subarray(HEADER_LENGTH, end));
        received = received.subarray(end);
      }
    });
  }

  #handle(socket: Socket, transactionId: number, unit: number, pdu: Uint8Array): void {
    const slave = this.#stations.unit(unit);
    const fault = this.#faultPlan(unit, pdu);
    if (fault?.kind === "close") socket.destroy();
    if (slave === undefined || fault?.kind === "silent" || fault?.kind === "close") return;
    const code = pdu[0] ?? 0;
    const answer = fault?.kind === "exception" ? Uint8Array.of(code | 0x80, fault.code) : slave.respond(pdu);
    const frame = mbapFrame(transactionId, fault?.kind === "wrong-unit" ? unit ^ 1 : unit, answer);
    if (fault?.kind === "garbled") frame.fill(0xff, 2, 6);
    if (fault?.kind === "late") this.#later(fault.delayMs, () => socket.write(frame));
    else if (fault?.kind === "fragment") {
      socket.write(frame.subarray(0, fault.bytes));
      this.#later(1, () => socket.write(frame.subarray(fault.bytes)));
    } else socket.write(frame);
  }

  #later(delayMs: number, act: () => void): void {
    const timer = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }
}
