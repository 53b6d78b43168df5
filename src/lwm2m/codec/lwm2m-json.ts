import { CausewayError } from "../../base/errors.js";
import { formatPath } from "../path.js";
import type { Codec, DecodeContext, EncodeContext, Entry } from "./codec.js";
import { decodeError, encodeBase64, formatLink } from "./convert.js";
import { decodeJson, type JsonValue, jsonBoolean, jsonNumber, jsonText } from "./json-reader.js";
import { resolveValues, type SenmlRecord, type SenmlValue } from "./senml.js";
import { packTimes } from "./senml-pack.js";

/**
 * The JSON of LwM2M 1.0, of an early draft of SenML (OMA LwM2M 1.0 §6.4.4). Servers of today ask for it only by Accept;
 * a client does not choose it (OMA LwM2M Core 1.2 §7.5.6).
 */
export const lwm2mJsonCodec: Codec = {
  contentFormat: 11543,
  name: "application/vnd.oma.lwm2m+json",
  encode: (entries, context) => Buffer.from(formatPack(entries, context), "utf8"),
  decode: (payload, context) => resolveValues(readPack(payload, context), context),
};

function formatPack(entries: readonly Entry[], context: EncodeContext): string {
  const { target } = context;
  const [first] = entries;
  const timesMs = packTimes(entries, context);
  const isTarget = first?.path.length === target.length;
  const root = first?.prefix === undefined ? "" : `/${first.prefix}`;
  const baseName = root + formatPath(target) + (isTarget || target.length === 0 ? "" : "/");
  const items = entries.map((entry, index) => {
    const name = entry.path.slice(target.length).join("/");
    const offsetMs = timesMs?.offsetsMs[index] ?? 0;
    const named = name === "" ? "" : `"n":"${name}",`;
    const timed = offsetMs === 0 ? "" : `"t":${offsetMs / 1000},`;
    return `{${named}${timed}${formatValue(entry)}}`;
  });
  const baseTime = timesMs === undefined ? "" : `,"bt":${timesMs.baseMs / 1000}`;
  return `{"bn":${JSON.stringify(baseName)},"e":[${items.join(",")}]${baseTime}}`;
}

function formatValue({ path, value }: Entry): string {
  if (typeof value === "string") return `"sv":${JSON.stringify(value)}`;
  if (typeof value === "boolean") return `"bv":${value}`;
  if (typeof value === "bigint") return `"v":${value}`;
  if (typeof value !== "number") {
    return value instanceof Uint8Array ? `"sv":"${encodeBase64(value, "base64")}"` : `"ov":"${formatLink(value)}"`;
  }
  if (Number.isFinite(value)) return `"v":${value}`;
  throw new CausewayError("LWM2M_NOT_ACCEPTABLE", `${formatPath(path)}: JSON has no ${value}`);
}

function readPack(payload: Uint8Array, context: DecodeContext): SenmlRecord[] {
  const members = membersOf(decodeJson(payload));
  const baseName = members.get("bn");
  const root = baseName === undefined ? undefined : jsonText("bn", baseName);
  const baseTime = members.get("bt");
  const timed = baseTime === undefined ? {} : { baseTime: Number(jsonNumber("bt", baseTime)) };
  const items = members.get("e");
  if (!Array.isArray(items)) throw decodeError("LwM2M JSON has no array 'e'");
  return items.map((item: JsonValue) => ({ ...readItem(membersOf(item), root, context), ...timed }));
}

function readItem(
  members: ReadonlyMap<string, JsonValue>,
  baseName: string | undefined,
  context: DecodeContext,
): SenmlRecord {
  const record: { -readonly [K in keyof SenmlRecord]: SenmlRecord[K] } = {};
  const values: SenmlValue[] = [];
  for (const [label, member] of members) {
    switch (label) {
      case "n":
        record.name = jsonText(label, member);
        break;
      case "t":
        record.time = Number(jsonNumber(label, member));
        break;
      case "v":
        values.push({ field: label, value: jsonNumber(label, member) });
        break;
      case "sv":
        values.push({ field: label, value: jsonText(label, member) });
        break;
      case "bv":
        values.push({ field: "vb", value: jsonBoolean(label, member) });
        break;
      case "ov":
        values.push({ field: "vlo", value: jsonText(label, member) });
        break;
    }
  }
  const [value, ...others] = values;
  if (others.length > 0) throw decodeError("an element of LwM2M JSON has two values");
  record.name = nameOf(baseName, record.name ?? "", context);
  return value === undefined ? record : { ...record, value };
}

/** Servers differ in whether a base name ends in a slash; without one, names are absolute or below the request's path. */
function nameOf(baseName: string | undefined, name: string, { target, prefix }: DecodeContext): string {
  if (baseName === undefined && name.startsWith("/")) return name;
  const base = baseName ?? (prefix === undefined ? "" : `/${prefix}`) + formatPath(target);
  return name === "" ? base : `${base.replace(/\/$/, "")}/${name.replace(/^\//, "")}`;
}

function membersOf(json: JsonValue): ReadonlyMap<string, JsonValue> {
  if (json instanceof Map) return json;
  throw decodeError("LwM2M JSON has something else where an object belongs");
}
