import {
  CausewayError,
  type Clock,
  concatBytes,
  FrameTrace,
  type Line,
  NO_BYTES,
  printableText,
  sleep,
  type Timer,
  type TracedFrame,
  toHex,
} from "causeway/adapter";
import { answerProblem } from "./answer.js";
import type { Request, Transport } from "./transport.js";

/** Transaction id, protocol id 0, length of what follows, unit (Modbus Messaging on TCP/IP V1.0b §3.1.3). */
const HEADER_LENGTH = 7;
const MAX_PDU_LENGTH = 253;
/** Of what is not Modbus: enough to know another protocol by. */
const SHOWN_BYTES = 16;

interface Pending {
  readonly transactionId: number;
  readonly request: Request;
  readonly settle: (outcome: Uint8Array | CausewayError) => void;
}

/** `stream`: frames follow one another; `datagrams`: each arrives alone, and one that is damaged harms no other. */
export type MbapCarrier = "stream" | "datagrams";

/** Modbus TCP, also through TLS or UDP: the transaction id tells late and foreign answers from the one that is waited for. */
export class MbapTransport implements Transport {
  readonly unitZero = "station";
  readonly closed: Promise<CausewayError>;
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #trace: FrameTrace;
  #transactionId = 0;
  #received: Uint8Array = NO_BYTES;
  #pending: Pending | undefined;
  #gone: CausewayError | undefined;
  #garbage: CausewayError | undefined;

  constructor(line: Line, carrier: MbapCarrier, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
    this.#trace = new FrameTrace(clock);
    line.listen((bytes) => (carrier === "stream" ? this.#receive(bytes) : this.#receiveDatagram(bytes.slice())));
    this.closed = line.closed.then((reason) => {
      this.#gone = this.#garbage ?? reason;
      this.#pending?.settle(this.#gone);
      return this.#gone;
    });
  }

  async exchange(request: Request, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    if (request.gapMs > 0) await sleep(this.#clock, request.gapMs, signal);
    if (this.#gone !== undefined) throw this.#gone;
    // Half a frame would swallow the beginning of the next one; nothing tells then where frames start.
    if (this.#received.length > 0) throw this.#giveUp();
    const transactionId = (this.#transactionId + 1) & 0xffff;
    this.#transactionId = transactionId;
    const outcome = new Promise<Uint8Array | CausewayError>((settle) => {
      this.#pending = { transactionId, request, settle };
    });
    const timer = this.#expire(request);
    const onAbort = (): void => this.#pending?.settle(new CausewayError("LINK_CLOSED", "given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    const frame = mbapFrame(transactionId, request.unit, request.pdu);
    this.#trace.add("out", frame);
    this.#line.write(frame);
    const answer = await outcome;
    this.#pending = undefined;
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
    signal.throwIfAborted();
    if (answer instanceof CausewayError) throw answer;
    return answer;
  }

  trace(): readonly TracedFrame[] {
    return this.#trace.frames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]();
    await this.closed;
  }

  #expire({ unit, responseTimeoutMs }: Request): Timer {
    return this.#clock.schedule(responseTimeoutMs, () =>
      this.#pending?.settle(
        new CausewayError("FIELD_TIMEOUT", `unit ${unit} did not answer within ${responseTimeoutMs} ms`),
      ),
    );
  }

  #receive(bytes: Uint8Array): void {
    if (this.#garbage !== undefined) return;
    this.#received = this.#received.length === 0 ? bytes.slice() : concatBytes([this.#received, bytes]);
    while (this.#received.length >= HEADER_LENGTH) {
      const header = new DataView(this.#received.buffer, this.#received.byteOffset, HEADER_LENGTH);
      const pduLength = header.getUint16(4) - 1;
      if (header.getUint16(2) !== 0 || pduLength < 1 || pduLength > MAX_PDU_LENGTH) {
        this.#giveUp();
        return;
      }
      const frameLength = HEADER_LENGTH + pduLength;
      if (this.#received.length < frameLength) return;
      const frame = this.#received.subarray(0, frameLength);
      this.#received = this.#received.subarray(frameLength);
      this.#trace.add("in", frame);
      this.#take(header.getUint16(0), header.getUint8(6), frame.subarray(HEADER_LENGTH));
    }
  }

  #receiveDatagram(frame: Uint8Array): void {
    this.#trace.add("in", frame);
    if (frame.length <= HEADER_LENGTH) return;
    const header = new DataView(frame.buffer, frame.byteOffset, HEADER_LENGTH);
    if (header.getUint16(2) !== 0 || header.getUint16(4) !== frame.length - HEADER_LENGTH + 1) return;
    this.#take(header.getUint16(0), header.getUint8(6), frame.subarray(HEADER_LENGTH));
  }

  #take(transactionId: number, unit: number, pdu: Uint8Array): void {
    const pending = this.#pending;
    if (pending === undefined || pending.transactionId !== transactionId) return;
    const { request } = pending;
    const problem = unit === request.unit ? answerProblem(request, pdu) : `unit ${unit} instead of ${request.unit}`;
    pending.settle(
      problem === undefined ? pdu : new CausewayError("FIELD_GARBLED", `unit ${request.unit}: ${problem}`),
    );
  }

  // Where a frame starts cannot be found again once it is lost: only a new session helps.
  #giveUp(): CausewayError {
    this.#trace.add("in", this.#received);
    const begin = this.#received.subarray(0, SHOWN_BYTES);
    this.#garbage = new CausewayError(
      "LINK_FAILED",
      `what came is not Modbus TCP: ${printableText(begin) ?? toHex(begin)}`,
    );
    this.#received = NO_BYTES;
    this.#pending?.settle(this.#garbage);
    void this.#line[Symbol.asyncDispose]();
    return this.#garbage;
  }
}

export function mbapFrame(transactionId: number, unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_LENGTH + pdu.length);
  const header = new DataView(frame.buffer);
  header.setUint16(0, transactionId);
  header.setUint16(4, pdu.length + 1);
  header.setUint8(6, unit);
  frame.set(pdu, HEADER_LENGTH);
  return frame;
}
