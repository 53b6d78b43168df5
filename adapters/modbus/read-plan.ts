import { type DeviceTraits, decodeRegisters, type Point, type Reading, type RegisterFormat } from "causeway/adapter";
import { formatOf, isBitTable, type ModbusPoint, wireRegister } from "./options.js";
import type { PduCodec } from "./pdu.js";
import { mergeSpans, type Span } from "./plan.js";
import { readCall } from "./requests.js";
import type { Timing } from "./timing.js";

/** Where in the data of an answer a point stands; of bits the offset counts bits. */
interface Place {
  readonly point: string;
  readonly offset: number;
  readonly format: RegisterFormat;
}

/** One request of a poll, made once and sent again and again. */
export interface PlannedRead {
  readonly span: Span;
  /** Undefined where the registers do not exist on the wire, or are known only to the device. */
  readonly pdu: Uint8Array | undefined;
  readonly places: readonly Place[];
}

interface Kept {
  readonly traits: DeviceTraits;
  readonly reads: readonly PlannedRead[];
}

/** The requests for lists of points that come again with every poll. */
export class ReadPlans {
  readonly #codec: PduCodec;
  readonly #timing: Timing;
  readonly #kept = new WeakMap<readonly Point<ModbusPoint>[], Kept>();

  constructor(codec: PduCodec, timing: Timing) {
    this.#codec = codec;
    this.#timing = timing;
  }

  of(points: readonly Point<ModbusPoint>[], traits: DeviceTraits): readonly PlannedRead[] {
    const kept = this.#kept.get(points);
    if (kept?.traits === traits) return kept.reads;
    const reads = mergeSpans(points, traits, this.#timing).map((span) => this.#planned(span, traits));
    this.#kept.set(points, { traits, reads });
    return reads;
  }

  /** The request for a span that begins so many registers later; undefined beyond the last one. */
  encode(span: Span, offset: number): Uint8Array | undefined {
    const register = span.register + offset;
    const exists = register >= 0 && register + span.count <= 65536;
    return exists ? this.#codec.encode(readCall({ ...span, register })) : undefined;
  }

  #planned(span: Span, traits: DeviceTraits): PlannedRead {
    const scale = isBitTable(span.table) ? 1 : span.registerBytes;
    return {
      span,
      pdu: span.models === undefined ? this.encode(span, 0) : undefined,
      places: span.points.map((point) => ({
        point: point.name,
        offset: scale * (wireRegister(point, traits) - span.register),
        format: formatOf(point.address),
      })),
    };
  }
}

/** The readings in the data of an answer. */
export function decodeRead({ span, places }: PlannedRead, data: Uint8Array, atMs: number): Reading[] {
  const areBits = isBitTable(span.table);
  return places.map(({ point, offset, format }): Reading => {
    const value = areBits
      ? (((data[offset >> 3] ?? 0) >> (offset & 7)) & 1) === 1
      : decodeRegisters(data, offset, format);
    if (typeof value !== "number" || Number.isFinite(value)) return { point, atMs, quality: "good", value };
    return { point, atMs, quality: "invalid", reason: `${value} is not a number`, value };
  });
}
