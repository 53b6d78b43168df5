import { CausewayError } from "./base/errors.js";
import type { Entry, NamedPath } from "./lwm2m/codec/codec.js";
import { ContentFormat, codecFor } from "./lwm2m/codec/formats.js";
import { parseName } from "./lwm2m/codec/senml.js";
import { isHidden, read } from "./lwm2m/operation/operations.js";
import { formatPath, type Path } from "./lwm2m/path.js";
import type { ObjectTree } from "./lwm2m/tree.js";
import type { Value } from "./lwm2m/value.js";
import { MQTT_BROKER } from "./mqtt-broker.js";
import { bad } from "./server-instances.js";

export const MQTT_PUBLICATION = 18831;
export const PublicationId = { source: 0, broker: 1, topic: 2, qos: 3, retain: 4, active: 5, encoding: 6 } as const;

/** "As the implementation likes". */
const ANY_ENCODING = 65_535;
const MAX_SOURCES = 64;

/** What resources 0 to 6 of an instance say. */
export interface PublicationSettings {
  /** Without any: what devices tell anew. */
  readonly sources: readonly NamedPath[];
  readonly brokerId: number;
  readonly topic: string;
  readonly qos: number;
  readonly lasting: "retained" | "once";
  readonly contentFormat: number;
}

/** Undefined while the instance is not whole, or not active. Throws LWM2M_BAD_REQUEST. Pure. */
export function publicationOf(tree: ObjectTree, instanceId: number): PublicationSettings | undefined {
  const at = (id: number): Value | undefined => tree.resource(MQTT_PUBLICATION, instanceId, id)?.samples.get(0)?.value;
  const source = at(PublicationId.source);
  const broker = at(PublicationId.broker);
  const topic = at(PublicationId.topic);
  const encoding = Number(at(PublicationId.encoding) ?? ANY_ENCODING);
  if (at(PublicationId.active) === false || source === undefined || topic === undefined) return undefined;
  if (typeof broker !== "object" || !("instanceId" in broker)) return undefined;
  return {
    sources: sourcesOf(String(source)),
    brokerId: broker.instanceId,
    topic: String(topic),
    qos: Number(at(PublicationId.qos) ?? 0),
    lasting: at(PublicationId.retain) === true ? "retained" : "once",
    contentFormat: encoding === ANY_ENCODING ? ContentFormat.senmlJson : encoding,
  };
}

/**
 * `</3303/0/5700>; </3336/0>`, as the object's definition has it, or with commas, as RFC 6690 has; behind the gateway
 * `</d01/3303/0>`. Throws LWM2M_BAD_REQUEST.
 */
export function sourcesOf(text: string): readonly NamedPath[] {
  if (text.trim() === "") return [];
  const links = text.split(/[;,]/).map((link) => /^<(\/[^<>]*)>$/.exec(link.trim())?.[1]);
  if (links.length > MAX_SOURCES) throw bad(`there are more than ${MAX_SOURCES} sources`);
  return links.map((link) => {
    if (link === undefined) throw bad("the source is not like </3303/0/5700>;</3336/0>");
    const named = nameOf(link);
    const [objectId] = named.path;
    if (objectId === undefined) throw bad(`'${link}' names no object`);
    if (isSecret(objectId)) throw bad(`object ${objectId} is not published, it holds secrets`);
    return named;
  });
}

/** What is wrong with a source as a server writes it. */
export function sourceProblem(value: Value): string | undefined {
  return complaintOf(() => sourcesOf(String(value)));
}

export function encodingProblem(value: Value): string | undefined {
  const contentFormat = Number(value);
  const isKnown = (["value", "values", "composite"] as const).some((use) => codecFor(contentFormat, use) !== undefined);
  return isKnown || contentFormat === ANY_ENCODING ? undefined : `content format ${contentFormat} is not known here`;
}

/** MQTT 3.1.1 §4.7.1, §4.7.3. */
export function topicProblem(value: Value): string | undefined {
  const topic = String(value);
  if (topic === "" || /[+#\0]/.test(topic)) return "a topic is not empty and has no '+', '#' and NUL";
  return Buffer.byteLength(topic) > 65_535 ? "a topic has at most 65535 bytes" : undefined;
}

/** What the paths hold now, with the times of measurement; what is not there is left out. */
export function entriesOf(
  paths: readonly NamedPath[],
  treeOf: (prefix: string | undefined) => ObjectTree | undefined,
  nowMs: number,
): readonly Entry[] {
  return paths.flatMap(({ path, prefix }) => {
    const tree = treeOf(prefix);
    if (tree === undefined) return [];
    return readSoFar(tree, path, nowMs).map((entry) => ({
      ...entry,
      ...(prefix === undefined ? {} : { prefix }),
      atMs: measuredMs(tree, entry.path) ?? nowMs,
    }));
  });
}

/** Throws LWM2M_NOT_ACCEPTABLE when the format cannot carry them. */
export function encodePublication(
  { sources, contentFormat }: PublicationSettings,
  entries: readonly Entry[],
  nowMs: number,
): Uint8Array {
  const [only] = sources.length === 1 ? sources : [];
  const use = only === undefined ? "composite" : entries.length === 1 && only.path.length > 2 ? "value" : "values";
  const codec = codecFor(contentFormat, use) ?? (use === "value" ? codecFor(contentFormat, "values") : undefined);
  if (codec === undefined || (contentFormat === ContentFormat.opaque && entries[0]?.type !== "opaque")) {
    throw new CausewayError(
      "LWM2M_NOT_ACCEPTABLE",
      `content format ${contentFormat} cannot carry what is to be published`,
    );
  }
  return codec.encode(entries, { target: only?.path ?? [], nowMs, times: "all" });
}

function readSoFar(tree: ObjectTree, path: Path, nowMs: number): readonly Entry[] {
  try {
    return read(tree, path, nowMs).entries;
  } catch (error) {
    if (error instanceof CausewayError && error.code === "LWM2M_NOT_FOUND") return [];
    throw error;
  }
}

function measuredMs(tree: ObjectTree, [objectId = -1, instanceId = -1, resourceId = -1, part = 0]: Path) {
  const resource = tree.resource(objectId, instanceId, resourceId);
  return resource?.handler.read === undefined ? resource?.samples.get(part)?.atMs : undefined;
}

function nameOf(link: string): NamedPath {
  try {
    return parseName(link);
  } catch {
    throw bad(`'${link}' is not a path`);
  }
}

function isSecret(objectId: number): boolean {
  return isHidden(objectId) || objectId === MQTT_BROKER;
}

function complaintOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof CausewayError) return error.message;
    throw error;
  }
}

/** For the log and the field: no device of the configuration can have this name. */
export function publicationName(instanceId: number): string {
  return formatPath([MQTT_PUBLICATION, instanceId]);
}
