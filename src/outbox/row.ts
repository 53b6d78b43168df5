import type { Path } from "../lwm2m/path.js";
import { formatPath, parsePath } from "../lwm2m/path.js";
import type { ResourceType, Value } from "../lwm2m/value.js";
import type { Row, SqlValue } from "./database.js";

/** Where a sample is from. */
export interface SampleOrigin {
  readonly endpoint: string;
  /** Of the device behind the gateway that the path is of. */
  readonly prefix?: string;
  readonly path: Path;
}

/** A sample on its way to the servers of one endpoint. */
export interface OutboxSample extends SampleOrigin {
  readonly type: ResourceType;
  readonly value: Value;
  /** Time of the measurement. */
  readonly atMs: number;
}

export interface StoredSample extends OutboxSample {
  /** Grows with each sample; the order of delivery. */
  readonly id: number;
}

/** Column values in the order endpoint, at_ms, path, type, value, prefix. */
export function toColumns(sample: OutboxSample): SqlValue[] {
  const { endpoint, atMs, path, type, value, prefix = null } = sample;
  return [endpoint, atMs, formatPath(path), type, toSql(value), prefix];
}

// SQLite's binding turns bigint into NULL without a word and loses integers beyond 2^53: they go as text.
function toSql(value: Value): SqlValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "object") return `${value.objectId}:${value.instanceId}`;
  return value;
}

export function fromRow(row: Row): StoredSample {
  const type = String(row["type"]) as ResourceType;
  return {
    ...originOf(row),
    id: Number(row["id"]),
    atMs: Number(row["at_ms"]),
    type,
    value: fromSql(type, row["value"]),
  };
}

export function originOf(row: Row): SampleOrigin {
  const prefix = row["prefix"];
  return {
    endpoint: String(row["endpoint"]),
    ...(typeof prefix === "string" ? { prefix } : {}),
    path: parsePath(String(row["path"])),
  };
}

function fromSql(type: ResourceType, value: unknown): Value {
  switch (type) {
    case "boolean":
      return value === 1;
    case "opaque":
      return new Uint8Array(Buffer.from(String(value), "base64"));
    case "objlnk": {
      const [objectId = 0, instanceId = 0] = String(value).split(":").map(Number);
      return { objectId, instanceId };
    }
    case "float":
      return Number(value);
    case "integer":
    case "unsigned":
    case "time":
      return typeof value === "string" ? BigInt(value) : Number(value);
    default:
      return String(value);
  }
}
