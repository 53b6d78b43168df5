import {
  CausewayError,
  type Clock,
  decodeRegisters,
  encodeRegisters,
  type FaultQuality,
  type Link,
  mergeBits,
  type Point,
  type Reading,
  type RegisterFormat,
  registerCount,
  type Scalar,
  type Station,
  sleep,
  type TracedFrame,
  toHex,
  type WriteTerms,
} from "causeway/adapter";
import { exceptionError, exceptionQuality, exceptionText, isBusy } from "./exception.js";
import {
  formatOf,
  isBitTable,
  isOnSerialLine,
  type ModbusLinkOptions,
  type ModbusPoint,
  type ModbusStation,
  wireRegister,
} from "./options.js";
import type { Client, PduCodec, Refusal } from "./pdu.js";
import { mergeSpans, READ_FUNCTION, type Span } from "./plan.js";
import type { Timing } from "./timing.js";
import type { Transport } from "./transport.js";

type PlaceOnWire = Pick<Span, "table" | "register" | "count">;
type Encode = Parameters<PduCodec["request"]>[1];

/** A busy station is asked once more after this. */
const BUSY_PAUSE_MS = 250;

/** One Modbus connection, whatever carries it. */
export class ModbusLink implements Link<ModbusStation, ModbusPoint> {
  readonly closed: Promise<Error>;
  readonly #transport: Transport;
  readonly #timing: Timing;
  readonly #clock: Clock;
  readonly #codec: PduCodec;

  constructor(transport: Transport, codec: PduCodec, timing: Timing, clock: Clock) {
    this.#codec = codec;
    this.#transport = transport;
    this.#timing = timing;
    this.#clock = clock;
    this.closed = transport.closed;
  }

  async read(
    station: Station<ModbusStation>,
    points: readonly Point<ModbusPoint>[],
    signal: AbortSignal,
  ): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    for (const span of mergeSpans(points, station.traits, this.#timing)) {
      readings.push(...(await this.#readSpan(station, span, signal)));
    }
    return readings;
  }

  async write(
    station: Station<ModbusStation>,
    point: Point<ModbusPoint>,
    value: Scalar,
    signal: AbortSignal,
  ): Promise<void> {
    const { at, write } = point.address;
    const place = placeOf(station, point);
    if ((at.table === "discrete" || at.table === "input") && write?.register === undefined) {
      throw new CausewayError("FIELD_NOT_WRITABLE", `${place}: ${at.table} registers are read-only`);
    }
    const base = station.traits.addressBase ?? 0;
    const register = write?.register === undefined ? wireRegister(point, station.traits) : write.register - base;
    if (register < 0) throw new CausewayError("FIELD_NOT_WRITABLE", `${place}: register ${register} does not exist`);
    if (isBitTable(at.table)) {
      const call = coilCall(register, fitValue(point, value) === true, write?.function === "multiple");
      await this.#order(station, call, place, signal);
    } else if (write?.function === "mask") {
      await this.#order(station, maskCall(register, value, formatOf(point.address)), place, signal);
    } else if (write?.function === "read-write") {
      await this.#writeAndRead(station, point, value, register, signal);
    } else {
      const bytes = await this.#registersFor(station, point, value, register, signal);
      await this.#order(station, registersCall(register, bytes, write?.function === "multiple"), place, signal);
    }
  }

  latencyMs(): number | undefined {
    return this.#transport.latencyMs;
  }

  trace(): readonly TracedFrame[] {
    return this.#transport.trace();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  async #readSpan(station: Station<ModbusStation>, span: Span, signal: AbortSignal): Promise<readonly Reading[]> {
    if (span.register < 0 || span.register + span.count > 65536) {
      return this.#faults(span, "unsupported", `register ${span.register} does not exist on the wire`);
    }
    if (this.#isBroadcast(station)) {
      return this.#faults(span, "unsupported", "unit 0 is the broadcast, nothing answers");
    }
    try {
      const answer = await this.#ask(station, readCall(span), signal);
      if (!("exception" in answer)) return this.#decode(span, station, answer);
      return this.#faults(span, exceptionQuality(answer.exception), exceptionText(answer.exception));
    } catch (error) {
      if (!(error instanceof CausewayError)) throw error;
      if (error.code === "FIELD_TIMEOUT") return this.#faults(span, "timeout", error.message);
      if (error.code === "FIELD_GARBLED") return this.#faults(span, "crc", error.message);
      throw error;
    }
  }

  async #order(station: Station<ModbusStation>, call: Encode, place: string, signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#ask(station, call, signal);
    if ("exception" in answer) throw exceptionError(answer.exception, place);
    return answer;
  }

  /** FC23 writes first and reads then (Modbus Application Protocol V1.1b3 §6.17). */
  async #writeAndRead(
    station: Station<ModbusStation>,
    point: Point<ModbusPoint>,
    value: Scalar,
    register: number,
    signal: AbortSignal,
  ): Promise<void> {
    const place = placeOf(station, point);
    if (this.#isBroadcast(station)) throw new CausewayError("FIELD_NOT_WRITABLE", `${place}: FC23 needs an answer`);
    const bytes = await this.#registersFor(station, point, value, register, signal);
    const words = wordsOf(bytes);
    const call: Encode = (client, unit, done) =>
      client.writeFC23(unit, register, words.length, register, words.length, words, done);
    const found = await this.#order(station, call, place, signal);
    if (toHex(found) === toHex(bytes)) return;
    throw new CausewayError("FIELD_NOT_CONFIRMED", `${place} holds ${toHex(found)}, not ${toHex(bytes)}`);
  }

  #decode(span: Span, station: Station<ModbusStation>, bytes: Uint8Array): Reading[] {
    const atMs = this.#clock.nowMs();
    return span.points.map((point): Reading => {
      const offset = wireRegister(point, station.traits) - span.register;
      const value = isBitTable(span.table)
        ? (((bytes[offset >> 3] ?? 0) >> (offset & 7)) & 1) === 1
        : decodeRegisters(bytes, 2 * offset, formatOf(point.address));
      if (typeof value !== "number" || Number.isFinite(value))
        return { point: point.name, atMs, quality: "good", value };
      return { point: point.name, atMs, quality: "invalid", reason: `${value} is not a number`, value };
    });
  }

  #faults(span: Span, quality: FaultQuality, reason: string): Reading[] {
    const atMs = this.#clock.nowMs();
    return span.points.map((point) => ({ point: point.name, atMs, quality, reason }));
  }

  /** A field of bits is put into what its register holds now, within the same turn on the bus. */
  async #registersFor(
    station: Station<ModbusStation>,
    point: Point<ModbusPoint>,
    value: Scalar,
    register: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const format = formatOf(point.address);
    const encoded = encodeRegisters(value, format);
    if (format.bits === undefined) return encoded;
    if (this.#isBroadcast(station)) {
      throw new CausewayError("FIELD_NOT_WRITABLE", `${placeOf(station, point)}: bits cannot be broadcast`);
    }
    const call = readCall({ table: "holding", register, count: registerCount(format) });
    const present = await this.#order(station, call, placeOf(station, point), signal);
    return mergeBits(present, encoded, format);
  }

  #isBroadcast(station: Station<ModbusStation>): boolean {
    return station.address.unit === 0 && this.#transport.unitZero === "broadcast";
  }

  async #ask(station: Station<ModbusStation>, call: Encode, signal: AbortSignal): Promise<Uint8Array | Refusal> {
    const { unit } = station.address;
    const { responseTimeoutMs = this.#timing.responseTimeoutMs, requestGapMs: gapMs = 0 } = station.traits;
    for (let attempt = 0; ; attempt++) {
      const { pdu, read } = this.#codec.request(unit, call);
      const answer = read(await this.#transport.exchange({ unit, pdu, responseTimeoutMs, gapMs }, signal));
      if (!("exception" in answer) || !isBusy(answer.exception) || attempt > 0) return answer;
      await sleep(this.#clock, BUSY_PAUSE_MS, signal);
    }
  }
}

/** The value that the wire will carry; throws VALUE_INVALID. */
export function fitValue(point: Point<ModbusPoint>, value: Scalar): Scalar {
  const format = formatOf(point.address);
  return decodeRegisters(encodeRegisters(value, format), 0, format);
}

/** What FC23 brought back is its own confirmation; nothing confirms a broadcast. */
export function writeTerms(
  options: ModbusLinkOptions,
  station: Station<ModbusStation>,
  { address: { write = {} } }: Point<ModbusPoint>,
): WriteTerms {
  const { function: how, verify, minInterval = 0 } = write;
  const isBroadcast = station.address.unit === 0 && isOnSerialLine(options);
  const isDone = isBroadcast || (how === "read-write" && verify === undefined);
  const delayMs = typeof verify === "object" ? verify.delay : 0;
  return { readBack: isDone || verify === "none" ? "none" : { delayMs }, minIntervalMs: minInterval };
}

function readCall({ table, register, count }: PlaceOnWire): Encode {
  const method = (["writeFC1", "writeFC2", "writeFC3", "writeFC4"] as const)[READ_FUNCTION[table] - 1] ?? "writeFC3";
  return (client: Client, unit, done) => client[method](unit, register, count, done);
}

function coilCall(register: number, isOn: boolean, isMultiple: boolean): Encode {
  if (isMultiple) return (client, unit, done) => client.writeFC15(unit, register, [isOn], done);
  return (client, unit, done) => client.writeFC5(unit, register, isOn, done);
}

function registersCall(register: number, bytes: Uint8Array, isMultiple: boolean): Encode {
  const words = wordsOf(bytes);
  const [first = 0] = words;
  if (words.length > 1 || isMultiple) return (client, unit, done) => client.writeFC16(unit, register, words, done);
  return (client, unit, done) => client.writeFC6(unit, register, first, done);
}

/** The result is (present AND and) OR (or AND NOT and) (Modbus Application Protocol V1.1b3 §6.16). */
function maskCall(register: number, value: Scalar, format: RegisterFormat): Encode {
  const [or = 0] = wordsOf(encodeRegisters(value, format));
  const [and = 0] = wordsOf(mergeBits(Uint8Array.of(0xff, 0xff), Uint8Array.of(0, 0), format));
  return (client, unit, done) => client.writeFC22(unit, register, and, or, done);
}

function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(2 * index));
}

function placeOf(station: Station<ModbusStation>, point: Point<ModbusPoint>): string {
  return `${station.name}.${point.name}`;
}
