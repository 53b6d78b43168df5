import { utf8Encode } from "../../base/bytes.js";
import type { LogEvent } from "../../base/log.js";
import { ContentFormat, codecOf } from "../codec/formats.js";

const MAX_BYTES = 16_384;
const MAX_LINE_LENGTH = 2048;

/** LogDataFormat: lines of text, or the lines as resource instances in TLV, JSON or LwM2M CBOR. */
export const EVENT_FORMATS: readonly (number | undefined)[] = [
  undefined,
  ContentFormat.tlv,
  ContentFormat.json,
  ContentFormat.lwm2mCbor,
];

/** One event as a line of text. */
export interface EventLine {
  readonly text: string;
  readonly bytes: number;
  readonly atMs: number;
}

export function lineOf({ level, message, facts }: LogEvent, atMs: number): EventLine {
  const more = facts === "" ? "" : ` ${facts}`;
  const text = `${new Date(atMs).toISOString()} ${level} ${message}${more}`.slice(0, MAX_LINE_LENGTH);
  return { text, bytes: Buffer.byteLength(text) + 1, atMs };
}

/** The newest lines that 16 KiB hold. */
export class EventLines {
  readonly #lines: EventLine[] = [];
  #bytes = 0;

  get all(): readonly EventLine[] {
    return this.#lines;
  }

  add(line: EventLine): void {
    this.#lines.push(line);
    this.#bytes += line.bytes;
    while (this.#bytes > MAX_BYTES) this.#bytes -= this.#lines.shift()?.bytes ?? 0;
  }

  /** Takes away everything up to the line, which may have gone already. */
  dropThrough(line: EventLine): void {
    this.#lines.splice(0, this.#lines.indexOf(line) + 1);
    this.#bytes = this.#lines.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  clear(): void {
    this.#lines.length = 0;
    this.#bytes = 0;
  }

  /** `format` is an index of EVENT_FORMATS; formats with names call the lines instances of the resource at the path. */
  encode(format: number, path: readonly [number, number, number], nowMs: number): Uint8Array {
    const codec = codecOf(EVENT_FORMATS[format] ?? -1);
    if (codec === undefined) return utf8Encode(this.#lines.map(({ text }) => `${text}\n`).join(""));
    if (this.#lines.length === 0) return new Uint8Array();
    const entries = this.#lines.map(({ text, atMs }, index) => ({
      path: [...path, index],
      type: "string" as const,
      value: text,
      atMs,
    }));
    return codec.encode(entries, { target: path, nowMs, times: "all" });
  }
}
