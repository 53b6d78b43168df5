import { EventEmitter } from "node:events";
import { CausewayError } from "causeway/adapter";
import type modbusSerial from "modbus-serial";

export type Client = InstanceType<typeof modbusSerial.default>;
type Done = (error: unknown) => void;
const ANY_UNIT = 1;

/** Calls one `writeFCn` of the client. */
export type Call = (client: Client, unit: number, done: Done) => void;

/**
 * modbus-serial, used to encode requests: it sits on a port that keeps the bytes. Its own transports, time-outs and shared
 * state are left out, because they mix answers up after a late one; whoever carries the bytes checks unit, function,
 * length and content, after which nothing of an answer is left to decode but its registers.
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

  /** The PDU of a request. */
  encode(call: Call): Uint8Array {
    let failure: unknown;
    call(this.#client, ANY_UNIT, (error) => {
      failure = error;
    });
    const frame = this.#port.takeWritten();
    if (frame === undefined) {
      throw new CausewayError("INTERNAL", "the request cannot be encoded", { cause: failure });
    }
    return frame.slice(1, -2);
  }
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
