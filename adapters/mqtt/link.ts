import {
  abortable,
  CausewayError,
  type Clock,
  concatBytes,
  FrameTrace,
  fillTemplate,
  type Link,
  type Log,
  type Point,
  printableText,
  type Reading,
  type Scalar,
  type Station,
  type TracedFrame,
  utf8Encode,
  type Variables,
  type WatchSink,
} from "causeway/adapter";
import type { Broker } from "./broker.js";
import { protocolOf } from "./check.js";
import { TopicListeners } from "./listeners.js";
import type { MqttPoint } from "./options.js";
import { encodeCommand, type Message } from "./payload.js";
import { StationEar } from "./station-ear.js";

/** Of a payload, in the trace. */
const TRACED_BYTES = 256;
const TRACED_MESSAGES = 64;

/** One session with a broker, heard by all its stations. */
export class MqttLink implements Link<Variables, MqttPoint> {
  readonly closed: Promise<Error>;
  readonly #broker: Broker;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new TopicListeners();
  readonly #trace: FrameTrace;

  constructor(broker: Broker, clock: Clock, log: Log) {
    this.#broker = broker;
    this.#clock = clock;
    this.#log = log;
    this.#trace = new FrameTrace(clock, TRACED_MESSAGES, printableText);
    this.closed = broker.closed;
    broker.listen((message) => this.#hear(message));
  }

  /** No point is planned into an exchange, so nobody asks. */
  async read(_station: Station<Variables>, points: readonly Point<MqttPoint>[]): Promise<readonly Reading[]> {
    const atMs = this.#clock.nowMs();
    return points.map(({ name }) => ({ point: name, atMs, quality: "never-read", reason: "topics cannot be asked" }));
  }

  async write(station: Station<Variables>, point: Point<MqttPoint>, value: Scalar, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { at, write } = point.address;
    const topic = fillTemplate(write?.topic ?? at.topic, station.address);
    const payload = encodeCommand(point.address, value, station.address);
    this.#traceMessage("out", topic, payload);
    const lasting = write?.retain === true ? "retained" : "once";
    try {
      await abortable(this.#broker.publish({ topic, payload, qos: write?.qos ?? 1, lasting }), signal);
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code !== "LINK_UNAUTHORIZED") throw error;
      throw new CausewayError("FIELD_NOT_WRITABLE", `${station.name}.${point.name}: ${error.message}`, {
        cause: error,
      });
    }
  }

  async watch(
    station: Station<Variables>,
    points: readonly Point<MqttPoint>[],
    sink: WatchSink,
    signal: AbortSignal,
  ): Promise<void> {
    const ear = new StationEar(station, points, sink, this.#clock);
    const listener = (message: Message): void => ear.hear(message);
    for (const topic of ear.topics) this.#listeners.add(topic, listener);
    const forget = (): void => {
      signal.removeEventListener("abort", forget);
      this.#broker.unsubscribe(ear.topics.filter((topic) => this.#listeners.delete(topic, listener)));
    };
    signal.addEventListener("abort", forget, { once: true });
    try {
      if (ear.topics.length > 0) await this.#broker.subscribe(ear.topics);
      ear.onReturn = () => void this.#request(station);
      await this.#request(station);
    } catch (error) {
      forget();
      throw error;
    }
  }

  trace(): readonly TracedFrame[] {
    return this.#trace.frames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
  }

  #hear(message: Message): void {
    this.#traceMessage("in", message.topic, message.payload);
    this.#listeners.dispatch(message);
  }

  /** Asks the station for its state, where its profile knows how; that it may not is no reason not to hear it. */
  async #request({ name, address, traits }: Station<Variables>): Promise<void> {
    for (const { topic, payload = "" } of protocolOf(traits.protocol).request ?? []) {
      const publication = { topic: fillTemplate(topic, address), payload: utf8Encode(fillTemplate(payload, address)) };
      this.#traceMessage("out", publication.topic, publication.payload);
      try {
        await this.#broker.publish({ ...publication, qos: 0, lasting: "once" });
      } catch (error) {
        this.#log.warn("device cannot be asked for its state", { device: name, topic: publication.topic, error });
        return;
      }
    }
  }

  #traceMessage(direction: "in" | "out", topic: string, payload: Uint8Array): void {
    // A copy: a part of the payload would keep the whole block alive that came from the socket.
    this.#trace.add(direction, concatBytes([utf8Encode(`${topic} `), payload.subarray(0, TRACED_BYTES)]));
  }
}
