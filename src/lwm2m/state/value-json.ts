import { CausewayError } from "../../base/errors.js";
import type { ResourceType, Value } from "../value.js";
import type { Json } from "./client-state.js";

/** A value as it is kept on disk; whole numbers beyond 2^53 and bytes become text. */
export function jsonOfValue(value: Value): Json {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "object") return `${value.objectId}:${value.instanceId}`;
  // JSON has no infinities.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}

/** Throws STATE_INVALID when the document holds no value of the type. */
export function valueOfJson(type: ResourceType, json: Json | undefined): Value {
  switch (type) {
    case "boolean":
      if (typeof json === "boolean") return json;
      break;
    case "opaque":
      if (typeof json === "string") return new Uint8Array(Buffer.from(json, "base64"));
      break;
    case "objlnk": {
      const link = typeof json === "string" ? /^(\d+):(\d+)$/.exec(json) : null;
      if (link !== null) return { objectId: Number(link[1]), instanceId: Number(link[2]) };
      break;
    }
    case "float":
      if (typeof json === "number" || typeof json === "string") return Number(json);
      break;
    case "integer":
    case "unsigned":
    case "time":
      if (typeof json === "number" && Number.isInteger(json)) return json;
      if (typeof json === "string" && /^-?\d+$/.test(json)) return BigInt(json);
      break;
    case "string":
    case "corelnk":
      if (typeof json === "string") return json;
      break;
  }
  throw new CausewayError("STATE_INVALID", `what was kept is no ${type}`);
}
