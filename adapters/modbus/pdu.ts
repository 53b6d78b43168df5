import { EventEmitter } from "node:events";
import { CausewayError, toError } from "causeway/adapter";
import type modbusSerial from "modbus-serial";
import { rtuFrame } from "./crc.js";

export type Client = InstanceType<typeof modbusSerial.default>;
type Done = (error: unknown, result: object | undefined) => void;
/** Calls one `writeFCn` of the client. */
type Call = (client: Client, unit: number, done: Done) => void;

/** The station refused; `exception` is its code (Modbus Application Protocol V1.1b3 §7). */
export interface Refusal {
  readonly exception: number;
}

/**
 * modbus-serial, used as a codec: it sits on a port that keeps the bytes of a request and plays the answer back, all
 * within one call. Its own transports, time-outs and shared state are left out, because they mix answers up after a
 * late one; whoever carries the bytes has checked unit, function, length and content before.
 */
export class PduCodec {
  readonly #port: ReplayPort;
  readonly #client: Client;

  private constructor(port: ReplayPort, client: Client) {
    this.#port = port;
    this.#client = client;
  }

  /** The library is loaded by the first link that opens: a check or a start need not wait for it. */
  static async load(): Promise<PduCodec> {
    const library = await import("modbus-serial");
    const port = new ReplayPort();
    const client = new library.default.default(port);
    client.open();
    return new PduCodec(port, client);
  }

  /** The request's PDU and a function that reads its answer. */
  request(
    unit: number,
    call: Call,
  ): { readonly pdu: Uint8Array; readonly read: (answer: Uint8Array) => Uint8Array | Refusal } {
    let outcome: { error: unknown; buffer: Uint8Array | undefined } | undefined;
    call(this.#client, unit, (error, result) => {
      outcome = { error, buffer: dataOf(result) };
    });
    const frame = this.#port.takeWritten();
    if (frame === undefined) {
      throw new CausewayError("INTERNAL", "the request cannot be encoded", { cause: outcome?.error });
    }
    const read = (answer: Uint8Array): Uint8Array | Refusal => {
      this.#port.emit("data", Buffer.from(rtuFrame(unit, answer)));
      if (outcome === undefined) throw new CausewayError("INTERNAL", "the answer was not taken");
      const { error, buffer } = outcome;
      if (error === null || error === undefined) return buffer ?? new Uint8Array(0);
      const exception = exceptionOf(error);
      if (exception !== undefined) return { exception };
      throw new CausewayError("FIELD_GARBLED", toError(error).message, { cause: error });
    };
    return { pdu: frame.subarray(1, -2), read };
  }
}

/** The bytes that a read brought; the results of writes have none, that of FC23 has only words. */
function dataOf(result: object | undefined): Uint8Array | undefined {
  if (result === undefined) return undefined;
  if ("buffer" in result && result.buffer instanceof Uint8Array) return result.buffer;
  if (!("data" in result) || !Array.isArray(result.data)) return undefined;
  return Uint8Array.from(result.data.flatMap((word: unknown) => [Number(word) >> 8, Number(word) & 0xff]));
}

function exceptionOf(error: unknown): number | undefined {
  const known = typeof error === "object" && error !== null && "modbusCode" in error;
  return known && typeof error.modbusCode === "number" ? error.modbusCode : undefined;
}

/** What modbus-serial takes for an open serial port. */
class ReplayPort extends EventEmitter {
  readonly isOpen = true;
  #written: Uint8Array | undefined;

  open(done: (error: null) => void): void {
    done(null);
  }

  close(done?: (error: null) => void): void {
    done?.(null);
  }

  write(frame: Uint8Array): void {
    this.#written = frame;
  }

  takeWritten(): Uint8Array | undefined {
    const written = this.#written;
    this.#written = undefined;
    return written;
  }
}
