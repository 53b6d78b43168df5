import { CausewayError } from "../../base/errors.js";
import { formatPath } from "../path.js";
import type { Codec, Entry } from "./codec.js";
import { decodeError, encodeBase64, formatLink } from "./convert.js";
import { decodeJson, type JsonValue, jsonBoolean, jsonNumber, jsonText } from "./json-reader.js";
import { resolvePaths, resolveValues, type SenmlRecord, type SenmlValue } from "./senml.js";
import { type PackRecord, packRecords } from "./senml-pack.js";

/** SenML JSON (RFC 8428 §5, OMA LwM2M Core 1.2 §7.5.6). */
export const senmlJsonCodec: Codec = codec(110, "application/senml+json", "values");

/** SenML-ETCH JSON: the same, and null removes a resource instance (RFC 8790). */
export const senmlEtchJsonCodec: Codec = codec(320, "application/senml-etch+json", "values-and-null");

type Accepts = "values" | "values-and-null";

function codec(contentFormat: number, name: string, accepts: Accepts): Codec {
  return {
    contentFormat,
    name,
    encode: (entries, context) => Buffer.from(`[${packRecords(entries, context).map(formatRecord).join(",")}]`, "utf8"),
    decode: (payload, context) => resolveValues(readPack(payload, accepts), context),
    decodePaths: (payload) => resolvePaths(readPack(payload, accepts)),
  };
}

function formatRecord({ baseName, baseTimeMs, name, timeMs, entry }: PackRecord): string {
  const fields: string[] = [];
  if (baseName !== undefined) fields.push(`"bn":${JSON.stringify(baseName)}`);
  if (baseTimeMs !== undefined) fields.push(`"bt":${baseTimeMs / 1000}`);
  if (name !== undefined) fields.push(`"n":${JSON.stringify(name)}`);
  if (timeMs !== undefined) fields.push(`"t":${timeMs / 1000}`);
  fields.push(formatValue(entry));
  return `{${fields.join(",")}}`;
}

function formatValue({ path, value }: Entry): string {
  if (typeof value === "string") return `"vs":${JSON.stringify(value)}`;
  if (typeof value === "boolean") return `"vb":${value}`;
  if (typeof value === "bigint") return `"v":${value}`;
  if (typeof value !== "number") {
    return value instanceof Uint8Array ? `"vd":"${encodeBase64(value, "base64url")}"` : `"vlo":"${formatLink(value)}"`;
  }
  if (Number.isFinite(value)) return `"v":${value}`;
  throw new CausewayError("LWM2M_NOT_ACCEPTABLE", `${formatPath(path)}: JSON has no ${value}`);
}

function readPack(payload: Uint8Array, accepts: Accepts): SenmlRecord[] {
  const pack = decodeJson(payload);
  if (!Array.isArray(pack)) throw decodeError("SenML is not an array");
  return pack.map((record: JsonValue) => readRecord(record, accepts));
}

function readRecord(json: JsonValue, accepts: Accepts): SenmlRecord {
  if (!(json instanceof Map)) throw decodeError("a SenML record is not an object");
  const record: { -readonly [K in keyof SenmlRecord]: SenmlRecord[K] } = {};
  const members: ReadonlyMap<string, JsonValue> = json;
  for (const [label, member] of members) {
    switch (label) {
      case "bn":
        record.baseName = jsonText(label, member);
        break;
      case "bt":
        record.baseTime = Number(jsonNumber(label, member));
        break;
      case "n":
        record.name = jsonText(label, member);
        break;
      case "t":
        record.time = Number(jsonNumber(label, member));
        break;
      case "bver":
        if (Number(jsonNumber(label, member)) > 10) throw decodeError("SenML version above 10");
        break;
      case "v":
      case "vs":
      case "vb":
      case "vd":
      case "vlo":
        if (record.value !== undefined) throw decodeError("a SenML record has two values");
        record.value = readValue(label, member, accepts);
        break;
      default:
        if (label.endsWith("_") || label === "bv" || label === "bs")
          throw decodeError(`SenML field '${label}' is not supported`);
    }
  }
  return record;
}

function readValue(label: "v" | "vs" | "vb" | "vd" | "vlo", member: JsonValue, accepts: Accepts): SenmlValue {
  if (member === null && accepts === "values-and-null") return { field: "none" };
  if (label === "v") return { field: label, value: jsonNumber(label, member) };
  if (label === "vb") return { field: label, value: jsonBoolean(label, member) };
  return { field: label, value: jsonText(label, member) };
}
