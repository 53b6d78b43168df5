import {
  type Clock,
  fillTemplate,
  type Point,
  parseJsonPath,
  type Reading,
  type Station,
  type Variables,
  valueAt,
  type WatchSink,
} from "causeway/adapter";
import { availabilities, protocolOf } from "./check.js";
import type { Availability, MqttPoint, MqttProtocol } from "./options.js";
import { type Decode, type Decoded, decoderOf, MAX_PAYLOAD_BYTES, type Message } from "./payload.js";

interface NamedDecoder {
  readonly point: string;
  readonly decode: Decode;
}

/** Makes readings of one station's messages, and knows whether it is said to be there. */
export class StationEar {
  /** Topics of availability first: what the broker kept of them comes before the values. */
  readonly topics: readonly string[];
  /** The station is there again after it was said to be gone. */
  onReturn: () => void = () => undefined;
  readonly #decoders = new Map<string, NamedDecoder[]>();
  readonly #availabilities: ReadonlyMap<string, readonly Availability[]>;
  readonly #retained: NonNullable<MqttProtocol["retained"]>;
  readonly #sink: WatchSink;
  readonly #clock: Clock;
  /** Topics that say the station is gone. */
  readonly #absent = new Set<string>();
  /** Topics that were heard live: what the broker kept of them, and sends again when others subscribe, is older. */
  readonly #live = new Set<string>();
  /** What each point was last, for a station that comes back without telling it again. */
  readonly #last = new Map<string, Reading>();

  constructor(station: Station<Variables>, points: readonly Point<MqttPoint>[], sink: WatchSink, clock: Clock) {
    const { address: variables, traits } = station;
    const { availability, retained = "good" } = protocolOf(traits.protocol);
    this.#sink = sink;
    this.#clock = clock;
    this.#retained = retained;
    for (const { name, address } of points) {
      const topic = fillTemplate(address.at.topic, variables);
      const decoder = { point: name, decode: decoderOf(address, variables) };
      this.#decoders.set(topic, [...(this.#decoders.get(topic) ?? []), decoder]);
    }
    const filled = availabilities(availability).map((one) => ({
      ...one,
      topic: fillTemplate(one.topic, variables),
      ...(one.json === undefined ? {} : { json: fillTemplate(one.json, variables) }),
    }));
    const names = [...new Set(filled.map(({ topic }) => topic))];
    this.#availabilities = new Map(names.map((name) => [name, filled.filter(({ topic }) => topic === name)]));
    this.topics = [...new Set([...names, ...this.#decoders.keys()])];
  }

  hear(message: Message): void {
    if (message.origin === "live") this.#live.add(message.topic);
    else if (this.#live.has(message.topic)) return;
    const availability = this.#availabilities.get(message.topic);
    if (availability !== undefined) this.#hearAvailability(message, availability);
    const decoders = this.#decoders.get(message.topic);
    if (decoders !== undefined) this.#hearValues(message, decoders);
  }

  #hearValues(message: Message, decoders: readonly NamedDecoder[]): void {
    const isRetained = message.origin === "retained";
    if (isRetained && this.#retained === "ignore") return;
    const readings = this.#readingsOf(message, decoders);
    if (readings.length === 0) return;
    for (const reading of readings) this.#last.set(reading.point, reading);
    // What the broker kept does not prove that a station is there which is said to be gone.
    if (!isRetained || this.#absent.size === 0) this.#sink.readings(readings);
  }

  #readingsOf(message: Message, decoders: readonly NamedDecoder[]): Reading[] {
    const atMs = this.#clock.nowMs();
    const size = message.payload.length;
    const tooLarge: Decoded = { quality: "invalid", reason: `a payload of ${size} bytes is too large` };
    const readings: Reading[] = [];
    for (const { point, decode } of decoders) {
      const decoded = size > MAX_PAYLOAD_BYTES ? tooLarge : decode(message);
      if (decoded === undefined) continue;
      const isKept = message.origin === "retained" && this.#retained === "stale" && decoded.quality === "good";
      if (!isKept) readings.push({ point, atMs, ...decoded });
      else readings.push({ point, atMs, quality: "stale", reason: "kept by the broker", value: decoded.value });
    }
    return readings;
  }

  #hearAvailability(message: Message, listed: readonly Availability[]): void {
    const { topic } = message;
    const wasAbsent = this.#absent.size > 0;
    const word = listed.map((availability) => absence(message, availability)).find((text) => text !== undefined);
    if (word === undefined) this.#absent.delete(topic);
    else this.#absent.add(topic);
    if (!wasAbsent && word !== undefined) this.#sink.gone(`${topic} says '${word}'`);
    if (!wasAbsent || this.#absent.size > 0) return;
    if (this.#last.size > 0) this.#sink.readings([...this.#last.values()]);
    this.onReturn();
  }
}

/** The word that says the station is gone; undefined when it is there. */
function absence(message: Message, { json, offline = "offline", online }: Availability): string | undefined {
  const word = wordOf(message, json);
  if (word === undefined) return undefined;
  return word === offline || (online !== undefined && word !== online) ? word.slice(0, 40) : undefined;
}

/** Where JSON is expected but plain text comes, the text counts: older versions of bridges send that. */
function wordOf(message: Message, json: string | undefined): string | undefined {
  if (message.payload.length > MAX_PAYLOAD_BYTES) return undefined;
  const { document } = message;
  if (json === undefined || "problem" in document) return message.text.trim();
  const value = valueAt(document.value, parseJsonPath(json) ?? []);
  return value === undefined || value === null ? undefined : String(value);
}
