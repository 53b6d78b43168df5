import {
  byteCount,
  CausewayError,
  fillTemplate,
  type Point,
  parseJsonPath,
  putByteValue,
  type Scalar,
  type SimulatedField,
  type SimulatedStation,
  type Station,
  utf8Encode,
  type Variables,
  valueAt,
  withValueAt,
} from "causeway/adapter";
import { protocolOf } from "./check.js";
import { byteFormatOf, type MqttLinkOptions, type MqttPoint } from "./options.js";
import { Message } from "./payload.js";
import { SmallBroker } from "./small-broker.js";

/** Stations that publish to a broker of their own, which keeps what they said, and that take commands and requests. */
export async function simulateMqtt(
  stations: readonly SimulatedStation<Variables, MqttPoint>[],
): Promise<SimulatedField<MqttLinkOptions>> {
  const broker = await SmallBroker.listen();
  const simulated = new Map(
    stations.map(({ station, points }) => [station.name, new Simulated(station, points, broker)]),
  );
  broker.onPublish = (topic, payload) => {
    for (const station of simulated.values()) station.hear(new Message(topic, payload, "live"));
  };
  const find = (name: string): Simulated => {
    const station = simulated.get(name);
    if (station === undefined) throw new CausewayError("INTERNAL", `no station '${name}' is simulated`);
    return station;
  };
  return {
    link: { host: "127.0.0.1", port: broker.port },
    set: (station, point, value) => find(station).set(point, value),
    get: (station, point) => find(station).get(point),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

class Simulated {
  readonly #name: string;
  readonly #variables: Variables;
  readonly #requests: readonly Message[];
  readonly #points: ReadonlyMap<string, Point<MqttPoint>>;
  readonly #values = new Map<string, Scalar>();
  readonly #payloads = new Map<string, Uint8Array>();
  readonly #broker: SmallBroker;

  constructor({ name, address, traits }: Station<Variables>, points: readonly Point<MqttPoint>[], broker: SmallBroker) {
    this.#name = name;
    this.#variables = address;
    this.#requests = (protocolOf(traits.protocol).request ?? []).map(
      ({ topic, payload = "" }) =>
        new Message(fillTemplate(topic, address), utf8Encode(fillTemplate(payload, address)), "live"),
    );
    this.#points = new Map(points.map((point) => [point.name, point]));
    this.#broker = broker;
  }

  set(name: string, value: Scalar): void {
    const point = this.#point(name);
    this.#values.set(name, value);
    const topic = fillTemplate(point.address.at.topic, this.#variables);
    const payload = this.#changed(this.#payloads.get(topic), point.address, value);
    this.#payloads.set(topic, payload);
    this.#broker.publish(topic, payload, "retained");
  }

  get(name: string): Scalar {
    this.#point(name);
    const value = this.#values.get(name);
    if (value === undefined) throw new CausewayError("INTERNAL", `${this.#name}.${name} has no value yet`);
    return value;
  }

  /** A request may have the topic of a command, as Tasmota has it, and is told from it by its payload. */
  hear(message: Message): void {
    const isRequest = this.#requests.some(({ topic, text }) => topic === message.topic && text === message.text);
    if (!isRequest) this.#command(message);
    else for (const [topic, payload] of this.#payloads) this.#broker.publish(topic, payload, "retained");
  }

  #command(message: Message): void {
    for (const { name, access, address } of this.#points.values()) {
      if (access === "r" || fillTemplate(address.write?.topic ?? address.at.topic, this.#variables) !== message.topic)
        continue;
      const value = commanded(message, address, this.#variables);
      if (value === undefined) continue;
      if (access === "rw") this.set(name, value);
      else this.#values.set(name, value);
    }
  }

  #point(name: string): Point<MqttPoint> {
    const point = this.#points.get(name);
    if (point === undefined) throw new CausewayError("INTERNAL", `${this.#name} has no point '${name}'`);
    return point;
  }

  #changed(present: Uint8Array | undefined, point: MqttPoint, value: Scalar): Uint8Array {
    const { at } = point;
    const format = byteFormatOf(point);
    if (format !== undefined) {
      const { offset = 0 } = at;
      const payload = new Uint8Array(Math.max(present?.length ?? 0, offset + byteCount(format)));
      payload.set(present ?? []);
      putByteValue(payload, offset, value, format);
      return payload;
    }
    if (at.json === undefined) return utf8Encode(String(value));
    const path = parseJsonPath(fillTemplate(at.json, this.#variables)) ?? [];
    const document: unknown = present === undefined ? undefined : JSON.parse(new TextDecoder().decode(present));
    return utf8Encode(JSON.stringify(withValueAt(document, path, value)));
  }
}

/** The value of a command, as `encodeCommand` puts it there. */
function commanded(message: Message, point: MqttPoint, variables: Variables): Scalar | undefined {
  const word = wordOfCommand(message, point, variables);
  const [value] = [...(point.write?.map ?? [])].find(([, own]) => own === word) ?? [word];
  return point.type === "boolean" && typeof value === "string" ? value === "true" : value;
}

function wordOfCommand(message: Message, point: MqttPoint, variables: Variables): Scalar | undefined {
  const { json, payload = "{value}" } = point.write ?? { ...point.at, payload: undefined };
  if (json !== undefined) {
    const { document } = message;
    const value =
      "problem" in document ? undefined : valueAt(document.value, parseJsonPath(fillTemplate(json, variables)) ?? []);
    return typeof value === "number" || typeof value === "boolean" || typeof value === "string" ? value : undefined;
  }
  const [before = "", after = ""] = fillTemplate(payload, new Map([...variables, ["value", "\0"]])).split("\0");
  const { text } = message;
  if (!text.startsWith(before) || !text.endsWith(after)) return undefined;
  const word = text.slice(before.length, text.length - after.length);
  return point.type === "number" && word !== "" ? Number(word) : word;
}
