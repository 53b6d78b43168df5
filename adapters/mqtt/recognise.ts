import {
  type DeviceTraits,
  fillTemplate,
  type Point,
  type ProfileCandidate,
  type Variables,
  variablesOf,
} from "causeway/adapter";
import { availabilities, protocolOf } from "./check.js";
import type { MqttPoint } from "./options.js";
import { decoderOf, type Message } from "./payload.js";
import { matchTopic } from "./topic.js";

/** How a station that was heard fits a profile. */
export interface Fit {
  readonly profile: string;
  /** Points of the profile that have a good value in what was heard, and all that can be read. */
  readonly good: number;
  readonly readable: number;
}

export interface RecognisedStation {
  readonly address: Variables;
  readonly topics: readonly string[];
  /** The best first. */
  readonly fits: readonly Fit[];
}

export interface Recognised {
  readonly stations: readonly RecognisedStation[];
  /** Topics that no profile makes anything of. */
  readonly others: readonly Message[];
}

/** Takes the last message of each topic apart by the topics of profiles. Pure. */
export function recognise(
  messages: ReadonlyMap<string, Message>,
  profiles: readonly ProfileCandidate<MqttPoint>[],
): Recognised {
  const stations = new Map<string, { address: Variables; topics: Set<string>; fits: Fit[] }>();
  const known = new Set<string>();
  for (const { name, points, traits } of profiles) {
    const readable = points.filter(({ access }) => access !== "w");
    for (const address of addressesOf(messages, readable)) {
      const topics = topicsWithValues(messages, readable, address);
      if (topics.length === 0) continue;
      const key = JSON.stringify([...address].sort());
      const station = stations.get(key) ?? { address, topics: new Set<string>(), fits: [] };
      stations.set(key, station);
      for (const topic of topics) station.topics.add(topic);
      for (const topic of [...station.topics, ...availabilityTopics(traits, address)]) known.add(topic);
      station.fits.push({ profile: name, good: topics.length, readable: readable.length });
    }
  }
  const recognised = [...stations.values()].map(({ address, topics, fits }) => ({
    address,
    topics: [...topics],
    fits: fits.toSorted((a, b) => b.good / b.readable - a.good / a.readable || b.good - a.good),
  }));
  return { stations: recognised, others: [...messages.values()].filter(({ topic }) => !known.has(topic)) };
}

function availabilityTopics({ protocol }: DeviceTraits, address: Variables): readonly string[] {
  const { availability } = protocolOf(protocol);
  return availabilities(availability).map(({ topic }) => fillTemplate(topic, address));
}

/** Every address for which a topic of the profile was heard. */
function addressesOf(messages: ReadonlyMap<string, Message>, points: readonly Point<MqttPoint>[]): Variables[] {
  const found = new Map<string, Variables>();
  const needed = new Set(points.flatMap(({ address: { at } }) => [at.topic, at.json ?? ""].flatMap(variablesOf)));
  for (const template of new Set(points.map(({ address }) => address.at.topic))) {
    for (const message of messages.values()) {
      const variables = matchTopic(template, message.topic);
      if (variables === undefined || variables.size === 0) continue;
      for (const complete of completed(variables, needed, message)) found.set(JSON.stringify([...complete]), complete);
    }
  }
  return [...found.values()];
}

/** One variable that only paths in JSON have may be any of the document's maps; more cannot be guessed. */
function completed(variables: Variables, needed: ReadonlySet<string>, message: Message): readonly Variables[] {
  const missing = [...needed].filter((name) => !variables.has(name));
  const [name] = missing;
  if (name === undefined) return [variables];
  const { document } = message;
  if (missing.length > 1 || "problem" in document || typeof document.value !== "object" || document.value === null) {
    return [];
  }
  const maps = Object.entries(document.value).filter(([, value]) => typeof value === "object" && value !== null);
  return maps.map(([key]) => new Map([...variables, [name, key]]));
}

/** For each point that has a good value: its topic. */
function topicsWithValues(
  messages: ReadonlyMap<string, Message>,
  points: readonly Point<MqttPoint>[],
  variables: Variables,
): readonly string[] {
  return points.flatMap(({ address }) => {
    const topic = fillTemplate(address.at.topic, variables);
    const message = messages.get(topic);
    const decoded = message === undefined ? undefined : decoderOf(address, variables)(message);
    return decoded?.quality === "good" ? [topic] : [];
  });
}
