import { type Point, readUnsigned, type Scalar, sameScalar } from "causeway/adapter";
import type { BlePlace, BlePoint, SequencePlace } from "../options.js";
import { type BytePattern, matches } from "../payload.js";
import { type DeclaredPoint, declaredOf } from "../station-points.js";
import { readValue, sizeOfType } from "../value-format.js";
import { type Frame, misfit } from "./frame.js";
import type { Spoken } from "./peripheral.js";
import { bytesNeeded, withValue } from "./place-value.js";

/** By what points tell a packet from others of the same source. */
interface Mark {
  readonly pattern: BytePattern;
  readonly length?: number;
}

/** The packets that carry these points: as many of a source as have marks of their own. */
export function declaredFrames(points: readonly Point<BlePoint>[]): readonly Frame[] {
  return declaredOf(points).flatMap(({ points: own }) => {
    const marks: Mark[] = [];
    for (const { place, pattern } of own) {
      const mark = markOf(place, pattern);
      const at = marks.findIndex((other) => joined(other, mark) !== undefined);
      const both = joined(marks[at] ?? mark, mark);
      if (both !== undefined) marks[at < 0 ? marks.length : at] = both;
    }
    return marks.map((mark) => {
      const carried = own.filter(({ place, pattern }) => joined(mark, markOf(place, pattern)) !== undefined);
      return new DeclaredFrame(mark, carried);
    });
  });
}

function markOf({ length }: BlePlace, pattern: BytePattern): Mark {
  return length === undefined ? { pattern } : { pattern, length };
}

/** What a packet with both marks has; undefined when there can be none. */
function joined(one: Mark, other: Mark): Mark | undefined {
  const length = one.length ?? other.length;
  if (length !== (other.length ?? length)) return undefined;
  const size = Math.max(one.pattern.length, other.pattern.length);
  const pattern: (number | undefined)[] = [];
  for (let index = 0; index < size; index++) {
    const own = one.pattern[index] ?? other.pattern[index];
    if (own !== (other.pattern[index] ?? own)) return undefined;
    pattern.push(own);
  }
  return length === undefined ? { pattern } : { pattern, length };
}

/** Bytes with places for values; 0 in each that has none. */
class DeclaredFrame implements Frame {
  readonly #mark: Mark;
  readonly #points: ReadonlyMap<string, DeclaredPoint>;
  readonly #source: BlePlace;
  readonly #sequence: SequencePlace | undefined;
  /** That points, mark and number need. */
  readonly #leastBytes: number;
  #bytes: Uint8Array;
  #hasValues = false;
  #isSent = false;

  constructor(mark: Mark, points: readonly DeclaredPoint[]) {
    this.#mark = mark;
    this.#points = new Map(points.map((point) => [point.name, point]));
    this.#source = points[0]?.place ?? {};
    this.#sequence = points.find(({ place }) => place.sequence !== undefined)?.place.sequence;
    const company = this.#source.manufacturer === "any" ? 2 : 0;
    const places = points.map(({ place: { byte = 0 }, format }) => ({ byte, format }));
    const sequence = this.#sequence === undefined ? [] : [{ byte: this.#sequence.byte, format: this.#sequence }];
    this.#leastBytes = Math.max(company, mark.pattern.length, bytesNeeded([...places, ...sequence]));
    const { length = this.#leastBytes } = mark;
    this.#bytes = Uint8Array.from({ length }, (_, index) => mark.pattern[index] ?? 0);
  }

  has(point: string): boolean {
    return this.#points.has(point);
  }

  prepare(point: string, value: Scalar): () => void {
    this.#with(point, value);
    return () => {
      this.renew();
      this.#bytes = this.#with(point, value);
      this.#hasValues = true;
    };
  }

  get(name: string): Scalar | undefined {
    const point = this.#points.get(name);
    return point === undefined ? undefined : readValue(this.#bytes, point.place.byte ?? 0, point.format);
  }

  renew(): void {
    if (!this.#isSent) return;
    this.#isSent = false;
    if (this.#sequence !== undefined) this.#bytes = nextNumber(this.#bytes, this.#sequence);
  }

  send(): Spoken | undefined {
    if (!this.#hasValues) return undefined;
    this.#isSent = true;
    const { manufacturer, service = "" } = this.#source;
    if (manufacturer === undefined) return { services: { [service]: this.#bytes } };
    if (manufacturer !== "any") return { manufacturer: { [manufacturer]: this.#bytes } };
    return { manufacturer: { [readUnsigned(this.#bytes, 0, 2, "little")]: this.#bytes.subarray(2) } };
  }

  #with(name: string, value: Scalar): Uint8Array {
    const point = this.#points.get(name);
    if (point === undefined) return this.#bytes;
    const { place, format } = point;
    const { byte = 0 } = place;
    const placed = withValue(this.#bytes, byte, value, format, name);
    const { length = Math.max(placed.length, this.#leastBytes), pattern } = this.#mark;
    const bytes = new Uint8Array(length);
    bytes.set(placed.subarray(0, length));
    // Text and bytes take what is left, which a packet of a certain length leaves no choice in.
    const takesRest = sizeOfType(format.type) === undefined;
    if (placed.length > length || (takesRest && !sameScalar(readValue(bytes, byte, format) ?? "", value))) {
      throw misfit(name, `a packet of ${length} bytes has no room for exactly this`);
    }
    if (!matches(bytes, pattern)) throw misfit(name, "the packet would not be known by its 'match' any more");
    return bytes;
  }
}

/** A copy in which the number of the packet is the next one; it begins at 0 again after its highest. */
function nextNumber(bytes: Uint8Array, { byte, type, order }: SequencePlace): Uint8Array {
  const next = bytes.slice();
  const size = sizeOfType(type) ?? 0;
  for (let index = 0; index < size; index++) {
    const at = byte + (order === "big" ? size - 1 - index : index);
    const digit = ((next[at] ?? 0) + 1) & 0xff;
    next[at] = digit;
    if (digit !== 0) break;
  }
  return next;
}
