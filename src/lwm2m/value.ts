/** Data types of OMA LwM2M Core 1.2 Appendix C. */
export type ResourceType =
  | "string"
  | "integer"
  | "unsigned"
  | "float"
  | "boolean"
  | "opaque"
  | "time"
  | "objlnk"
  | "corelnk";

export interface ObjectLink {
  readonly objectId: number;
  readonly instanceId: number;
}

/**
 * string and corelnk are strings; float is a number; integer, unsigned and time (seconds) are numbers, or bigint
 * beyond 2^53; opaque is bytes.
 */
export type Value = string | number | bigint | boolean | Uint8Array | ObjectLink;

/** A value with the time it was measured, so that nothing is reported as newer than it is. */
export interface Sample {
  readonly value: Value;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly atMs: number;
}

export function valuesEqual(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  }
  if (typeof a === "object" && typeof b === "object") {
    return a.objectId === b.objectId && a.instanceId === b.instanceId;
  }
  return a === b;
}

/** Whether `value` is of the type (not whether it is in range); integers must be whole and within 64 bits. */
export function fitsType(type: ResourceType, value: Value): boolean {
  switch (type) {
    case "string":
    case "corelnk":
      return typeof value === "string";
    case "float":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "opaque":
      return value instanceof Uint8Array;
    case "objlnk":
      return typeof value === "object" && !(value instanceof Uint8Array);
    case "integer":
    case "time":
      return isWhole(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value);
    case "unsigned":
      return isWhole(value) && BigInt.asUintN(64, BigInt(value)) === BigInt(value);
  }
}

function isWhole(value: Value): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}
