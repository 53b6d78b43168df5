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
import type { Call, PduCodec } from "./pdu.js";
import type { Span } from "./plan.js";
import { decodeRead, type PlannedRead, ReadPlans } from "./read-plan.js";
import { registerBytesAt, registersOf } from "./register-bytes.js";
import {
  coilCall,
  fourByteRegistersCall,
  maskCall,
  readCall,
  registersCall,
  wordsOf,
  writeAndReadCall,
} from "./requests.js";
import { modelsOf, SunSpecChains } from "./sunspec.js";
import type { Timing } from "./timing.js";
import type { Transport } from "./transport.js";

/** The station refused; `exception` is its code (Modbus Application Protocol V1.1b3 §7). */
interface Refusal {
  readonly exception: number;
}

const EXCEPTION_BIT = 0x80;
/** A busy station is asked once more after this. */
const BUSY_PAUSE_MS = 250;

/** One Modbus connection, whatever carries it. */
export class ModbusLink implements Link<ModbusStation, ModbusPoint> {
  readonly closed: Promise<Error>;
  readonly #transport: Transport;
  readonly #timing: Timing;
  readonly #clock: Clock;
  readonly #codec: PduCodec;
  readonly #plans: ReadPlans;
  readonly #sunspec: SunSpecChains;

  constructor(transport: Transport, codec: PduCodec, timing: Timing, clock: Clock) {
    this.#codec = codec;
    this.#plans = new ReadPlans(codec, timing);
    this.#sunspec = new SunSpecChains(clock);
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
    const [only, ...more] = this.#plans.of(points, station.traits);
    if (only === undefined) return [];
    const readings = await this.#read(station, only, signal);
    for (const read of more) readings.push(...(await this.#read(station, read, signal)));
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
    const register = await this.#writtenRegister(station, point, place, signal);
    const how = write?.function ?? "single";
    if (isBitTable(at.table)) {
      const isOn = fitValue(point, value) === true;
      await this.#order(station, coilCall(register, isOn, how === "multiple" ? how : "single"), place, signal);
    } else if (how === "mask") {
      await this.#order(station, maskCall(register, value, formatOf(point.address)), place, signal);
    } else {
      const bytes = await this.#registersFor(station, point, value, register, signal);
      const isFour = registerBytesAt(register, station.traits) === 4;
      if (isFour) await this.#order(station, fourByteRegistersCall(register, bytes), place, signal);
      else if (how === "read-write") await this.#writeAndRead(station, register, bytes, place, signal);
      else await this.#order(station, registersCall(register, bytes, how), place, signal);
    }
  }

  /** Rejects with FIELD_NOT_WRITABLE where there is none. */
  async #writtenRegister(
    station: Station<ModbusStation>,
    point: Point<ModbusPoint>,
    place: string,
    signal: AbortSignal,
  ): Promise<number> {
    const { at, write } = point.address;
    if (at.model !== undefined) {
      const models = modelsOf(at.model);
      const id = await this.#modelRegister(station, models, signal);
      if (id === undefined) throw new CausewayError("FIELD_NOT_WRITABLE", `${place}: ${noModel(models.join(", "))}`);
      return id + at.register;
    }
    const base = station.traits.addressBase ?? 0;
    const register = write?.register === undefined ? wireRegister(point, station.traits) : write.register - base;
    if (register >= 0) return register;
    throw new CausewayError("FIELD_NOT_WRITABLE", `${place}: register ${register} does not exist`);
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

  async #read(station: Station<ModbusStation>, read: PlannedRead, signal: AbortSignal): Promise<Reading[]> {
    const { span } = read;
    if (this.#isBroadcast(station)) {
      return this.#faults(span, "unsupported", "unit 0 is the broadcast, nothing answers");
    }
    try {
      const pdu = span.models === undefined ? read.pdu : await this.#modelRequest(station, span, span.models, signal);
      if (pdu === undefined) {
        const models = span.models?.join(", ");
        const what = models === undefined ? `register ${span.register} does not exist on the wire` : noModel(models);
        return this.#faults(span, "unsupported", what);
      }
      const answer = await this.#ask(station, pdu, signal);
      if (!("exception" in answer)) return decodeRead(read, dataOf(answer), this.#clock.nowMs());
      return this.#faults(span, exceptionQuality(answer.exception), exceptionText(answer.exception));
    } catch (error) {
      if (!(error instanceof CausewayError)) throw error;
      if (error.code === "FIELD_TIMEOUT") {
        this.#sunspec.doubt(station.address.unit);
        return this.#faults(span, "timeout", error.message);
      }
      if (error.code === "FIELD_GARBLED") return this.#faults(span, "crc", error.message);
      throw error;
    }
  }

  /** Undefined when the station has none of the models. */
  async #modelRequest(
    station: Station<ModbusStation>,
    span: Span,
    models: readonly number[],
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const register = await this.#modelRegister(station, models, signal);
    return register === undefined ? undefined : this.#plans.encode(span, register);
  }

  async #modelRegister(
    station: Station<ModbusStation>,
    models: readonly number[],
    signal: AbortSignal,
  ): Promise<number | undefined> {
    return await this.#sunspec.find(station.address.unit, models, async (register, count) => {
      const pdu = this.#codec.encode(readCall({ table: "holding", register, count }));
      const answer = await this.#ask(station, pdu, signal);
      return "exception" in answer ? undefined : wordsOf(dataOf(answer));
    });
  }

  /** The answer's PDU. */
  async #order(station: Station<ModbusStation>, call: Call, place: string, signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#ask(station, this.#codec.encode(call), signal);
    if ("exception" in answer) throw exceptionError(answer.exception, place);
    return answer;
  }

  async #writeAndRead(
    station: Station<ModbusStation>,
    register: number,
    bytes: Uint8Array,
    place: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#isBroadcast(station)) throw new CausewayError("FIELD_NOT_WRITABLE", `${place}: FC23 needs an answer`);
    const found = toHex(dataOf(await this.#order(station, writeAndReadCall(register, bytes), place, signal)));
    const wanted = toHex(bytes);
    if (found !== wanted) {
      throw new CausewayError("FIELD_NOT_CONFIRMED", `${place} holds ${found}, not ${wanted}`);
    }
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
    const count = registersOf(format, registerBytesAt(register, station.traits));
    const call = readCall({ table: "holding", register, count });
    const present = await this.#order(station, call, placeOf(station, point), signal);
    return mergeBits(dataOf(present), encoded, format);
  }

  #isBroadcast(station: Station<ModbusStation>): boolean {
    return station.address.unit === 0 && this.#transport.unitZero === "broadcast";
  }

  async #ask(station: Station<ModbusStation>, pdu: Uint8Array, signal: AbortSignal): Promise<Uint8Array | Refusal> {
    const { unit } = station.address;
    const { responseTimeoutMs = this.#timing.responseTimeoutMs, requestGapMs: gapMs = 0 } = station.traits;
    const registerBytes = registerBytesAt(registerOf(pdu), station.traits);
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#transport.exchange({ unit, pdu, registerBytes, responseTimeoutMs, gapMs }, signal);
      if ((answer[0] ?? 0) < EXCEPTION_BIT) return answer;
      const exception = answer[1] ?? 0;
      if (!isBusy(exception) || attempt > 0) return { exception };
      await sleep(this.#clock, BUSY_PAUSE_MS, signal);
    }
  }
}

function noModel(models: string): string {
  return `the device has no SunSpec model ${models}`;
}

/** Where a request begins; every one that the link makes says so behind its function code. */
function registerOf(pdu: Uint8Array): number {
  return ((pdu[1] ?? 0) << 8) | (pdu[2] ?? 0);
}

/** What follows function code and byte count. */
function dataOf(answer: Uint8Array): Uint8Array {
  return answer.subarray(2);
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

function placeOf(station: Station<ModbusStation>, point: Point<ModbusPoint>): string {
  return `${station.name}.${point.name}`;
}
