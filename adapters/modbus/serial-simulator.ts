import {
  type Clock,
  concatBytes,
  type Line,
  NO_BYTES,
  type Scalar,
  type SimulatedField,
  type SimulatedStation,
  type Timer,
} from "causeway/adapter";
import { asciiContent, asciiFrame } from "./ascii-framing.js";
import { hasGoodCrc, rtuFrame } from "./crc.js";
import { isAscii, type ModbusLinkOptions, type ModbusPoint, type ModbusStation } from "./options.js";
import { SimulatedStations } from "./simulated-stations.js";

/** What has not become a frame until then never will. */
const FORGET_MS = 100;
const MAX_RECEIVED = 600;
const LF = 0x0a;

interface TakenRequest {
  readonly unit: number;
  readonly pdu: Uint8Array;
  readonly rest: Uint8Array;
}

/** Stations on the far end of a serial line, e.g. of a pair of ptys, whose near end the link then opens. */
export class SerialSimulator implements SimulatedField<ModbusLinkOptions> {
  /** As it was given: which path the near end has is known only to who connected them. */
  readonly link: ModbusLinkOptions;
  readonly #stations: SimulatedStations;
  readonly #line: Line;
  readonly #clock: Clock;
  #received: Uint8Array = NO_BYTES;
  #forget: Timer | undefined;

  constructor(
    link: ModbusLinkOptions,
    stations: readonly SimulatedStation<ModbusStation, ModbusPoint>[],
    line: Line,
    clock: Clock,
  ) {
    this.link = link;
    this.#stations = new SimulatedStations(stations);
    this.#line = line;
    this.#clock = clock;
    line.listen((bytes) => this.#receive(bytes));
  }

  set(station: string, point: string, value: Scalar): void {
    this.#stations.set(station, point, value);
  }

  get(station: string, point: string): Scalar {
    return this.#stations.get(station, point);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget?.cancel();
    await this.#line[Symbol.asyncDispose]();
  }

  #receive(bytes: Uint8Array): void {
    this.#forget?.cancel();
    this.#forget = this.#clock.schedule(FORGET_MS, () => {
      this.#received = NO_BYTES;
    });
    this.#received = concatBytes([this.#received, bytes]).subarray(-MAX_RECEIVED);
    for (let taken = this.#take(); taken !== undefined; taken = this.#take()) {
      this.#received = taken.rest;
      this.#answer(taken);
    }
  }

  #take(): TakenRequest | undefined {
    return isAscii(this.link) ? takeAscii(this.#received) : takeRtu(this.#received);
  }

  #answer({ unit, pdu }: TakenRequest): void {
    if (unit === 0) {
      for (const station of this.#stations.units) station.respond(pdu);
      return;
    }
    const answer = this.#stations.unit(unit)?.respond(pdu);
    if (answer === undefined) return;
    this.#line.write(isAscii(this.link) ? asciiFrame(unit, answer) : rtuFrame(unit, answer));
  }
}

function takeAscii(received: Uint8Array): TakenRequest | undefined {
  const end = received.indexOf(LF);
  if (end < 0) return undefined;
  const start = received.lastIndexOf(0x3a, end);
  const content = start < 0 ? undefined : asciiContent(received.subarray(start, end - 1));
  const rest = received.subarray(end + 1);
  return content === undefined ? takeAscii(rest) : { unit: content[0] ?? 0, pdu: content.subarray(1), rest };
}

/** The first whole request, also behind noise. */
function takeRtu(received: Uint8Array): TakenRequest | undefined {
  for (let start = 0; start + 4 <= received.length; start++) {
    const length = requestLength(received.subarray(start + 1));
    if (length === undefined) continue;
    const end = start + length + 3;
    if (end > received.length || !hasGoodCrc(received, start, end)) continue;
    return { unit: received[start] ?? 0, pdu: received.slice(start + 1, end - 2), rest: received.slice(end) };
  }
  return undefined;
}

/** Length of the request that begins with these bytes; undefined for a function that nobody here knows. */
function requestLength(pdu: Uint8Array): number | undefined {
  const code = pdu[0] ?? 0;
  if (code >= 1 && code <= 6) return 5;
  if (code === 15 || code === 16) return 6 + (pdu[5] ?? 0);
  if (code === 17) return 1;
  if (code === 22) return 7;
  if (code === 23) return 10 + (pdu[9] ?? 0);
  return code === 43 ? 4 : undefined;
}
