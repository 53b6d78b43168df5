import { cborNumber } from "./cbor.js";
import { CborMap, type CborValue, decodeCbor } from "./cbor-reader.js";
import { CborWriter } from "./cbor-writer.js";
import type { Codec, Entry } from "./codec.js";
import { decodeError, formatLink } from "./convert.js";
import { resolvePaths, resolveValues, type SenmlRecord, type SenmlValue } from "./senml.js";
import { type PackRecord, packRecords } from "./senml-pack.js";

/** SenML CBOR (RFC 8428 §6, OMA LwM2M Core 1.2 §7.5.7). */
export const senmlCborCodec: Codec = codec(112, "application/senml+cbor", "values");

/** SenML-ETCH CBOR: the same, and null removes a resource instance (RFC 8790). */
export const senmlEtchCborCodec: Codec = codec(322, "application/senml-etch+cbor", "values-and-null");

/** Labels of RFC 8428 Table 4; object links have the text label of OMA LwM2M. */
const Label = { bver: -1, bn: -2, bt: -3, bv: -5, bs: -6, n: 0, v: 2, vs: 3, vb: 4, t: 6, vd: 8, vlo: "vlo" } as const;

type Accepts = "values" | "values-and-null";

function codec(contentFormat: number, name: string, accepts: Accepts): Codec {
  return {
    contentFormat,
    name,
    encode(entries, context) {
      const writer = new CborWriter().array(entries.length);
      for (const record of packRecords(entries, context)) writeRecord(writer, record);
      return writer.finish();
    },
    decode: (payload, context) => resolveValues(readPack(payload, accepts), context),
    decodePaths: (payload) => resolvePaths(readPack(payload, accepts)),
  };
}

function writeRecord(writer: CborWriter, record: PackRecord): void {
  const { baseName, baseTimeMs, name, timeMs, entry } = record;
  let fields = 1;
  if (baseName !== undefined) fields++;
  if (baseTimeMs !== undefined) fields++;
  if (name !== undefined) fields++;
  if (timeMs !== undefined) fields++;
  writer.map(fields);
  if (baseName !== undefined) writer.integer(Label.bn).text(baseName);
  if (baseTimeMs !== undefined) writeTime(writer.integer(Label.bt), baseTimeMs);
  if (name !== undefined) writer.integer(Label.n).text(name);
  if (timeMs !== undefined) writeTime(writer.integer(Label.t), timeMs);
  writeValue(writer, entry);
}

/**
 * Seconds. Never rounded to single precision: a server that adds base and offset as decimals would get a time finer than
 * its clock, and Leshan 2.0.0-M18 refuses such a pack.
 */
function writeTime(writer: CborWriter, timeMs: number): void {
  const timeS = timeMs / 1000;
  if (Number.isInteger(timeS)) writer.integer(timeS);
  else writer.float(timeS);
}

function writeValue(writer: CborWriter, { type, value }: Entry): void {
  if (typeof value === "string") writer.integer(Label.vs).text(value);
  else if (typeof value === "boolean") writer.integer(Label.vb).boolean(value);
  else if (typeof value === "number" && type === "float") writer.integer(Label.v).float(value);
  else if (typeof value === "number" || typeof value === "bigint") writer.integer(Label.v).integer(value);
  else if (value instanceof Uint8Array) writer.integer(Label.vd).bytes(value);
  else writer.text(Label.vlo).text(formatLink(value));
}

function readPack(payload: Uint8Array, accepts: Accepts): SenmlRecord[] {
  const pack = decodeCbor(payload);
  if (!Array.isArray(pack)) throw decodeError("SenML is not an array");
  return pack.map((record: CborValue) => readRecord(record, accepts));
}

function readRecord(item: CborValue, accepts: Accepts): SenmlRecord {
  if (!(item instanceof CborMap)) throw decodeError("a SenML record is not a map");
  const record: { -readonly [K in keyof SenmlRecord]: SenmlRecord[K] } = {};
  const seen = new Set<CborValue>();
  for (const [label, field] of item.pairs) {
    if (seen.has(label)) throw decodeError(`SenML label ${String(label)} comes twice`);
    seen.add(label);
    switch (label) {
      case Label.bn:
        record.baseName = text(label, field);
        break;
      case Label.bt:
        record.baseTime = Number(number(label, field));
        break;
      case Label.n:
        record.name = text(label, field);
        break;
      case Label.t:
        record.time = Number(number(label, field));
        break;
      case Label.bver:
        if (Number(number(label, field)) > 10) throw decodeError("SenML version above 10");
        break;
      case Label.v:
      case Label.vs:
      case Label.vb:
      case Label.vd:
      case Label.vlo:
        if (record.value !== undefined) throw decodeError("a SenML record has two values");
        record.value = readValue(label, field, accepts);
        break;
      default:
        if (!mayBeIgnored(label)) throw decodeError(`SenML field '${String(label)}' is not supported`);
    }
  }
  return record;
}

/** Base values and sums change the meaning, as do labels that end in `_` (RFC 8428 §4.4). */
function mayBeIgnored(label: CborValue): boolean {
  if (typeof label === "string") return !label.endsWith("_");
  return typeof label === "number" && label !== Label.bv && label !== Label.bs;
}

type ValueLabel = typeof Label.v | typeof Label.vs | typeof Label.vb | typeof Label.vd | typeof Label.vlo;

function readValue(label: ValueLabel, field: CborValue, accepts: Accepts): SenmlValue {
  if (field === null && accepts === "values-and-null") return { field: "none" };
  switch (label) {
    case Label.v:
      return { field: "v", value: number(label, field) };
    case Label.vs:
      return { field: "vs", value: text(label, field) };
    case Label.vlo:
      return { field: "vlo", value: text(label, field) };
    case Label.vd:
      if (!(field instanceof Uint8Array)) throw decodeError("SenML data is not a byte string");
      return { field: "vd", value: field };
    case Label.vb:
      if (typeof field !== "boolean") throw decodeError("SenML boolean is not true or false");
      return { field: "vb", value: field };
  }
}

function text(label: number | string, field: CborValue): string {
  if (typeof field !== "string") throw decodeError(`SenML label ${label} is not text`);
  return field;
}

function number(label: number | string, field: CborValue): number | bigint {
  const value = cborNumber(field);
  if (value === undefined) throw decodeError(`SenML label ${label} is not a number`);
  return value;
}
