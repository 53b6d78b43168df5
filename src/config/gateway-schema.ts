import { formatHostPort, type HostPort, parseHostPort } from "../base/host-port.js";
import { LOG_LEVELS } from "../base/log.js";
import { object } from "../base/object-schema.js";
import {
  boolean,
  durationMs,
  type Infer,
  integer,
  list,
  located,
  oneOf,
  record,
  refine,
  type Schema,
  sizeBytes,
  string,
} from "../base/schema.js";
import { plain, reportSection } from "../mapping/point-schema.js";
import { bootstrapSection } from "./bootstrap.js";
import { FURTHER_OBJECT_NAMES } from "./further-objects.js";
import { rightsSection } from "./rights.js";
import { historySetting, securitySetting, serverUri, unread } from "./server-settings.js";

const deviceName: Schema<string> = refine(string, (name) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? undefined : "a name has letters, digits, '.', '_' and '-' only",
);

/** Endpoint name, so that `ep=` and it fit one Uri-Query option of at most 255 bytes (RFC 7252 §5.10). */
const deviceId: Schema<string> = refine(string, (id) =>
  /^[^\s\p{C}]+$/u.test(id) && Buffer.byteLength(id) <= 252
    ? undefined
    : "an id has 1 to 252 bytes, without white space; a URN such as urn:dev:os:32473-101 is best",
);

/** One path segment that cannot be taken for an object id (OMA LwM2M Gateway 1.1.1). */
const prefix: Schema<string> = refine(string, (text) =>
  /^(?!\d+$)[A-Za-z0-9._-]{1,16}$/.test(text)
    ? undefined
    : "a prefix has 1 to 16 letters, digits, '.', '_', '-', not digits only",
);

/** What the paths of the registration and bootstrap interfaces begin with (OMA LwM2M Transport 1.2 §6.4). */
const INTERFACES: ReadonlySet<string> = new Set(["rd", "dp", "bs", "bspack"]);

/** Also a part of every name in SenML, so it is better short. */
const alternatePath: Schema<string> = refine(string, (text) => {
  const segments = text.split("/");
  const taken = segments.find((segment) => INTERFACES.has(segment));
  if (taken !== undefined) return `'${taken}' belongs to the server`;
  return text.length <= 64 && segments.every((segment) => /^(?!\d+$|\.{1,2}$)[A-Za-z0-9._-]+$/.test(segment))
    ? undefined
    : "a path has up to 64 letters, digits, '.', '_', '-', in segments with '/' between, none digits only, such as lwm2m";
});

export const gatewaySection = object(
  { endpoint: string },
  {
    path: alternatePath,
    expose: oneOf("flat", "gateway", "endpoints"),
    state: string,
    log: oneOf(...LOG_LEVELS),
    models: located(string),
    onStop: oneOf("deregister", "keep"),
    objects: list(oneOf(...FURTHER_OBJECT_NAMES)),
    conformance: oneOf("none", "oma-ets"),
  },
);

/** OMA LwM2M Core 1.2 §6.2.1 */
const profileId: Schema<string> = refine(string, (id) =>
  /^(\d+:[\da-f]+|(oma|v):[A-Za-z\d-]+)$/.test(id) ? undefined : `'${id}' is not a profile id such as 6:27354b9a`,
);

/** The resources 13 to 20 of object 1 (OMA LwM2M Core 1.2 §6.2.1.1). */
const registrationSection = object(
  {},
  {
    priority: integer(0, 0xffff_ffff),
    onFailure: oneOf("block", "proceed"),
    bootstrapOnFailure: boolean,
    initialDelay: durationMs,
    retryCount: integer(1, 0xffff_ffff),
    retryTimer: durationMs,
    sequenceDelay: durationMs,
    sequenceRetryCount: integer(1, 0xffff_ffff),
  },
);

export const serverSection = object(
  { uri: serverUri },
  {
    shortServerId: integer(1, 65534),
    lifetime: durationMs,
    security: securitySetting,
    queueMode: boolean,
    awakeTime: durationMs,
    profile: object({ id: profileId }, { objects: oneOf("omitted", "sent") }),
    registration: registrationSection,
    history: historySetting,
    notify: oneOf("confirmable", "non-confirmable"),
    rights: rightsSection,
  },
);

export const deviceSection = object(
  { name: deviceName, link: string, profile: string },
  {
    address: unread,
    id: deviceId,
    prefix,
    expose: oneOf("flat", "gateway", "endpoints"),
    poll: object({}, { fast: durationMs, normal: durationMs, slow: durationMs }),
    report: record(reportSection),
    manual: record(plain),
    parameters: record(located(plain)),
  },
);

export const outboxSection = object(
  {},
  { maxSize: sizeBytes, maxAge: durationMs, overflow: oneOf("drop-oldest", "drop-newest") },
);

const listen: Schema<HostPort> = {
  json: string.json,
  read(source, path, problems) {
    const text = string.read(source, path, problems);
    const address = text === undefined ? undefined : parseHostPort(text);
    if (text !== undefined && address === undefined) {
      problems.add(source.at, path, `'${text}' is not HOST:PORT such as ${formatHostPort(DEFAULT_LISTEN)}`);
    }
    return address;
  },
};

/** Of the status API; nobody else on the network sees it. */
export const DEFAULT_LISTEN: HostPort = { host: "127.0.0.1", port: 8474 };

export const localSection = object({}, { listen });

/**
 * The whole file; links are read with the schema of their adapter afterwards. No key is required here, so that the rest
 * is checked even when `gateway` or `servers` has a mistake.
 */
export const configFile = object(
  {},
  {
    gateway: located(gatewaySection),
    servers: list(located(serverSection)),
    mappings: list(located(string)),
    links: record(unread),
    devices: list(located(deviceSection)),
    outbox: outboxSection,
    local: localSection,
    bootstrap: located(bootstrapSection),
  },
);

export type ConfigFile = Infer<typeof configFile>;
export type DeviceSection = Infer<typeof deviceSection>;
export type GatewaySection = Infer<typeof gatewaySection>;
export type ServerSection = Infer<typeof serverSection>;
