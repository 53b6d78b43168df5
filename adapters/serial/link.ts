import {
  abortable,
  CausewayError,
  type Clock,
  type FaultQuality,
  FrameTrace,
  type Line,
  type Link,
  type Point,
  printableText,
  type Reading,
  type Scalar,
  type Station,
  sleep,
  type TracedFrame,
  type Variables,
  type WatchSink,
} from "causeway/adapter";
import { type Answer, Channel } from "./channel.js";
import { extract, type FrameText } from "./extract.js";
import { Iec62056Session } from "./iec62056-21.js";
import { type FrameKind, frameOf, type Match, protocolOf, type SerialPoint, type SerialProtocol } from "./options.js";
import { matches, requestBytes, writeRequest } from "./request.js";

const RESPONSE_TIMEOUT_MS = 1000;
const TRACED_PIECES = 64;

/** One open line. Stations of different profiles may share it; each profile cuts its own frames out of what comes. */
export class SerialLink implements Link<Variables, SerialPoint> {
  readonly closed: Promise<Error>;
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #baudRate: number;
  readonly #trace: FrameTrace;
  readonly #channels = new Map<SerialProtocol, Channel>();
  /** Aborts with the reason when the line is gone. */
  readonly #gone = new AbortController();
  #session: Iec62056Session | undefined;

  constructor(line: Line, baudRate: number, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
    this.#baudRate = baudRate;
    this.#trace = new FrameTrace(clock, TRACED_PIECES, printableText);
    line.listen((bytes) => this.#receive(bytes));
    this.closed = line.closed.then((reason) => {
      this.#gone.abort(reason);
      return reason;
    });
  }

  async read(
    station: Station<Variables>,
    points: readonly Point<SerialPoint>[],
    signal: AbortSignal,
  ): Promise<readonly Reading[]> {
    const protocol = protocolOf(station.traits.protocol);
    try {
      const frame =
        protocol.session === undefined
          ? await this.#poll(station, points, protocol, signal)
          : await this.#readOut(station, signal);
      const kind = kindOf(points[0], protocol);
      return this.#readings(points, frame, kind, "polled");
    } catch (error) {
      if (!(error instanceof CausewayError)) throw error;
      if (error.code === "FIELD_TIMEOUT") return this.#faults(points, "timeout", error.message);
      if (error.code === "FIELD_GARBLED") return this.#faults(points, "crc", error.message);
      throw error;
    }
  }

  async write(
    station: Station<Variables>,
    point: Point<SerialPoint>,
    value: Scalar,
    signal: AbortSignal,
  ): Promise<void> {
    const { write } = point.address;
    const place = `${station.name}.${point.name}`;
    if (write === undefined) throw new CausewayError("FIELD_NOT_WRITABLE", `${place} has no 'write'`);
    const protocol = protocolOf(station.traits.protocol);
    const request = writeRequest(point.address, write, value, station.address, protocol.checksum);
    if (write.reply === undefined) {
      await this.#pause(station, signal);
      this.#send(request);
      return;
    }
    const refusals = [...(protocol.frames?.values() ?? [])].flatMap((kind) => [...(kind.refusals ?? [])]);
    const answer = { match: eitherOf(write.reply, refusals), timeoutMs: timeoutOf(write, station) };
    const frame = await this.#exchange(station, protocol, request, answer, signal);
    if (matches(frame.bytes, write.reply, frame.text)) return;
    const [, reason = "refused"] = refusals.find(([pattern]) => new RegExp(pattern).test(frame.text)) ?? [];
    throw new CausewayError("FIELD_EXCEPTION", `${place}: ${reason}`);
  }

  async watch(
    station: Station<Variables>,
    points: readonly Point<SerialPoint>[],
    sink: WatchSink,
    signal: AbortSignal,
  ): Promise<void> {
    const protocol = protocolOf(station.traits.protocol);
    const heard = new Map<FrameKind, Point<SerialPoint>[]>();
    for (const point of points) {
      const kind = kindOf(point, protocol);
      if (kind === undefined || kind.request !== undefined) continue;
      heard.set(kind, [...(heard.get(kind) ?? []), point]);
    }
    if (heard.size === 0) return;
    const listening = this.#channelOf(protocol).listen((frame, state) => {
      for (const [kind, own] of heard) {
        if (!matches(frame.bytes, kind.match, frame.text)) continue;
        const readings =
          state === "intact"
            ? this.#readings(own, frame, kind, "heard")
            : this.#faults(own, "crc", "a frame with a wrong checksum");
        if (readings.length > 0) sink.readings(readings);
      }
    });
    signal.addEventListener("abort", () => listening[Symbol.dispose](), { once: true });
  }

  trace(): readonly TracedFrame[] {
    return this.#trace.frames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]();
    await this.closed;
  }

  #receive(bytes: Uint8Array): void {
    const kept = bytes.slice();
    this.#trace.add("in", kept);
    if (this.#session !== undefined) this.#session.push(kept);
    else for (const channel of this.#channels.values()) channel.push(kept);
  }

  #send(bytes: Uint8Array): void {
    this.#trace.add("out", bytes);
    this.#line.write(bytes);
  }

  #channelOf(protocol: SerialProtocol): Channel {
    const present = this.#channels.get(protocol);
    if (present !== undefined) return present;
    const channel = new Channel(protocol, this.#clock);
    this.#channels.set(protocol, channel);
    return channel;
  }

  async #poll(
    station: Station<Variables>,
    points: readonly Point<SerialPoint>[],
    protocol: SerialProtocol,
    signal: AbortSignal,
  ): Promise<FrameText> {
    const kind = kindOf(points[0], protocol);
    if (kind?.request === undefined) throw new CausewayError("INTERNAL", `${station.name}: nothing to ask for`);
    const request = requestBytes(kind.request, station.address, protocol.checksum);
    const match = eitherOf(kind.match, [...(kind.refusals ?? [])]);
    return await this.#exchange(station, protocol, request, { match, timeoutMs: timeoutOf(kind, station) }, signal);
  }

  async #exchange(
    station: Station<Variables>,
    protocol: SerialProtocol,
    request: Uint8Array,
    expected: Answer,
    signal: AbortSignal,
  ): Promise<FrameText> {
    await this.#pause(station, signal);
    const channel = this.#channelOf(protocol);
    channel.clear();
    const answer = channel.answer(expected, station.name, signal);
    this.#send(request);
    return await abortable(answer, this.#gone.signal);
  }

  async #readOut(station: Station<Variables>, signal: AbortSignal): Promise<FrameText> {
    await this.#pause(station, signal);
    const session = new Iec62056Session(this.#line, this.#baudRate, this.#clock, (bytes) => this.#send(bytes));
    this.#session = session;
    try {
      return await abortable(session.readout(station.address.get("id") ?? "", signal), this.#gone.signal);
    } finally {
      this.#session = undefined;
    }
  }

  async #pause({ traits: { requestGapMs = 0 } }: Station<Variables>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (requestGapMs > 0) await sleep(this.#clock, requestGapMs, signal);
    this.#gone.signal.throwIfAborted();
  }

  #readings(
    points: readonly Point<SerialPoint>[],
    frame: FrameText,
    kind: FrameKind | undefined,
    way: "polled" | "heard",
  ): Reading[] {
    const refusal = [...(kind?.refusals ?? [])].find(([pattern]) => new RegExp(pattern).test(frame.text));
    if (refusal !== undefined) return this.#faults(points, "invalid", refusal[1]);
    const atMs = this.#clock.nowMs();
    return points.flatMap(({ name, address }): Reading[] => {
      const extracted = extract(address, frame);
      if (extracted !== undefined) return [{ point: name, atMs, ...extracted }];
      return way === "heard" ? [] : this.#faultsOf(name, "invalid", "the answer says nothing of it");
    });
  }

  #faults(points: readonly Point<SerialPoint>[], quality: FaultQuality, reason: string): Reading[] {
    return points.flatMap(({ name }) => this.#faultsOf(name, quality, reason));
  }

  #faultsOf(point: string, quality: FaultQuality, reason: string): Reading[] {
    return [{ point, atMs: this.#clock.nowMs(), quality, reason }];
  }
}

function kindOf(point: Point<SerialPoint> | undefined, protocol: SerialProtocol): FrameKind | undefined {
  return point === undefined ? undefined : protocol.frames?.get(frameOf(point.address, protocol) ?? "");
}

function timeoutOf({ timeout }: Pick<FrameKind, "timeout">, { traits }: Station<Variables>): number {
  return timeout ?? traits.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS;
}

/** What is an answer: what was asked for, or a refusal in its place. */
function eitherOf(match: Match | undefined, refusals: readonly (readonly [string, string])[]): Match | undefined {
  if (match === undefined || "start" in match || refusals.length === 0) return match;
  return { text: [match.text, ...refusals.map(([pattern]) => pattern)].map((pattern) => `(?:${pattern})`).join("|") };
}
