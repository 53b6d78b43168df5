import {
  BYTE_ORDERS,
  BYTE_TYPES,
  type ByteFormat,
  byteFormatProblem,
  isByteType,
  type ObjectSchema,
  object,
  type ScalarKind,
  schema,
} from "causeway/adapter";

/** `url` is `mqtt://host:port` or `mqtts://host:port`, in the place of `host` and `port`. */
export interface MqttLinkOptions {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  /** Unlike any other client's of the broker; made of the names of link and host unless given. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  /** Paths of PEM files; any of them means TLS. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whom the broker's certificate must name; the host unless given. */
  readonly serverName?: string;
  /** Milliseconds without a word of ours after which the broker is asked whether it is there. */
  readonly keepalive?: number;
  readonly connectTimeout?: number;
  /** Protocol level: 4 is MQTT 3.1.1. */
  readonly protocol?: number;
  /** Whether the broker forgets the session at its end, which it does unless this is false. */
  readonly clean?: boolean;
}

export const linkSchema: ObjectSchema<MqttLinkOptions> = object(
  {},
  {
    url: schema.string,
    host: schema.string,
    port: schema.integer(1, 65535),
    clientId: schema.string,
    username: schema.string,
    password: schema.string,
    ca: schema.string,
    cert: schema.string,
    key: schema.string,
    serverName: schema.string,
    keepalive: schema.refine(schema.durationMs, (ms) =>
      ms >= 1000 && ms <= 65_535_000 ? undefined : "from 1s to 65535s",
    ),
    connectTimeout: schema.durationMs,
    protocol: schema.integer(4, 5),
    clean: schema.boolean,
  },
);

export const VALUE_TYPES = ["number", "boolean", "string", ...BYTE_TYPES] as const;

/** Where a value stands in what is published; every part after the topic narrows down what the one before gave. */
export interface MqttPlace {
  readonly topic: string;
  /** Path in a JSON payload; without it the whole payload is the value. */
  readonly json?: string;
  /** Regular expression for a text; its first group is the value. */
  readonly match?: string;
  /** First byte of a number in a binary payload. */
  readonly offset?: number;
}

export interface MqttWrite {
  readonly topic: string;
  /** Path of the value in a JSON payload that has nothing else. */
  readonly json?: string;
  /** Text with `{value}` in it. */
  readonly payload?: string;
  /** Words of the command by the value as the state has it, where both differ: `true: on`. */
  readonly map?: ReadonlyMap<string, string>;
  readonly qos?: number;
  readonly retain?: boolean;
}

export interface MqttPoint {
  readonly at: MqttPlace;
  /** What JSON says unless given, of other payloads: text. */
  readonly type?: (typeof VALUE_TYPES)[number];
  readonly order?: ByteFormat["order"];
  readonly bits?: NonNullable<ByteFormat["bits"]>;
  /** Where commands go; a point that is only written needs none, its `at` is that. */
  readonly write?: MqttWrite;
}

const place: ObjectSchema<MqttPlace> = object(
  { topic: schema.string },
  { json: schema.string, match: schema.string, offset: schema.integer(0, 262_143) },
);

const write: ObjectSchema<MqttWrite> = object(
  { topic: schema.string },
  {
    json: schema.string,
    payload: schema.string,
    map: schema.record(schema.string),
    qos: schema.integer(0, 2),
    retain: schema.boolean,
  },
);

export const pointSchema: ObjectSchema<MqttPoint> = object(
  { at: place },
  {
    type: schema.oneOf(...VALUE_TYPES),
    order: schema.oneOf(...BYTE_ORDERS),
    bits: object({ at: schema.integer(0, 63) }, { width: schema.integer(1, 63) }),
    write,
  },
);

/** A topic that tells whether a station is there, mostly a last will. */
export interface Availability {
  readonly topic: string;
  readonly json?: string;
  /** `offline` unless given. */
  readonly offline?: string;
  /** When given, every other word means that the station is gone. */
  readonly online?: string;
}

/** What a profile says under `protocol`. */
export interface MqttProtocol {
  readonly availability?: Availability | readonly Availability[];
  /** What a value that the broker kept is worth; good unless given. */
  readonly retained?: "good" | "stale" | "ignore";
  /** Published after each connect, so that stations tell their state. */
  readonly request?: readonly { readonly topic: string; readonly payload?: string }[];
}

const availability: ObjectSchema<Availability> = object(
  { topic: schema.string },
  { json: schema.string, offline: schema.string, online: schema.string },
);

export const protocolSchema: ObjectSchema<MqttProtocol> = object(
  {},
  {
    availability: schema.union(availability, schema.list(availability)),
    retained: schema.oneOf("good", "stale", "ignore"),
    request: schema.list(object({ topic: schema.string }, { payload: schema.string })),
  },
);

export const stationSchema = schema.record(schema.string);

export function byteFormatOf({ type, order, bits }: MqttPoint): ByteFormat | undefined {
  if (type === undefined || !isByteType(type)) return undefined;
  return { type, ...(order === undefined ? {} : { order }), ...(bits === undefined ? {} : { bits }) };
}

export function kindOf({ type }: MqttPoint): ScalarKind | undefined {
  return type === undefined || type === "boolean" || type === "string" ? type : "number";
}

export function bytesProblem(point: MqttPoint): string | undefined {
  const { at, order, bits } = point;
  const format = byteFormatOf(point);
  if (format === undefined) {
    const surplus = at.offset !== undefined || order !== undefined || bits !== undefined;
    return surplus ? `only numbers of bytes (${BYTE_TYPES.join(", ")}) have 'offset', 'order' and 'bits'` : undefined;
  }
  if (at.offset === undefined) return `${format.type} needs 'at.offset', the first byte in the payload`;
  if (at.json !== undefined || at.match !== undefined) return `${format.type} has no 'json' and 'match'`;
  return byteFormatProblem(format);
}
