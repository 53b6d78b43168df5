import {
  byteCount,
  bytesEqual,
  CausewayError,
  decodeByteValue,
  NO_BYTES,
  type Scalar,
  type Variables,
  valueFromText,
} from "causeway/adapter";
import type { Checksum } from "./checksum.js";
import { kindOf } from "./fit.js";
import { byteFormatOf, type SerialPoint, type SerialWrite, type Template } from "./options.js";
import { requestBytes, writeRequest } from "./request.js";

/** A request among what was received. */
export interface FoundRequest {
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
  /** What it writes. */
  readonly value?: Scalar;
}

export type RequestForm = "text" | "hex";

export function formOf(template: Template): RequestForm {
  return "hex" in template ? "hex" : "text";
}

export function findBytes(received: Uint8Array, wanted: Uint8Array, form: RequestForm): FoundRequest | undefined {
  for (const start of startsOf(received, wanted, form)) return { start, end: start + wanted.length };
  return undefined;
}

/** Where a request may begin: a text not within a word, where its end may be another one. */
function* startsOf(received: Uint8Array, head: Uint8Array, form: RequestForm): Generator<number> {
  const view = Buffer.from(received.buffer, received.byteOffset, received.length);
  let start = view.indexOf(head);
  for (; start >= 0 && start < received.length; start = view.indexOf(head, start + 1)) {
    if (form === "hex" || !isPrintable(received[start - 1]) || !isPrintable(received[start])) yield start;
  }
}

function isPrintable(byte = 0): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

/** The request that came first; of those that begin together the longest. */
export function earliest<T extends { readonly found: FoundRequest }>(requests: readonly T[]): T | undefined {
  return requests.toSorted(({ found: a }, { found: b }) => a.start - b.start || b.end - a.end)[0];
}

/** Finds what `writeRequest` makes of some value of the point. */
export class WriteFinder {
  readonly #point: SerialPoint;
  readonly #write: SerialWrite;
  readonly #form: RequestForm;
  readonly #bytesOf: (value: Scalar) => Uint8Array | undefined;
  /** What is before and behind the value; of a checksum only how long it is. */
  readonly #head: Uint8Array;
  readonly #tail: Uint8Array;

  constructor(point: SerialPoint, write: SerialWrite, variables: Variables, checksum: Checksum | undefined) {
    this.#point = point;
    this.#write = write;
    const { request } = write;
    this.#form = formOf(request);
    const [before = "", after = ""] = ("hex" in request ? request.hex : request.text).split("{value}");
    const partOf = (part: string): Uint8Array => {
      if (part.trim() === "" && "hex" in request) return NO_BYTES;
      return requestBytes("hex" in request ? { hex: part } : { text: part }, variables, checksum);
    };
    this.#head = partOf(before);
    this.#tail = partOf(after);
    this.#bytesOf = (value) => {
      try {
        return writeRequest(point, write, value, variables, checksum);
      } catch (error) {
        if (error instanceof CausewayError && error.code === "VALUE_INVALID") return undefined;
        throw error;
      }
    };
  }

  find(received: Uint8Array): FoundRequest | undefined {
    return this.#write.map === undefined ? this.#findValue(received) : this.#findWord(received, this.#write.map);
  }

  #findWord(received: Uint8Array, map: ReadonlyMap<string, string>): FoundRequest | undefined {
    const found = [...map.keys()].flatMap((word) => {
      const value = this.#valueOf(word);
      const request = value === undefined ? undefined : this.#bytesOf(value);
      const place = request === undefined ? undefined : findBytes(received, request, this.#form);
      return place === undefined || value === undefined ? [] : [{ found: { ...place, value } }];
    });
    return earliest(found)?.found;
  }

  #findValue(received: Uint8Array): FoundRequest | undefined {
    const least = this.#head.length + this.#tail.length + 1;
    for (const start of startsOf(received, this.#head, this.#form)) {
      const ends = Array.from(
        { length: Math.max(0, received.length - start - least + 1) },
        (_, n) => start + least + n,
      );
      // With nothing behind it the value is all that came.
      for (const end of this.#tail.length === 0 ? ends.reverse() : ends) {
        const value = this.#valueIn(received.subarray(start + this.#head.length, end - this.#tail.length));
        const request = value === undefined ? undefined : this.#bytesOf(value);
        const isIt = request !== undefined && bytesEqual(request, received.subarray(start, end));
        if (isIt && value !== undefined) return { start, end, value };
      }
    }
    return undefined;
  }

  #valueIn(bytes: Uint8Array): Scalar | undefined {
    const format = this.#form === "hex" ? byteFormatOf(this.#point) : undefined;
    if (format !== undefined) {
      return bytes.length === byteCount(format) ? decodeByteValue(bytes, 0, format) : undefined;
    }
    return this.#valueOf(Buffer.from(bytes).toString("latin1"));
  }

  #valueOf(text: string): Scalar | undefined {
    const kind = kindOf(this.#point);
    const told = valueFromText(text, kind === "bytes" ? "string" : kind);
    return told.quality === "good" ? told.value : undefined;
  }
}
