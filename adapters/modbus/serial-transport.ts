import {
  bytesEqual,
  CausewayError,
  type Clock,
  concatBytes,
  FrameTrace,
  type Line,
  NO_BYTES,
  sleep,
  type Timer,
  type TracedFrame,
} from "causeway/adapter";
import { acknowledgement, answerLength, otherRegisters, withOtherRegisters } from "./answer.js";
import type { Framing } from "./framing.js";
import type { Timing } from "./timing.js";
import type { Request, Transport } from "./transport.js";

/** Of an ASCII frame, which is the longer one (Modbus over Serial Line V1.02 §2.5.2.1). */
const MAX_FRAME_LENGTH = 513;
/** Converters and operating systems hand a frame over in pieces; within this it may still go on. */
const FRAGMENT_MS = 50;
/** After silence or damage: input is thrown away until the line has been quiet for so long. */
const RESYNC_MS = 100;
/** What stations get to carry out a broadcast (Modbus over Serial Line V1.02 §2.4.1: 100 to 200 ms). */
const TURNAROUND_MS = 100;
/** An answer that comes after so many time-outs is not known from one to another request. */
const LATEST_TIMEOUTS = 3;
/** Weight of the newest answer in what is known of the line's latency, which so many answers make known. */
const LEARNING = 0.1;
const ENOUGH_ANSWERS = 16;

interface Pending {
  readonly request: Request;
  readonly frame: Uint8Array;
  readonly settle: (outcome: Uint8Array | CausewayError) => void;
  received: Uint8Array;
  echoRemoved: boolean;
  /** What would be the answer if registers had four bytes instead of two, or two instead of four, has come. */
  hadOtherRegisters: boolean;
  fragmentTimer: Timer | undefined;
}

/**
 * Modbus RTU or ASCII, on a serial port or through a serial server. Frames have no number, so that a late answer could be taken
 * for the next one: only a frame of the right unit, function, length and checksum counts, and after a fault the line
 * must first be quiet; a request that was given up bars its like for as long again as an answer may take, and for longer those
 * that its answer would fit although they ask for something else.
 */
export class SerialTransport implements Transport {
  readonly unitZero = "broadcast";
  readonly closed: Promise<CausewayError>;
  readonly #line: Line;
  readonly #framing: Framing;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #trace: FrameTrace;
  #pending: Pending | undefined;
  #gone: CausewayError | undefined;
  /** Monotonic time of the last byte in or out. */
  #activeAtMs = Number.NEGATIVE_INFINITY;
  /** How long the line must be quiet after a fault, since bytes of the last exchange may still come. */
  #resyncMs = 0;
  /** Until when an answer may still come to a request that was given up, by unit and function. */
  readonly #lateUntilMs = new Map<number, number>();
  /** The last request of those that late answers fit, by unit, function and length, and until when they may come. */
  readonly #doubtful = new Map<string, { readonly pdu: Uint8Array; readonly untilMs: number }>();
  /** Whether the interface gives us back what we send; learned from the first answer to a read. */
  #echo: "unknown" | "yes" | "no" = "unknown";
  #lastUnit: number | undefined;
  #latencyMs = 0;
  #answers = 0;

  constructor(line: Line, framing: Framing, timing: Timing, clock: Clock) {
    this.#line = line;
    this.#framing = framing;
    this.#timing = timing;
    this.#clock = clock;
    this.#trace = new FrameTrace(clock);
    line.listen((bytes) => this.#receive(bytes));
    this.closed = line.closed.then((reason) => {
      this.#gone = reason;
      this.#pending?.settle(reason);
      return reason;
    });
  }

  /** Of answers, besides the time of their characters; undefined before there were enough. */
  get latencyMs(): number | undefined {
    return this.#answers < ENOUGH_ANSWERS ? undefined : this.#latencyMs;
  }

  async exchange(request: Request, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    await this.#quiet(request, signal);
    if (this.#gone !== undefined) throw this.#gone;
    const frame = this.#framing.encode(request.unit, request.pdu);
    const outcome = new Promise<Uint8Array | CausewayError>((settle) => {
      this.#pending = {
        request,
        frame,
        settle,
        received: NO_BYTES,
        echoRemoved: false,
        hadOtherRegisters: false,
        fragmentTimer: undefined,
      };
    });
    const sentMs = frame.length * this.#timing.characterMs;
    this.#activeAtMs = this.#clock.monotonicMs() + sentMs;
    const sentAtMs = this.#activeAtMs;
    this.#lastUnit = request.unit;
    this.#trace.add("out", frame);
    this.#line.write(frame);
    const timer = this.#expire(request, sentMs);
    const onAbort = (): void => this.#pending?.settle(new CausewayError("LINK_CLOSED", "given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    const answer = await outcome;
    timer.cancel();
    this.#pending?.fragmentTimer?.cancel();
    const isInterrupted = (this.#pending?.received.length ?? 0) > 0;
    this.#pending = undefined;
    signal.removeEventListener("abort", onAbort);
    if (answer instanceof CausewayError)
      this.#giveUpOn(request, isInterrupted ? this.#framing.interruptedMs : RESYNC_MS);
    if (isRead(request)) this.#doubt(request, answer instanceof CausewayError ? "silence" : "answer", sentAtMs);
    signal.throwIfAborted();
    if (answer instanceof CausewayError) throw answer;
    if (request.unit !== 0) this.#learn(this.#clock.monotonicMs() - sentAtMs - this.#wireMs(answer.length));
    return answer;
  }

  trace(): readonly TracedFrame[] {
    return this.#trace.frames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]();
    await this.closed;
  }

  #wireMs(pduLength: number): number {
    const { frameCharacters, charactersPerByte } = this.#framing;
    return (frameCharacters + charactersPerByte * pduLength) * this.#timing.characterMs;
  }

  #learn(latencyMs: number): void {
    this.#answers++;
    this.#latencyMs += Math.max(LEARNING, 1 / this.#answers) * (latencyMs - this.#latencyMs);
  }

  #expire(request: Request, sentMs: number): Timer {
    const { unit, pdu, responseTimeoutMs } = request;
    if (unit === 0)
      return this.#clock.schedule(sentMs + TURNAROUND_MS, () => this.#pending?.settle(acknowledgement(pdu)));
    const answerMs = this.#wireMs(answerLength(request));
    return this.#clock.schedule(sentMs + responseTimeoutMs + answerMs, () => {
      const silent = this.#pending?.received.length === 0;
      const hint = this.#pending?.hadOtherRegisters === true ? `; what came has ${otherRegisters(request)}` : "";
      const what = silent ? `did not answer within ${responseTimeoutMs} ms${hint}` : "gave no whole answer";
      this.#pending?.settle(new CausewayError(silent ? "FIELD_TIMEOUT" : "FIELD_GARBLED", `unit ${unit} ${what}`));
    });
  }

  #giveUpOn(request: Request, resyncMs: number): void {
    this.#resyncMs = resyncMs;
    const windowMs = Math.max(RESYNC_MS, request.responseTimeoutMs);
    this.#lateUntilMs.set(kindOf(request), this.#clock.monotonicMs() + windowMs);
  }

  /** After silence even an answer may be that to the request before, and its own one is still to come. */
  #doubt(request: Request, outcome: "answer" | "silence", sentAtMs: number): void {
    const key = answersOf(request);
    const before = this.#doubtful.get(key);
    if (outcome === "answer" && (before === undefined || before.untilMs <= sentAtMs)) {
      this.#doubtful.delete(key);
      return;
    }
    const answerMs = this.#wireMs(answerLength(request));
    const untilMs = sentAtMs + LATEST_TIMEOUTS * Math.max(RESYNC_MS, request.responseTimeoutMs) + answerMs;
    this.#doubtful.set(key, { pdu: request.pdu, untilMs });
  }

  /** Waits for the silence before a frame; gives up on a line that never falls silent. */
  async #quiet(request: Request, signal: AbortSignal): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    const givenMs = 2 * Math.max(RESYNC_MS, this.#resyncMs, request.responseTimeoutMs) + request.gapMs;
    const longestMs = Math.max(givenMs, this.#quietAtMs(request) - startedMs);
    for (;;) {
      const nowMs = this.#clock.monotonicMs();
      const waitMs = this.#quietAtMs(request) - nowMs;
      if (waitMs <= 0) break;
      if (nowMs - startedMs > longestMs) throw new CausewayError("FIELD_GARBLED", "the line is never quiet");
      await sleep(this.#clock, waitMs, signal);
    }
    this.#resyncMs = 0;
    this.#lateUntilMs.delete(kindOf(request));
  }

  #quietAtMs(request: Request): number {
    const isOther = this.#lastUnit !== undefined && this.#lastUnit !== request.unit;
    const unitPauseMs = isOther ? this.#timing.unitPauseMs : 0;
    const silenceMs = Math.max(this.#timing.silenceMs, request.gapMs, unitPauseMs, this.#resyncMs);
    const doubt = this.#doubtful.get(answersOf(request));
    const doubtUntilMs = doubt === undefined || bytesEqual(doubt.pdu, request.pdu) ? 0 : doubt.untilMs;
    return Math.max(this.#activeAtMs + silenceMs, this.#lateUntilMs.get(kindOf(request)) ?? 0, doubtUntilMs);
  }

  #receive(bytes: Uint8Array): void {
    this.#activeAtMs = Math.max(this.#activeAtMs, this.#clock.monotonicMs());
    const copy = bytes.slice();
    this.#trace.add("in", copy);
    const pending = this.#pending;
    if (pending === undefined) return;
    const received = pending.received.length === 0 ? copy : concatBytes([pending.received, copy]);
    pending.received = received.length > 2 * MAX_FRAME_LENGTH ? received.subarray(-MAX_FRAME_LENGTH) : received;
    this.#removeEcho(pending);
    this.#dropForeign(pending);
    const found = this.#framing.find(pending.request, pending.received);
    if (found === undefined) {
      this.#awaitMore(pending);
      return;
    }
    if (this.#echo === "unknown" && isRead(pending.request)) this.#echo = pending.echoRemoved ? "yes" : "no";
    if (found.surplus > 0) this.#resyncMs = RESYNC_MS;
    pending.settle(found.pdu);
  }

  #dropForeign(pending: Pending): void {
    const { request, received } = pending;
    pending.received = this.#framing.dropForeign(request, received);
    if (pending.received.length === received.length || !isRead(request)) return;
    pending.hadOtherRegisters ||= this.#framing.find(withOtherRegisters(request), received) !== undefined;
  }

  // The answer to a single write looks exactly like an echo: until a read has shown which it is, it counts as answer.
  #removeEcho(pending: Pending): void {
    const possible = this.#echo === "yes" || (this.#echo === "unknown" && isRead(pending.request));
    if (!possible || pending.echoRemoved || pending.received.length < pending.frame.length) return;
    if (!pending.frame.every((byte, index) => byte === pending.received[index])) return;
    pending.echoRemoved = true;
    pending.received = pending.received.subarray(pending.frame.length);
  }

  // Enough bytes and no answer among them: when nothing follows, it is damaged, and waiting longer will not mend it.
  #awaitMore(pending: Pending): void {
    pending.fragmentTimer?.cancel();
    const { frameCharacters, charactersPerByte } = this.#framing;
    const wanted = frameCharacters + charactersPerByte * answerLength(pending.request);
    if (pending.received.length < wanted) return;
    const quietMs = Math.max(this.#timing.silenceMs, FRAGMENT_MS);
    pending.fragmentTimer = this.#clock.schedule(quietMs, () =>
      pending.settle(new CausewayError("FIELD_GARBLED", `unit ${pending.request.unit}: the answer is damaged`)),
    );
  }
}

/** Requests whose answers could be taken for one another. */
function kindOf({ unit, pdu }: Request): number {
  return (unit << 8) | (pdu[0] ?? 0);
}

/** Requests whose good answers look the same. */
function answersOf(request: Request): string {
  return `${kindOf(request)}/${answerLength(request)}`;
}

/** No echo can be taken for the answer to these. */
function isRead({ pdu }: Request): boolean {
  return acknowledgement(pdu).length === 0;
}
