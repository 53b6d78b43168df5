import {
  CausewayError,
  decodeByteValue,
  encodeByteValue,
  type Point,
  type Scalar,
  type ScalarKind,
  valueFromText,
} from "causeway/adapter";
import { decodeAngle, encodeAngle } from "./angle.js";
import { byteFormatOf, type SerialPoint } from "./options.js";

export function kindOf({ type = "string" }: SerialPoint): ScalarKind {
  return type === "boolean" || type === "string" ? type : "number";
}

/** What stands on the wire of a value; throws VALUE_INVALID when the point cannot have it. */
export function fitValue({ name, address }: Point<SerialPoint>, value: Scalar): Scalar {
  const format = byteFormatOf(address);
  if (format !== undefined) return decodeByteValue(encodeByteValue(value, format), 0, format);
  if (address.type === "angle") return fitAngle(name, Number(value));
  const kind = kindOf(address);
  const isNumber = typeof value === "bigint" && kind === "number";
  if (typeof value === kind || isNumber || value instanceof Uint8Array) return value;
  const fitted = valueFromText(value, kind === "bytes" ? "string" : kind);
  if (fitted.quality === "good") return fitted.value;
  throw new CausewayError("VALUE_INVALID", `${name} takes a ${kind}: ${fitted.reason}`);
}

function fitAngle(name: string, value: number): number {
  const fitted = decodeAngle(...encodeAngle(value, "longitude"));
  if (fitted !== undefined) return fitted;
  throw new CausewayError("VALUE_INVALID", `${name} is an angle in degrees, not ${value}`);
}
