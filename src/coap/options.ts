import { NO_BYTES, utf8Decode } from "../base/bytes.js";

/** An option to send: text is written as UTF-8, a number in as few bytes as it needs (RFC 7252 §3.2). */
export interface OutgoingOption {
  readonly number: number;
  readonly value: Uint8Array | string | number;
}

/** An option as it came. It is read where it stands in the datagram: a view of each would cost more than all the rest. */
export class Option implements OutgoingOption {
  readonly number: number;
  readonly datagram: Uint8Array;
  /** Where the value stands. */
  readonly start: number;
  readonly end: number;

  constructor(number: number, datagram: Uint8Array, start: number, end: number) {
    this.number = number;
    this.datagram = datagram;
    this.start = start;
    this.end = end;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** A view into the datagram. */
  get value(): Uint8Array {
    return this.start === this.end ? NO_BYTES : this.datagram.subarray(this.start, this.end);
  }

  /** Big-endian, leading zeros allowed; at most 4 bytes. */
  get uint(): number {
    return uintOf(this.datagram, this.start, this.end);
  }

  /** Undefined when the bytes are not UTF-8. */
  get text(): string | undefined {
    if (this.length > SHORT_TEXT_BYTES) return utf8Decode(this.value);
    // Path segments are short and ASCII; a decoder call for each costs more than the rest of the datagram.
    let text = "";
    for (let at = this.start; at < this.end; at++) {
      const byte = this.datagram[at] ?? 0;
      if (byte >= 0x80) return utf8Decode(this.value);
      text += String.fromCharCode(byte);
    }
    return text;
  }
}

const SHORT_TEXT_BYTES = 12;

interface OptionDefinition {
  readonly number: number;
  readonly name: string;
  readonly format: "empty" | "opaque" | "uint" | "string";
  /** Bytes; an option outside of the limits counts as unknown (RFC 7252 §5.4.3). */
  readonly minLength: number;
  readonly maxLength: number;
  readonly repeatable: boolean;
}

/** RFC 7252 §5.10, RFC 7641 §2, RFC 7959 §2.1 and §4, RFC 7967 §2, RFC 9175 §2.2 and §3.2. */
export const OptionNumber = {
  IfMatch: 1,
  UriHost: 3,
  ETag: 4,
  IfNoneMatch: 5,
  Observe: 6,
  UriPort: 7,
  LocationPath: 8,
  UriPath: 11,
  ContentFormat: 12,
  MaxAge: 14,
  UriQuery: 15,
  Accept: 17,
  LocationQuery: 20,
  Block2: 23,
  Block1: 27,
  Size2: 28,
  ProxyUri: 35,
  ProxyScheme: 39,
  Size1: 60,
  Echo: 252,
  NoResponse: 258,
  RequestTag: 292,
} as const;

const DEFINITIONS: readonly OptionDefinition[] = [
  define(OptionNumber.IfMatch, "If-Match", "opaque", 0, 8, "repeatable"),
  define(OptionNumber.UriHost, "Uri-Host", "string", 1, 255, "once"),
  define(OptionNumber.ETag, "ETag", "opaque", 1, 8, "repeatable"),
  define(OptionNumber.IfNoneMatch, "If-None-Match", "empty", 0, 0, "once"),
  define(OptionNumber.Observe, "Observe", "uint", 0, 3, "once"),
  define(OptionNumber.UriPort, "Uri-Port", "uint", 0, 2, "once"),
  define(OptionNumber.LocationPath, "Location-Path", "string", 0, 255, "repeatable"),
  define(OptionNumber.UriPath, "Uri-Path", "string", 0, 255, "repeatable"),
  define(OptionNumber.ContentFormat, "Content-Format", "uint", 0, 2, "once"),
  define(OptionNumber.MaxAge, "Max-Age", "uint", 0, 4, "once"),
  define(OptionNumber.UriQuery, "Uri-Query", "string", 0, 255, "repeatable"),
  define(OptionNumber.Accept, "Accept", "uint", 0, 2, "once"),
  define(OptionNumber.LocationQuery, "Location-Query", "string", 0, 255, "repeatable"),
  define(OptionNumber.Block2, "Block2", "uint", 0, 3, "once"),
  define(OptionNumber.Block1, "Block1", "uint", 0, 3, "once"),
  define(OptionNumber.Size2, "Size2", "uint", 0, 4, "once"),
  define(OptionNumber.ProxyUri, "Proxy-Uri", "string", 1, 1034, "once"),
  define(OptionNumber.ProxyScheme, "Proxy-Scheme", "string", 1, 255, "once"),
  define(OptionNumber.Size1, "Size1", "uint", 0, 4, "once"),
  define(OptionNumber.Echo, "Echo", "opaque", 1, 40, "once"),
  define(OptionNumber.NoResponse, "No-Response", "uint", 0, 1, "once"),
  define(OptionNumber.RequestTag, "Request-Tag", "opaque", 0, 8, "repeatable"),
];

// Indexed by number: looked up for every option of every datagram.
const BY_NUMBER: readonly (OptionDefinition | undefined)[] = Array.from({ length: 293 }, (_, number) =>
  DEFINITIONS.find((definition) => definition.number === number),
);

function define(
  number: number,
  name: string,
  format: OptionDefinition["format"],
  minLength: number,
  maxLength: number,
  recurrence: "once" | "repeatable",
): OptionDefinition {
  return { number, name, format, minLength, maxLength, repeatable: recurrence === "repeatable" };
}

/** Undefined for a number that the table does not have. */
export function optionDefinition(number: number): OptionDefinition | undefined {
  return BY_NUMBER[number];
}

/** Whether an option that is not understood makes the message unacceptable (RFC 7252 §5.4.1). */
export function isCritical(number: number): boolean {
  return (number & 1) === 1;
}

/** "Uri-Path", or "option 9" for an unknown one. */
export function optionName(number: number): string {
  return optionDefinition(number)?.name ?? `option ${number}`;
}

/** Whether the table has the option, with a value of this length, as often as this (RFC 7252 §5.4.3, §5.4.5). */
export function isUnderstood(option: Option, occurrence: "first" | "repeated"): boolean {
  const definition = BY_NUMBER[option.number];
  return (
    definition !== undefined &&
    option.length >= definition.minLength &&
    option.length <= definition.maxLength &&
    (definition.repeatable || occurrence === "first")
  );
}

/** Big-endian, leading zeros allowed; at most 6 bytes. */
export function uintOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let number = 0;
  for (let at = start; at < end; at++) number = number * 256 + (bytes[at] ?? 0);
  return number;
}

/** Bytes that `value` needs: 0 for zero, at most 4. */
export function uintLength(value: number): number {
  if (value === 0) return 0;
  if (value < 0x100) return 1;
  if (value < 0x1_0000) return 2;
  return value < 0x100_0000 ? 3 : 4;
}
