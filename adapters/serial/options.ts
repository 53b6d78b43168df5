import {
  BYTE_ORDERS,
  BYTE_TYPES,
  type ByteFormat,
  fromHex,
  type ObjectSchema,
  object,
  type SerialLineOptions,
  schema,
} from "causeway/adapter";
import { CHECKSUM_TYPES, type Checksum } from "./checksum.js";
import type { Framing } from "./framer.js";

/** `port` is the path of a serial port or, with `host`, the number of a serial server's TCP port. */
export interface SerialLinkOptions {
  readonly port: number | string;
  readonly host?: string;
  readonly baudRate?: number;
  readonly dataBits?: number;
  readonly parity?: "none" | "even" | "odd";
  readonly stopBits?: number;
  readonly connectTimeout?: number;
}

export const linkSchema: ObjectSchema<SerialLinkOptions> = object(
  { port: schema.union(schema.integer(1, 65535), schema.string) },
  {
    host: schema.string,
    baudRate: schema.integer(50, 4_000_000),
    dataBits: schema.integer(7, 8),
    parity: schema.oneOf("none", "even", "odd"),
    stopBits: schema.integer(1, 2),
    connectTimeout: schema.durationMs,
  },
);

/** What is usual where nothing is given: 9600 8N1. */
export function serialSettings(options: SerialLinkOptions): Omit<SerialLineOptions, "path"> {
  return {
    baudRate: options.baudRate ?? 9600,
    dataBits: options.dataBits === 7 ? 7 : 8,
    parity: options.parity ?? "none",
    stopBits: options.stopBits === 2 ? 2 : 1,
  };
}

/** Fields of an address, for `{name}` in requests; numbers as they stand. */
export const stationSchema: schema.Schema<ReadonlyMap<string, string>> = schema.map(
  schema.record(schema.union(schema.string, schema.integer())),
  (fields) => new Map([...fields].map(([name, value]) => [name, String(value)])),
);

/** Text, or bytes in hexadecimal digits; `{name}` stands for a field of the address, in hex for its number as a byte. */
export type Template = { readonly text: string } | { readonly hex: string };

const hexDigits: ObjectSchema<{ readonly hex: string }> = object({ hex: schema.string });
const template: schema.Schema<Template> = schema.union(
  schema.map(schema.string, (text): Template => ({ text })),
  hexDigits,
);

const bytes: schema.Schema<Uint8Array> = schema.union(
  schema.map(schema.string, (text) => new Uint8Array(Buffer.from(text, "latin1"))),
  schema.map(
    schema.refine(hexDigits, ({ hex }) => (isHex(hex) ? undefined : `'${hex}' is not hexadecimal`)),
    ({ hex }) => fromHex(hex),
  ),
);

function isHex(text: string): boolean {
  return /^(\s*[0-9a-fA-F]{2})+\s*$/.test(text);
}

/** A regular expression for a frame of text, or the bytes that it begins with. */
export type Match = { readonly text: string } | { readonly start: Uint8Array };

const match: schema.Schema<Match> = schema.union(
  schema.map(schema.string, (text): Match => ({ text })),
  schema.map(
    schema.refine(hexDigits, ({ hex }) => (isHex(hex) ? undefined : `'${hex}' is not hexadecimal`)),
    ({ hex }): Match => ({ start: fromHex(hex) }),
  ),
);

/** A kind of frame: one that is asked for, or, without a request, one that comes on its own. */
export interface FrameKind {
  /** Every frame unless given. */
  readonly match?: Match;
  readonly request?: Template;
  /** Milliseconds that its answer may take; those of the device unless given. */
  readonly timeout?: number;
  /** By the pattern of a frame: what it says instead of values, e.g. that the device is busy. */
  readonly refusals?: ReadonlyMap<string, string>;
}

const frameKind: ObjectSchema<FrameKind> = object(
  {},
  { match, request: template, timeout: schema.durationMs, refusals: schema.record(schema.string) },
);

export const SESSIONS = ["iec62056-21"] as const;

/** What a profile says under `protocol`: how frames stand on the line, and which there are. */
export interface SerialProtocol {
  readonly framing?: Framing;
  readonly checksum?: Checksum;
  readonly frames?: ReadonlyMap<string, FrameKind>;
  /** A dialogue that has its own framing. */
  readonly session?: (typeof SESSIONS)[number];
}

const framing: schema.Schema<Framing> = schema.map(
  object(
    {},
    {
      start: bytes,
      end: bytes,
      tail: schema.integer(1, 64),
      length: schema.integer(1, 4096),
      lengthField: object(
        { offset: schema.integer(0, 64), type: schema.oneOf("uint8", "uint16") },
        { order: schema.oneOf(...BYTE_ORDERS), add: schema.integer(-64, 64) },
      ),
      gap: schema.durationMs,
      escape: schema.integer(0, 255),
      maxLength: schema.integer(1, 65_536),
    },
  ),
  ({ gap, ...marks }): Framing => ({ ...marks, ...(gap === undefined ? {} : { gapMs: gap }) }),
);

const checksum: ObjectSchema<Checksum> = object(
  { type: schema.oneOf(...CHECKSUM_TYPES) },
  {
    from: schema.integer(-4096, 4096),
    to: schema.integer(-4096, 4096),
    at: schema.integer(-4096, 4096),
    format: schema.oneOf("bytes", "hex"),
    order: schema.oneOf(...BYTE_ORDERS),
  },
);

export const protocolSchema: ObjectSchema<SerialProtocol> = object(
  {},
  { framing, checksum, frames: schema.record(frameKind), session: schema.oneOf(...SESSIONS) },
);

export const VALUE_TYPES = ["number", "boolean", "string", "angle", "decimal", ...BYTE_TYPES] as const;

/** Where a value stands in a frame; exactly one of csv, json, obis, match and offset, or none for the whole text. */
export interface SerialPlace {
  /** Of the profile's frames; not needed where there is only one. */
  readonly frame?: string;
  /** Field between commas, counted from 0; the checksum behind `*` is no part of it. */
  readonly csv?: number;
  readonly json?: string;
  /** Code of a data line, e.g. 1-0:1.8.0; without `A-B:` it fits every medium and channel. */
  readonly obis?: string;
  /** Regular expression, of which `group` (1 unless given) is the value; with `obis` for what stands there. */
  readonly match?: string;
  /** Of `match`, or of the values in parentheses of a data line, of which the last counts unless given. */
  readonly group?: number;
  readonly offset?: number;
}

export interface SerialWrite {
  /** With `{value}`, in hex as the bytes of `type` or the digits that `map` gives. */
  readonly request: Template;
  /** Words by value. */
  readonly map?: ReadonlyMap<string, string>;
  /** What the device answers; without it the request is all there is. */
  readonly reply?: Match;
  /** Milliseconds that the reply may take; those of the device unless given. */
  readonly timeout?: number;
}

export interface SerialPoint {
  /** A point that is only written has none. */
  readonly at?: SerialPlace;
  /**
   * `angle` is that of NMEA 0183: ddmm.mmmm in one field, N, S, E or W in the next. `decimal` is that of Kamstrup's KMP:
   * length, signs and exponent, mantissa. Text unless given.
   */
  readonly type?: (typeof VALUE_TYPES)[number];
  readonly order?: ByteFormat["order"];
  readonly bits?: NonNullable<ByteFormat["bits"]>;
  readonly write?: SerialWrite;
}

const place: ObjectSchema<SerialPlace> = object(
  {},
  {
    frame: schema.string,
    csv: schema.integer(0, 255),
    json: schema.string,
    obis: schema.string,
    match: schema.string,
    group: schema.integer(1, 20),
    offset: schema.integer(0, 65_535),
  },
);

export const pointSchema: ObjectSchema<SerialPoint> = object(
  {},
  {
    at: place,
    type: schema.oneOf(...VALUE_TYPES),
    order: schema.oneOf(...BYTE_ORDERS),
    bits: object({ at: schema.integer(0, 63) }, { width: schema.integer(1, 63) }),
    write: object(
      { request: template },
      { map: schema.record(schema.string), reply: match, timeout: schema.durationMs },
    ),
  },
);

/** The adapter's own schema has read it. */
export function protocolOf(protocol: unknown): SerialProtocol {
  return protocol === undefined ? {} : (protocol as SerialProtocol);
}

/** The name of the kind of frame that has the point; the only one where none is named. */
export function frameOf({ at }: SerialPoint, { frames }: SerialProtocol): string | undefined {
  if (at === undefined) return undefined;
  return at.frame ?? (frames?.size === 1 ? [...frames.keys()][0] : undefined);
}

export function byteFormatOf({ type, order, bits }: SerialPoint): ByteFormat | undefined {
  const byteType = BYTE_TYPES.find((one) => one === type);
  if (byteType === undefined) return undefined;
  return { type: byteType, ...(order === undefined ? {} : { order }), ...(bits === undefined ? {} : { bits }) };
}
