import {
  type DeviceTraits,
  fillTemplate,
  groupCount,
  type Point,
  parseJsonPath,
  type Variables,
  variablesOf,
} from "causeway/adapter";
import { type Availability, bytesProblem, type MqttLinkOptions, type MqttPoint, type MqttProtocol } from "./options.js";
import { topicProblem } from "./topic.js";

const SCHEMES = ["mqtt:", "mqtts:"];

export function linkProblem({ url, host, port, cert, key }: MqttLinkOptions): string | undefined {
  if ((cert === undefined) !== (key === undefined)) return "'cert' and 'key' go together";
  if (url === undefined) return host === undefined ? "'url' or 'host' is missing" : undefined;
  if (host !== undefined || port !== undefined) return "'url' has host and port already";
  if (!URL.canParse(url)) return "'url' is not like mqtt://host:1883";
  const { protocol, username, password, hostname, pathname } = new URL(url);
  if (!SCHEMES.includes(protocol)) return "'url' begins with mqtt:// or, for TLS, mqtts://";
  if (username !== "" || password !== "") return "'url' must not have a user, which logs would show: use 'username'";
  if (hostname === "") return "'url' names no host";
  return pathname === "" || pathname === "/" ? undefined : "'url' has no path";
}

export function pointProblem(
  point: MqttPoint,
  _traits: DeviceTraits,
  access: Point<MqttPoint>["access"],
): string | undefined {
  const { at, write } = point;
  const topics = [at.topic, ...(write === undefined ? [] : [write.topic])].map(topicProblem);
  const paths = [at.json, write?.json].map(pathProblem);
  const problem = [...topics, ...paths, matchProblem(at.match), bytesProblem(point)].find((text) => text !== undefined);
  if (problem !== undefined) return problem;
  if (access === "rw" && write === undefined) return "access rw needs 'write' with the topic for commands";
  if (write === undefined) return undefined;
  if (write.topic === at.topic) return "'write' has the topic of 'at': what is written would confirm itself";
  if (write.json !== undefined && write.payload !== undefined) return "'write' has either 'json' or 'payload'";
  const { payload = "{value}" } = write;
  return payload.includes("{value}") ? undefined : "'write.payload' has no {value}";
}

export function traitsProblem({ protocol }: DeviceTraits): string | undefined {
  const { availability, request } = protocolOf(protocol);
  const listed = availabilities(availability);
  const topics = [...listed, ...(request ?? [])].map(({ topic }) => topicProblem(topic));
  return [...topics, ...listed.map(({ json }) => pathProblem(json))].find((problem) => problem !== undefined);
}

export function stationProblem(
  variables: Variables,
  points: readonly Point<MqttPoint>[],
  { protocol }: DeviceTraits,
): string | undefined {
  const { availability, request = [] } = protocolOf(protocol);
  const listed = availabilities(availability);
  const addresses = points.map(({ address }) => address);
  const topics = [
    ...addresses.flatMap(({ at, write }) => [at.topic, write?.topic]),
    ...[...listed, ...request].map(({ topic }) => topic),
  ].filter((topic) => topic !== undefined);
  const others = [
    ...addresses.flatMap(({ at, write }) => [at.json, write?.json, write?.payload?.replaceAll("{value}", "")]),
    ...listed.map(({ json }) => json),
    ...request.map(({ payload }) => payload),
  ].filter((text) => text !== undefined);
  const missing = new Set([...topics, ...others].flatMap(variablesOf).filter((name) => !variables.has(name)));
  if (missing.size > 0) {
    return `the profile's topics need ${[...missing].join(", ")}, e.g. address: { ${[...missing][0]}: "…" }`;
  }
  const filled = [...new Set(topics)].map((topic) => topicProblem(fillTemplate(topic, variables)));
  return filled.find((problem) => problem !== undefined);
}

/** The adapter's own schema has read it. */
export function protocolOf(protocol: unknown): MqttProtocol {
  return protocol === undefined ? {} : (protocol as MqttProtocol);
}

export function availabilities(availability: MqttProtocol["availability"]): readonly Availability[] {
  if (availability === undefined) return [];
  return isList(availability) ? availability : [availability];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function pathProblem(path: string | undefined): string | undefined {
  if (path === undefined || parseJsonPath(path) !== undefined) return undefined;
  return `'${path}' is no path such as $.a.b[0]; keys with odd characters go in quotes`;
}

function matchProblem(pattern: string | undefined): string | undefined {
  if (pattern === undefined) return undefined;
  const groups = groupCount(pattern);
  if (groups === undefined) return `'${pattern}' is no regular expression`;
  return groups === 0 ? "'match' needs a group, in parentheses, around the value" : undefined;
}
